import type { AgentEvent, Departure } from '#agent/provider.ts'
import type { Milliseconds } from '#base/clock.ts'
import { type Ask, parametersOf } from './asks.ts'
import type { Sendable } from './link.ts'
import { ReplyContent, type ReplyContentDeps, stallMs } from './reply-content.ts'
import { heldMax, newResponse, noteInvocation, type Response } from './response.ts'
import type { Invocation, ResponseFacts, ServerEvent } from './wire.ts'

/**
 * The replies of one call: asks for them, one at a time; passes on what belongs to the one that is wanted and drops the
 * rest by its id; and sees to it that the caller is never left in silence.
 *
 * A reply that is due has `reply_timeout_ms` to bring its first audio. Then a filler is heard and it is asked for once
 * more; after as long again the session has failed for good. A response that the server itself declares failed is asked
 * for once more at once, without a filler.
 */
export interface ReplyMakerDeps extends ReplyContentDeps {
  readonly prompt: string
  readonly timeoutMs: Milliseconds
  readonly emit: (event: AgentEvent) => void
  /** False: there is no session now. */
  readonly send: (event: Sendable) => boolean
  readonly playFiller: () => void
  /** A reply is over whose functions are to be called. */
  readonly invoke: (invocations: readonly Invocation[], spoke: boolean) => void
  readonly leave: (departure: Departure) => void
}

interface Due {
  /** Null: the server makes it by itself. */
  readonly ask: Ask | null
  readonly sinceMs: Milliseconds
  attempts: number
}

const retryMaxMs: Milliseconds = 2000
/** What the server overcomes by itself. */
const busyCodes = /rate_limit|overloaded|too_many/

export class ReplyMaker {
  /** False since a reply failed: what can be said without the server is. */
  healthy = true
  /** No reply will come in this call. */
  gaveUp = false
  private readonly deps: ReplyMakerDeps
  private readonly content: ReplyContent
  private active: Response | null = null
  /** What was sent and has no `response.created` yet. */
  private requested: Ask | null = null
  /** Nobody wants what was requested any more. */
  private dropRequested = false
  /** To be sent when the server is done with the one before. */
  private pending: Ask | null = null
  /** What the live reply was asked for with. */
  private ask: Ask | null = null
  private due: Due | null = null
  private watch: Disposable | null = null
  private retry: Disposable | null = null
  private resetMs: Milliseconds = 0

  constructor(deps: ReplyMakerDeps) {
    this.deps = deps
    this.content = new ReplyContent(deps, {
      begins: () => this.begins(),
      stalled: (response) => this.stalled(response),
    })
  }

  /** The server is making one, or is about to. */
  get busy(): boolean {
    return this.active !== null || this.requested !== null || this.due !== null
  }

  get isMaking(): boolean {
    return this.active !== null
  }

  /** The next `response.created` is the answer to our own request. */
  get awaitsOwn(): boolean {
    return this.requested !== null
  }

  get isDue(): boolean {
    return this.due !== null
  }

  /** A reply is wanted: what is being made is dropped. */
  request(ask: Ask): void {
    this.dropMade(true)
    this.arm(ask)
    this.put(ask)
  }

  /** The server will make one by itself. */
  expect(): void {
    if (this.due === null && this.active?.state !== 'live') this.arm(null)
  }

  /** Nothing is wanted any more. `cancel` false: the server knows. `keepHeld`: what is held may still be. */
  drop(cancel: boolean, keepHeld = false): void {
    this.disarm()
    this.pending = null
    if (!keepHeld || this.active?.state !== 'held') this.dropMade(cancel)
  }

  created(id: string, state: Response['state']): void {
    const own = this.requested
    const unwanted = own !== null && this.dropRequested
    this.requested = null
    this.dropRequested = false
    this.ask = unwanted ? null : own
    this.active = newResponse(id, unwanted ? 'dropped' : state)
    if (this.active.state === 'dropped') this.cancel(this.active)
  }

  /** What was held goes on its way. */
  release(): void {
    const held = this.active
    if (held?.state !== 'held') return
    held.state = 'live'
    for (const event of held.held.splice(0)) this.event(event)
  }

  get holds(): boolean {
    return this.active?.state === 'held'
  }

  dropHeld(): void {
    const held = this.active
    if (held?.state !== 'held') return
    const finished = held.held.some((event) => event.type === 'response_done')
    this.forget(held, !finished)
    if (finished) this.over()
  }

  /** Of a response: everything but its creation. */
  event(event: ServerEvent): void {
    const { active } = this
    if (active === null || responseIdOf(event) !== active.id) return this.deps.tally.count('late_event')
    if (active.state === 'held') {
      if (active.held.length < heldMax) active.held.push(event)
    } else if (event.type === 'response_done') this.done(active, event.response)
    else if (active.state === 'live') this.content.event(active, event)
    else this.deps.tally.count('late_event')
  }

  /** When the server's limits are lifted. */
  limits(resetMs: Milliseconds): void {
    this.resetMs = resetMs
  }

  /** The server has refused what we asked, or says that something failed while its own answer is due. */
  refused(code: string): void {
    const ask = this.requested
    const isMissing = this.active === null && this.due !== null && !/active_response/.test(code)
    if (ask === null) return isMissing ? this.failed(code) : undefined
    const wanted = !this.dropRequested
    this.requested = null
    this.dropRequested = false
    if (!wanted) return this.next()
    // One of its own is under way: ours is for afterwards.
    if (/active_response/.test(code)) this.pending ??= ask
    else this.failed(code)
  }

  /** The session is gone, and all that it was making. */
  lost(): void {
    const { active, ask } = this
    this.active = null
    this.requested = null
    this.dropRequested = false
    this.pending = null
    if (active === null) return
    this.content.end(active)
    if (active.state !== 'live' || !active.audible) return
    const said = active.itemIds.map((id) => this.deps.conversation.textOf(id)).join(' ')
    this.deps.emit({ type: 'reply_done' })
    if (ask?.kind === 'farewell') return this.deps.leave(ask.departure)
    this.arm({ kind: 'rest', said: said.trim() })
  }

  /** There is a session again: what is due is asked of it. */
  ready(): void {
    const { due } = this
    if (due === null) return
    const turn: Ask = this.deps.conversation.callerIsKnown ? { kind: 'turn' } : { kind: 'missed' }
    this.put(due.ask === null || due.ask.kind === 'turn' ? turn : due.ask)
  }

  /** No reply can be had in this call. */
  giveUp(code: string, message: string): void {
    const ask = this.due?.ask
    this.drop(true)
    this.healthy = false
    if (ask?.kind === 'farewell') return this.deps.leave(ask.departure)
    if (this.gaveUp) return
    this.gaveUp = true
    this.deps.emit({ type: 'fault', code, message, retryable: false, final: true })
  }

  close(): void {
    this.disarm()
    if (this.active !== null) this.content.end(this.active)
    this.active = null
    this.pending = null
  }

  // ── asking ────────────────────────────────────────────────────────────────────────────────────────────────────

  private put(ask: Ask): void {
    if (this.active !== null || this.requested !== null) {
      this.pending = ask
      return
    }
    const response = parametersOf(ask, this.deps.prompt)
    const sent = this.deps.send(response === null ? { type: 'response.create' } : { type: 'response.create', response })
    if (sent) this.requested = ask
  }

  private next(): void {
    const ask = this.pending
    this.pending = null
    if (ask !== null) this.put(ask)
  }

  /** The server is done with it. */
  private over(): void {
    this.active = null
    this.next()
  }

  private dropMade(cancel: boolean): void {
    this.ask = null
    if (this.requested !== null) this.dropRequested = true
    if (this.active !== null && this.active.state !== 'dropped') this.forget(this.active, cancel)
  }

  private forget(response: Response, cancel: boolean): void {
    response.state = 'dropped'
    response.held.length = 0
    this.content.end(response)
    if (response.audible) this.deps.audio().finish()
    if (cancel) this.cancel(response)
  }

  private cancel(response: Response): void {
    this.deps.send({ type: 'response.cancel', response_id: response.id })
  }

  // ── what comes ────────────────────────────────────────────────────────────────────────────────────────────────

  private begins(): void {
    const { due } = this
    const { emit, clock } = this.deps
    this.healthy = true
    this.disarm()
    emit({ type: 'reply_started' })
    if (due !== null) emit({ type: 'stage', stage: 'tts_first_audio', durationMs: clock.now() - due.sinceMs })
  }

  private stalled(response: Response): void {
    if (this.active !== response || response.state !== 'live') return
    this.deps.emit({ type: 'incident', code: 'reply_stalled', message: `no audio for ${stallMs} ms in mid-reply` })
    const { ask } = this
    this.dropMade(true)
    this.deps.emit({ type: 'reply_done' })
    if (ask?.kind === 'farewell') this.deps.leave(ask.departure)
  }

  private done(response: Response, facts: ResponseFacts): void {
    this.content.end(response)
    if (response.state !== 'live') return this.over()
    for (const invocation of facts.invocations) noteInvocation(response, invocation)
    const { ask } = this
    this.ask = null
    this.active = null
    if (response.audible) this.deps.emit({ type: 'reply_done' })
    this.finished(response, facts, ask)
    // What that has brought about may have asked for the next one already.
    if (this.active === null && this.requested === null) this.next()
  }

  private finished(response: Response, { status, code: told, reason }: ResponseFacts, ask: Ask | null): void {
    if (status === 'cancelled') return
    if (ask?.kind === 'farewell') {
      this.disarm()
      return this.deps.leave(ask.departure)
    }
    if (status !== 'failed' && response.invocations.length > 0) {
      this.disarm()
      return this.deps.invoke(response.invocations, response.audible)
    }
    const code = told || reason || (status === 'completed' ? 'empty' : status)
    if (!response.audible) this.failed(code)
    else if (status !== 'completed')
      this.deps.emit({ type: 'incident', code: 'reply_cut', message: `the reply ended as ${status}: ${code}` })
  }

  // ── never mute ────────────────────────────────────────────────────────────────────────────────────────────────

  /** @param why the server's identifier of what was wrong */
  private failed(why: string): void {
    const { due } = this
    const { emit, tally, leave } = this.deps
    tally.count(`reply_failed_${why}`)
    this.healthy = false
    if (/quota|billing/.test(why)) return this.giveUp('no_quota', `the account has no quota left: ${why}`)
    const attempts = due?.attempts ?? 0
    if (due === null || (attempts === 0 && due.ask?.kind !== 'farewell'))
      emit({ type: 'incident', code: 'response_failed', message: `the server could not make a reply: ${why}` })
    if (due === null) return
    if (attempts > 0 || due.ask?.kind === 'farewell') {
      this.drop(true)
      if (due.ask?.kind === 'farewell') return leave(due.ask.departure)
      return emit({
        type: 'fault',
        code: 'response_failed',
        message: `the reply failed twice: ${why}`,
        retryable: true,
      })
    }
    due.attempts += 1
    this.putAgain(due, busyCodes.test(why) ? Math.min(retryMaxMs, Math.max(200, this.resetMs)) : 0)
  }

  private putAgain(due: Due, waitMs: Milliseconds): void {
    if (waitMs === 0) return this.put(due.ask ?? { kind: 'turn' })
    this.retry = this.deps.clock.after(waitMs, () => this.put(due.ask ?? { kind: 'turn' }))
  }

  private arm(ask: Ask | null): void {
    const { clock } = this.deps
    this.disarm()
    const due: Due = { ask, sinceMs: clock.now(), attempts: 0 }
    this.due = due
    this.watch = clock.after(this.deps.timeoutMs, () => this.late(due))
  }

  private late(due: Due): void {
    const { emit, playFiller, timeoutMs, clock } = this.deps
    if (due.attempts > 0 || due.ask?.kind === 'farewell')
      return this.giveUp('timeout', `no reply within ${timeoutMs} ms, and none when asked for again`)
    due.attempts += 1
    this.healthy = false
    emit({ type: 'incident', code: 'reply_timeout', message: `no reply within ${timeoutMs} ms: asked for again` })
    playFiller()
    if (this.due !== due) return
    this.watch = clock.after(timeoutMs, () => this.late(due))
    if (this.active !== null && this.active.state !== 'dropped') this.forget(this.active, true)
    // A server that has not even said that it makes one is asked anew.
    this.requested = null
    this.dropRequested = false
    this.put(due.ask ?? { kind: 'turn' })
  }

  private disarm(): void {
    this.due = null
    this.watch?.[Symbol.dispose]()
    this.watch = null
    this.retry?.[Symbol.dispose]()
    this.retry = null
  }
}

function responseIdOf(event: ServerEvent): string | null {
  if (event.type === 'response_done') return event.response.id
  return 'responseId' in event ? event.responseId : null
}
