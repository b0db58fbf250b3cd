import type { AgentEvent, Departure } from '#agent/provider.ts'
import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { ToolContext } from '#tools/tool.ts'
import type { ToolOutcome, ToolRunner } from '#tools/tool-runner.ts'
import type { Ask } from './asks.ts'
import type { Sendable } from './link.ts'
import type { Tally } from './tally.ts'
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
}

/** A call that asks for more of them is a model that has lost its way. */
const invocationsMax = 200

export class Invocations {
  private readonly deps: InvocationsDeps
  // keyed by: the vendor's id of an invocation
  private readonly seen = new Set<string>()
  /** Counts what was begun and what made it void: results of before are still told, and nothing follows from them. */
  private generation = 0

  constructor(deps: InvocationsDeps) {
    this.deps = deps
  }

  /** @param spoke the reply that asks has said something, which is then its farewell */
  run(invocations: readonly Invocation[], spoke: boolean): void {
    const fresh = invocations.filter(({ id }) => !this.seen.has(id) && this.seen.size < invocationsMax)
    for (const { id } of fresh) this.seen.add(id)
    if (fresh.length > 0) void this.runAll(fresh, spoke)
  }

  /** The caller has gone on meanwhile. */
  interrupt(): void {
    this.generation += 1
  }

  private async runAll(invocations: readonly Invocation[], spoke: boolean): Promise<void> {
    const { runner, context, emit, log, clock, tally } = this.deps
    this.generation += 1
    const { generation } = this
    emit({ type: 'tool', running: true })
    const startedMs = clock.now()
    const outcomes = await Promise.all(invocations.map(({ name, text }) => runner.run(name, text, context)))
    if (context.signal.aborted) return
    for (const [index, { failure }] of outcomes.entries()) {
      const tool = invocations[index]?.name ?? ''
      tally.count(failure === null ? 'tool_done' : `tool_${failure}`)
      log.info('tool', { tool, outcome: failure ?? 'ok', took_ms: Math.round(clock.now() - startedMs) })
    }
    emit({ type: 'tool', running: false })
    this.tell(invocations, outcomes)
    if (generation === this.generation) this.follow(outcomes, spoke)
  }

  private tell(invocations: readonly Invocation[], outcomes: readonly ToolOutcome[]): void {
    for (const [index, { output }] of outcomes.entries()) {
      const item = { type: 'function_call_output' as const, call_id: invocations[index]?.id ?? '', output }
      this.deps.send({ type: 'conversation.item.create', item })
    }
  }

  private follow(outcomes: readonly ToolOutcome[], spoke: boolean): void {
    const { request, leave } = this.deps
    const departure = outcomes.find((outcome) => outcome.departure !== null)?.departure
    if (departure === undefined || departure === null) return request({ kind: 'results' })
    if (spoke) leave(departure)
    else request({ kind: 'farewell', departure })
  }
}
