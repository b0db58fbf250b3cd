import type { AgentEvent, Departure } from '#agent/provider.ts'
import type { Tally } from '#agent/tally.ts'
import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { ToolContext } from '#tools/tool.ts'
import type { ToolRunner } from '#tools/tool-runner.ts'
import type { ClientMessage } from './client-wire.ts'
import type { FunctionCall } from './wire.ts'

/**
 * The functions that the model asks for. Each is run once and answered by its id; the server speaks on when all of a
 * request have been answered. One that ends the agent's part of the call is followed by nothing but its farewell: what has
 * been said since the caller's turn, or what the model makes of the result.
 */
export interface FunctionCallsDeps {
  readonly clock: Clock
  readonly log: Log
  readonly tally: Tally
  readonly runner: ToolRunner
  readonly context: ToolContext
  readonly emit: (event: AgentEvent) => void
  readonly send: (message: ClientMessage) => boolean
  /** All has been answered. `departure`: of a function that ends the agent's part. */
  readonly answered: (departure: Departure | null) => void
}

/** A call that asks for more of them is a model that has lost its way. */
const callsMax = 200

export class FunctionCalls {
  private readonly deps: FunctionCallsDeps
  // keyed by: the vendor's id of an invocation
  private readonly seen = new Set<string>()
  // keyed by: the vendor's id of an invocation that it takes back
  private readonly cancelled = new Set<string>()
  /** Counts what was begun and what made it void: results of before are still told, and nothing follows from them. */
  private generation = 0

  constructor(deps: FunctionCallsDeps) {
    this.deps = deps
  }

  run(calls: readonly FunctionCall[]): void {
    const fresh = calls.filter(({ id }) => !this.seen.has(id) && this.seen.size < callsMax)
    for (const { id } of fresh) this.seen.add(id)
    if (fresh.length > 0) void this.runAll(fresh)
  }

  /** They are not to be answered. */
  cancel(ids: readonly string[]): void {
    for (const id of ids) if (this.seen.has(id)) this.cancelled.add(id)
  }

  /** The caller has gone on meanwhile. */
  interrupt(): void {
    this.generation += 1
  }

  private async runAll(calls: readonly FunctionCall[]): Promise<void> {
    const { runner, context, emit, send, log, clock, tally } = this.deps
    this.generation += 1
    const { generation } = this
    emit({ type: 'tool', running: true })
    const startedMs = clock.now()
    const outcomes = await Promise.all(calls.map(({ name, text }) => runner.run(name, text, context)))
    if (context.signal.aborted) return
    emit({ type: 'tool', running: false })
    let departure: Departure | null = null
    for (const [index, outcome] of outcomes.entries()) {
      const { id = '', name = '' } = calls[index] ?? {}
      if (this.cancelled.has(id)) continue
      tally.count(outcome.failure === null ? 'tool_done' : `tool_${outcome.failure}`)
      log.info('tool', { tool: name, outcome: outcome.failure ?? 'ok', took_ms: Math.round(clock.now() - startedMs) })
      departure ??= outcome.departure
      send({ type: 'FunctionCallResponse', id, name, content: outcome.output })
    }
    const all = calls.every(({ id }) => this.cancelled.has(id))
    if (generation === this.generation && !all) this.deps.answered(departure)
  }
}
