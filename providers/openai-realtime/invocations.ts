import type { AgentEvent, Departure } from '#agent/provider.ts'
import type { Tally } from '#agent/tally.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { ToolContext } from '#tools/tool.ts'
import type { ToolOutcome, ToolRunner } from '#tools/tool-runner.ts'
import type { Ask } from './asks.ts'
import { messageItem } from './client-wire.ts'
import type { Sendable } from './link.ts'
import type { Invocation } from './wire.ts'

/**
 * The functions that replies ask for. Each is run once, however often the server names it; what they have brought is sent
 * when the reply that asked is over, all of it before the next reply is asked for. One that ends the agent's part of the
 * call is followed by nothing but its farewell: what was said with it, or one sentence more.
 */
export interface InvocationsDeps {
  readonly clock: Clock
  readonly log: Log
  readonly tally: Tally
  readonly runner: ToolRunner
  readonly context: ToolContext
  readonly emit: (event: AgentEvent) => void
  readonly send: (event: Sendable) => boolean
  readonly request: (ask: Ask) => void
  readonly leave: (departure: Departure) => void
  /** Counts the sessions of this call: a result belongs into the one that asked. */
  readonly session: () => number
  /** The caller is told to wait after so long. */
  readonly timeoutMs: Milliseconds
  readonly wait: () => void
}

/** A call that asks for more of them is a model that has lost its way. */
const invocationsMax = 200
/** What another session is told of: the newest, and of each so much. */
const resultsMax = 20
const resultCharactersMax = 2000
const stayed = 'The caller spoke before you had left: the call was not ended, and goes on.'

export class Invocations {
  private readonly deps: InvocationsDeps
  // keyed by: the vendor's id of an invocation
  private readonly seen = new Set<string>()
  /** Counts what was begun and what made it void: results of before are still told, and nothing follows from them. */
  private generation = 0
  private runningCount = 0
  /** Replies in a row that asked for nothing new. */
  private asksInVain = 0
  /** The farewell has been asked for, and is not heard yet. */
  private departs = false
  private readonly told: string[] = []

  constructor(deps: InvocationsDeps) {
    this.deps = deps
  }

  /** Of those that run now. */
  get running(): boolean {
    return this.runningCount > 0
  }

  /** What functions have brought in this call, in words, for a session that never asked. */
  get results(): readonly string[] {
    return this.told
  }

  /** @param spoke the reply that asks has said something, which is then its farewell */
  run(invocations: readonly Invocation[], spoke: boolean): void {
    const fresh = invocations.filter(({ id }) => !this.seen.has(id) && this.seen.size < invocationsMax)
    for (const { id } of fresh) this.seen.add(id)
    if (fresh.length > 0) {
      this.asksInVain = 0
      void this.runAll(fresh, spoke)
    } else if (!spoke) this.inVain()
  }

  /** The caller has gone on meanwhile. */
  interrupt(): void {
    this.generation += 1
    if (this.departs) this.stays()
  }

  /** The agent's part of the call is over: nothing makes that void any more. */
  left(): void {
    this.departs = false
  }

  /** It has asked for nothing new and said nothing: once it is asked to go on, then it has failed. */
  private inVain(): void {
    const { request, emit } = this.deps
    this.asksInVain += 1
    if (this.asksInVain === 1) return request({ kind: 'results' })
    this.asksInVain = 0
    const message = 'the model asks for the same functions again and says nothing'
    emit({ type: 'fault', code: 'tool_loop', message, retryable: true })
  }

  private stays(): void {
    this.departs = false
    this.deps.send({ type: 'conversation.item.create', item: messageItem('system', stayed) })
  }

  private async runAll(invocations: readonly Invocation[], spoke: boolean): Promise<void> {
    const { runner, context, emit, log, clock, tally, session } = this.deps
    this.generation += 1
    const { generation } = this
    const asker = session()
    emit({ type: 'tool', running: true })
    this.runningCount += 1
    const startedMs = clock.now()
    const outcomes = await this.outcomes(invocations, generation)
    this.runningCount -= 1
    if (context.signal.aborted) return
    for (const [index, { failure }] of outcomes.entries()) {
      const name = invocations[index]?.name ?? ''
      // Any name that the model makes up may hold a caller's words.
      const tool = runner.declarations.some((each) => each.name === name) ? name : 'unknown'
      tally.count(failure === null ? 'tool_done' : `tool_${failure}`)
      log.info('tool', { tool, outcome: failure ?? 'ok', took_ms: Math.round(clock.now() - startedMs) })
    }
    emit({ type: 'tool', running: false })
    this.tell(invocations, outcomes, asker)
    if (generation === this.generation) this.follow(outcomes, spoke)
    else if (departureOf(outcomes) !== null) this.stays()
  }

  private async outcomes(invocations: readonly Invocation[], generation: number): Promise<readonly ToolOutcome[]> {
    const { runner, context, clock, timeoutMs, wait } = this.deps
    using _ = clock.every(timeoutMs, () => {
      if (generation === this.generation && !context.signal.aborted) wait()
    })
    return await Promise.all(invocations.map(({ name, text }) => runner.run(name, text, context)))
  }

  private tell(invocations: readonly Invocation[], outcomes: readonly ToolOutcome[], asker: number): void {
    const { send, session, runner } = this.deps
    for (const [index, { output }] of outcomes.entries()) {
      const { id, name } = invocations[index] ?? { id: '', name: '' }
      const known = runner.declarations.some((each) => each.name === name) ? name : 'unknown'
      const result = `The function ${known} gave: ${output.slice(0, resultCharactersMax)}`
      this.told.push(result)
      if (this.told.length > resultsMax) this.told.shift()
      // Where there is no session now, the next one is told with all the rest.
      const item =
        session() === asker
          ? { type: 'function_call_output' as const, call_id: id, output }
          : messageItem('system', result)
      send({ type: 'conversation.item.create', item })
    }
  }

  private follow(outcomes: readonly ToolOutcome[], spoke: boolean): void {
    const { request, leave } = this.deps
    const departure = departureOf(outcomes)
    if (departure === null) return request({ kind: 'results' })
    if (spoke) return leave(departure)
    request({ kind: 'farewell', departure })
    this.departs = true
  }
}

function departureOf(outcomes: readonly ToolOutcome[]): Departure | null {
  return outcomes.find(({ departure }) => departure !== null)?.departure ?? null
}
