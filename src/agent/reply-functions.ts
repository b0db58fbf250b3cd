import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { FunctionCall, FunctionDeclaration, FunctionOutcome, FunctionRunner } from './functions.ts'
import type { History } from './history.ts'
import type { AgentEvent, CallContext, Departure } from './provider.ts'
import type { Tally } from './tally.ts'

/**
 * The functions that the model of a cascade asks for while it makes a reply. Each is run once, and the model is told what
 * all of them have brought before it goes on. One that ends the agent's part of the call is followed by nothing but its
 * farewell: what was said with it, or one answer more, for which no function is offered.
 */
export interface ReplyFunctionsDeps {
  readonly clock: Clock
  readonly log: Log
  readonly tally: Tally
  readonly runner: FunctionRunner
  readonly context: Pick<CallContext, 'callId' | 'canTransfer' | 'signal'>
  readonly history: History
  readonly emit: (event: AgentEvent) => void
}

/** `void`: the caller has gone on meanwhile, and nothing follows. `loop`: the model asks again and again. */
export type AfterFunctions = 'go_on' | 'leave' | 'void' | 'loop'

/** A model that has asked so often for one turn of the caller's has lost its way. */
const roundsMax = 5
const notYet = outputOf('there is no result yet')
const stayed = outputOf('The caller spoke before you had left: the call was not ended, and goes on.')

export class ReplyFunctions {
  private readonly deps: ReplyFunctionsDeps
  private rounds = 0
  /** Counts the replies: what one of before has asked for is still told, and nothing follows from it. */
  private reply = 0
  private departing: { readonly how: Departure; readonly ids: readonly string[] } | null = null

  constructor(deps: ReplyFunctionsDeps) {
    this.deps = deps
  }

  /** What the model may ask for now. */
  get offered(): readonly FunctionDeclaration[] {
    return this.departing === null ? this.deps.runner.declarations : []
  }

  /** How the agent leaves once this reply has been heard. */
  get departure(): Departure | null {
    return this.departing?.how ?? null
  }

  /** A reply begins, or is given up. */
  restart(): void {
    this.reply += 1
    this.rounds = 0
    for (const id of this.departing?.ids ?? []) this.deps.history.functionAnswered(id, stayed)
    this.departing = null
  }

  /** The agent has left. */
  left(): void {
    this.departing = null
  }

  /** @param said what the model has said while it asked */
  async run(asked: readonly FunctionCall[], said: string): Promise<AfterFunctions> {
    const { runner, context, emit, history, clock } = this.deps
    this.rounds += 1
    if (this.rounds > roundsMax) return 'loop'
    const { reply } = this
    // Ids of servers may come again; of these each is answered once.
    const calls = asked.map((call, index) => ({ ...call, id: `${call.id}_${reply}_${this.rounds}_${index}` }))
    history.functionsAsked(said, calls, notYet)
    emit({ type: 'tool', running: true })
    const startedMs = clock.now()
    const tools = { callId: context.callId, canTransfer: context.canTransfer === true, signal: context.signal }
    const outcomes = await Promise.all(calls.map(({ name, text }) => runner.run(name, text, tools)))
    if (context.signal.aborted) return 'void'
    emit({ type: 'tool', running: false })
    for (const [index, outcome] of outcomes.entries()) this.note(calls[index], outcome, clock.now() - startedMs)
    const leaving = calls.filter((_, index) => outcomes[index]?.departure != null)
    if (reply !== this.reply) {
      for (const { id } of leaving) history.functionAnswered(id, stayed)
      return 'void'
    }
    const how = outcomes.find(({ departure }) => departure !== null)?.departure ?? null
    if (how !== null) this.departing = { how, ids: leaving.map(({ id }) => id) }
    return how === null ? 'go_on' : 'leave'
  }

  private note(call: FunctionCall | undefined, { output, failure }: FunctionOutcome, tookMs: number): void {
    if (call === undefined) return
    const { history, log, runner, tally } = this.deps
    history.functionAnswered(call.id, output)
    tally.count(failure === null ? 'tool_done' : `tool_${failure}`)
    // Any name that the model makes up may hold a caller's words.
    const tool = runner.declarations.some(({ name }) => name === call.name) ? call.name : 'unknown'
    log.info('tool', { tool, outcome: failure ?? 'ok', took_ms: Math.round(tookMs) })
  }
}

function outputOf(error: string): string {
  return JSON.stringify({ ok: false, error })
}
