import type { AgentEvent, Departure } from '#agent/provider.ts'
import type { Tally } from '#agent/tally.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { ToolContext } from './tool.ts'
import type { ToolOutcome, ToolRunner } from './tool-runner.ts'

/**
 * The functions that the model of a realtime agent asks for. Each is run once, however often the server names it; the model
 * is told what all of them have brought before it goes on. One that ends the agent's part of the call is followed by
 * nothing but its farewell: what was said with it, or one sentence more.
 */
export interface Invocation {
  readonly id: string
  readonly name: string
  /** JSON, as the model wrote it. */
  readonly text: string
}

/** What a function has brought. The name is one of ours, or `unknown`: any other may hold a caller's words. */
export interface ToolResult extends Invocation {
  readonly output: string
}

export interface InvocationsDeps {
  readonly clock: Clock
  readonly log: Log
  readonly tally: Tally
  readonly runner: ToolRunner
  readonly context: ToolContext
  readonly emit: (event: AgentEvent) => void
  /** Counts the sessions of this call: a result belongs into the one that asked. */
  readonly session: () => number
  /** The caller is told to wait after so long. */
  readonly timeoutMs: Milliseconds
  readonly wait: () => void
  /** `asked`: by the session that there is. Where there is none, the next one is told with all the rest. */
  readonly tell: (result: ToolResult, asked: boolean) => void
  /** Tells the model something beside the conversation. */
  readonly note: (text: string) => void
  /** A model that asks for nothing new and says nothing is asked to go on; null where it cannot be. */
  readonly goOn: (() => void) | null
  /** All has been told. @returns whether a farewell was asked for, and is not heard yet */
  readonly follow: (departure: Departure | null, spoke: boolean, asked: boolean) => boolean
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
  // keyed by: the vendor's id of an invocation that it has taken back
  private readonly cancelled = new Set<string>()
  /** Counts what was begun and what made it void: results of before are still told, and nothing follows from them. */
  private generation = 0
  private runningCount = 0
  /** Replies in a row that asked for nothing new. */
  private asksInVain = 0
  /** The farewell has been asked for, and is not heard yet. */
  private departs = false
  private closed = false
  private readonly told: ToolResult[] = []

  constructor(deps: InvocationsDeps) {
    this.deps = deps
  }

  /** Of those that run now. */
  get running(): boolean {
    return this.runningCount > 0
  }

  /** What functions have brought in this call, for a session that never asked. */
  get results(): readonly ToolResult[] {
    return this.told
  }

  /** @param spoke the reply that asks has said something, which is then its farewell */
  run(invocations: readonly Invocation[], spoke: boolean): void {
    const fresh = invocations.filter(({ id }) => !this.seen.has(id) && this.seen.size < invocationsMax)
    for (const { id } of fresh) this.seen.add(id)
    if (fresh.length > 0) {
      this.asksInVain = 0
      void this.runAll(fresh, spoke)
    } else if (!spoke && invocations.length > 0) this.inVain()
  }

  /** They are not to be answered. */
  cancel(ids: readonly string[]): void {
    for (const id of ids) if (this.seen.has(id)) this.cancelled.add(id)
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

  /** Nothing follows from those that still run. */
  close(): void {
    this.closed = true
  }

  /** It has asked for nothing new and said nothing: once it is asked to go on, then it has failed. */
  private inVain(): void {
    const { goOn, emit } = this.deps
    this.asksInVain += 1
    if (this.asksInVain === 1 && goOn !== null) return goOn()
    this.asksInVain = 0
    const message = 'the model asks for the same functions again and says nothing'
    emit({ type: 'fault', code: 'tool_loop', message, retryable: true })
  }

  private stays(): void {
    this.departs = false
    this.deps.note(stayed)
  }

  private async runAll(invocations: readonly Invocation[], spoke: boolean): Promise<void> {
    const { context, emit, clock, session } = this.deps
    this.generation += 1
    const { generation } = this
    const asker = session()
    emit({ type: 'tool', running: true })
    this.runningCount += 1
    const startedMs = clock.now()
    const outcomes = await this.outcomes(invocations, generation)
    this.runningCount -= 1
    if (this.closed || context.signal.aborted) return
    emit({ type: 'tool', running: false })
    const wanted = invocations.flatMap((invocation, index) => {
      const outcome = outcomes[index]
      return outcome === undefined || this.cancelled.has(invocation.id) ? [] : [{ invocation, outcome }]
    })
    const asked = session() === asker
    for (const { invocation, outcome } of wanted) this.tell(invocation, outcome, asked, clock.now() - startedMs)
    if (wanted.length === 0) return
    const departure = wanted.find(({ outcome }) => outcome.departure !== null)?.outcome.departure ?? null
    if (generation === this.generation) this.departs = this.deps.follow(departure, spoke, asked)
    else if (departure !== null) this.stays()
  }

  private async outcomes(invocations: readonly Invocation[], generation: number): Promise<readonly ToolOutcome[]> {
    const { runner, context, clock, timeoutMs, wait } = this.deps
    using _ = clock.every(timeoutMs, () => {
      if (generation === this.generation && !this.closed && !context.signal.aborted) wait()
    })
    return await Promise.all(invocations.map(({ name, text }) => runner.run(name, text, context)))
  }

  private tell(invocation: Invocation, { output, failure }: ToolOutcome, asked: boolean, tookMs: Milliseconds): void {
    const { tally, log, runner, tell } = this.deps
    const isOurs = runner.declarations.some(({ name }) => name === invocation.name)
    const tool = isOurs ? invocation.name : 'unknown'
    tally.count(failure === null ? 'tool_done' : `tool_${failure}`)
    log.info('tool', { tool, outcome: failure ?? 'ok', took_ms: Math.round(tookMs) })
    this.told.push({ ...invocation, name: tool, output: output.slice(0, resultCharactersMax) })
    if (this.told.length > resultsMax) this.told.shift()
    tell({ ...invocation, output }, asked)
  }
}

/** In words, for a session that never asked. */
export function resultInWords({ name, output }: ToolResult): string {
  return `The function ${name} gave: ${output}`
}
