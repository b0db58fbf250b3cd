import type { AgentEvent, Departure } from '#agent/provider.ts'
import type { Milliseconds } from '#base/clock.ts'
import type { Invocation } from '#tools/invocations.ts'
import type { Ask } from './asks.ts'
import { askOf, type Due, DueReply } from './due-reply.ts'
import type { Sendable } from './link.ts'
import { ReplyContent, type ReplyContentDeps } from './reply-content.ts'
import { Request } from './request.ts'
import { hold, isFinished, newResponse, noteInvocation, noteItem, type Response, responseIdOf } from './response.ts'
import type { ResponseFacts, ServerEvent } from './wire.ts'

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
  readonly emit: (event: AgentEvent) => void
  /** False: there is no session now. */
  readonly send: (event: Sendable) => boolean
  readonly playFiller: () => void
  /** A reply is over whose functions are to be called. */
  readonly invoke: (invocations: readonly Invocation[], spoke: boolean) => void
  readonly leave: (departure: Departure) => void
  /** What is to become of an answer that the server makes by itself. */
  readonly fateOfAnswer: () => Response['state']
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
  private readonly asked: Request
  /** To be sent when the server is done with the one before. */
  private pending: Ask | null = null
  /** What the live reply was asked for with. */
  private ask: Ask | null = null
  private readonly due: DueReply
  private resetMs: Milliseconds = 0

  constructor(deps: ReplyMakerDeps) {
    this.deps = deps
    this.asked = new Request(deps.prompt, deps.send)
    this.due = new DueReply(deps.clock, deps.timeoutMs, (due) => this.late(due))
    this.content = new ReplyContent(deps, {
      begins: () => this.begins(),
      begun: () => this.begun(),
      stalled: (response) => this.stalled(response),
    })
  }

  /** The server is making one, or is about to. */
  get busy(): boolean {
    return this.active !== null || this.asked.waits || this.isDue
  }

  get isMaking(): boolean {
    return this.active !== null
  }

  get isDue(): boolean {
    return this.due.now !== null
  }

  /** What is due answers the caller's turn, which the engine has ended. */
  get turnIsDue(): boolean {
    return this.due.now?.ask?.kind === 'turn'
  }

  /** A reply is wanted: what is being made is dropped. */
  request(ask: Ask): void {
    this.dropMade(true)
    this.due.arm(ask)
    this.put(ask)
  }

  /** The server will make one by itself. @param ask what it is asked for with if it doesn't */
  expect(ask: Ask | null = null): void {
    const due = this.due.now
    if (due === null && this.active?.state !== 'live') this.due.arm(ask)
    // It has heard them after all.
    else if (ask === null && due?.ask?.kind === 'missed' && !due.filled) this.due.arm(null)
    else if (due !== null) due.ask ??= ask
  }

  /** Nothing is wanted any more. `cancel` false: the server knows. `keepHeld`: what is held may still be. */
  drop(cancel: boolean, keepHeld = false): void {
    this.due.disarm()
    this.pending = null
    if (!keepHeld || this.active?.state !== 'held') this.dropMade(cancel)
  }

  /** @param number of our request, where the server tells it again */
  created(id: string, number: string | null): void {
    const answered = this.asked.answered(number)
    this.ask = typeof answered === 'string' ? null : answered
    this.active = newResponse(id, this.fateOf(answered))
    if (this.active.state === 'dropped') this.cancel(this.active)
  }

  private fateOf(answered: Ask | 'unwanted' | 'of_the_server'): Response['state'] {
    if (answered === 'of_the_server') return this.deps.fateOfAnswer()
    return answered === 'unwanted' ? 'dropped' : 'live'
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
    const { active } = this
    if (active?.state !== 'held') return
    this.forget(active, true)
    if (this.active === null) this.next()
  }

  /** Of a response: everything but its creation. */
  event(event: ServerEvent): void {
    const { active } = this
    if (active === null || responseIdOf(event) !== active.id) {
      this.deps.tally.count('late_event')
      // What was refused beside one that we don't know of waits for its end.
      if (event.type === 'response_done' && active === null && !this.asked.waits) this.next()
      return
    }
    noteItem(active, event)
    if (active.state === 'held') hold(active, event)
    else if (event.type === 'response_done') this.done(active, event.response)
    else if (active.state === 'live') this.content.event(active, event)
    else this.deps.tally.count('late_event')
  }

  /** When the server's limits are lifted. */
  limits(resetMs: Milliseconds): void {
    this.resetMs = resetMs
  }

  /**
   * The server has refused what we asked, or says that something failed while its own answer is due.
   * @param ours it names our request as the cause
   */
  refused(code: string, ours: boolean): void {
    const asked = this.asked.end()
    const isBusy = /active_response/.test(code)
    const isKnown = ours && this.asked.refused()
    if (asked === null) {
      if (isBusy && ours && !isKnown) this.mistaken()
      else if (!isBusy && this.active === null && this.isDue) this.failed(code)
      return
    }
    if (asked.unwanted) return this.active === null ? this.next() : undefined
    // One of its own is under way: ours is for afterwards.
    if (isBusy) this.pending ??= asked.ask
    else this.failed(code)
  }

  /** What was taken for the answer to our request is the server's own, and ours is for afterwards. */
  private mistaken(): void {
    const { active, ask } = this
    if (active === null || ask === null) return
    this.ask = null
    this.pending ??= ask
    if (active.state !== 'live' || active.audible) return
    const fate = this.deps.fateOfAnswer()
    if (fate === 'dropped') this.forget(active, true)
    else active.state = fate
  }

  /** The session is gone, and all that it was making. */
  lost(): void {
    const { active, ask } = this
    this.active = null
    this.asked.lost()
    this.pending = null
    if (active === null) return
    this.content.end(active)
    if (active.state !== 'live' || !active.audible) return
    const said = this.saidIn(active)
    this.deps.emit({ type: 'reply_done' })
    if (ask?.kind !== 'farewell') this.due.arm({ kind: 'rest', said })
  }

  /** There is a session again: what is due is asked of it. @param committed it has just been given the caller's turn */
  ready(committed: boolean): void {
    const due = this.due.now
    if (due === null) return
    const isKnown = committed || this.deps.conversation.callerIsKnown
    const ask = askOf(due)
    this.put(ask.kind === 'turn' && !isKnown ? { kind: 'missed' } : ask)
  }

  /** The caller has heard all that there was: from now on it is silent. */
  heard(): void {
    this.due.heard()
  }

  /** No reply can be had in this call. */
  giveUp(code: string, message: string): void {
    const ask = this.due.now?.ask
    this.drop(true)
    this.healthy = false
    if (ask?.kind === 'farewell') return this.deps.leave(ask.departure)
    if (this.gaveUp) return
    this.gaveUp = true
    this.deps.emit({ type: 'fault', code, message, retryable: false, final: true })
  }

  close(): void {
    this.due.disarm()
    if (this.active !== null) this.content.end(this.active)
    this.active = null
    this.pending = null
  }

  // ── asking ────────────────────────────────────────────────────────────────────────────────────────────────────

  private put(ask: Ask): void {
    const waits = this.active !== null || this.asked.waits
    this.pending = waits ? ask : null
    if (!waits) this.asked.put(ask)
  }

  private next(): void {
    const ask = this.pending
    this.pending = null
    if (ask !== null) this.put(ask)
  }

  private dropMade(cancel: boolean): void {
    this.ask = null
    this.asked.unwanted()
    if (this.active !== null && this.active.state !== 'dropped') this.forget(this.active, cancel)
  }

  private forget(response: Response, cancel: boolean): void {
    const finished = isFinished(response)
    response.state = 'dropped'
    response.held.length = 0
    if (!response.audible) for (const id of response.itemIds) this.deps.conversation.remove(id)
    this.content.end(response)
    if (response.audible) this.deps.audio().finish()
    // Its end has been held as well: nothing more comes of it.
    if (finished) this.buried(response)
    else if (cancel) this.cancel(response)
  }

  /** The server is done with one that nobody wants: what was never heard is no part of the conversation. */
  private buried(response: Response): void {
    this.active = null
    if (response.audible) return
    for (const id of response.messageIds) this.deps.send({ type: 'conversation.item.delete', item_id: id })
  }

  private cancel(response: Response): void {
    this.deps.send({ type: 'response.cancel', response_id: response.id })
  }

  // ── what comes ────────────────────────────────────────────────────────────────────────────────────────────────

  private begins(): void {
    const due = this.due.now
    const { emit, clock } = this.deps
    this.healthy = true
    this.due.disarm()
    emit({ type: 'reply_started' })
    if (due !== null) emit({ type: 'stage', stage: 'tts_first_audio', durationMs: clock.now() - due.sinceMs })
  }

  /** From its first sound on nobody interrupts a farewell. */
  private begun(): void {
    if (this.ask?.kind === 'farewell') this.deps.leave(this.ask.departure)
  }

  private stalled(response: Response): void {
    if (this.active !== response || response.state !== 'live') return
    const { ask } = this
    this.deps.emit({ type: 'incident', code: 'reply_stalled', message: 'the audio stopped coming in mid-reply' })
    const said = this.saidIn(response)
    this.dropMade(true)
    this.deps.emit({ type: 'reply_done' })
    if (ask?.kind === 'farewell') return
    const rest: Ask = { kind: 'rest', said }
    this.due.arm(rest)
    this.put(rest)
  }

  private saidIn(response: Response): string {
    const texts = response.itemIds.map((id) => this.deps.conversation.textOf(id))
    return texts.join(' ').trim()
  }

  private done(response: Response, facts: ResponseFacts): void {
    this.content.end(response)
    if (response.state !== 'live') {
      this.buried(response)
      return this.next()
    }
    for (const id of response.itemIds) this.deps.sounding.complete(id)
    for (const invocation of facts.invocations) noteInvocation(response, invocation)
    const { ask } = this
    this.ask = null
    this.active = null
    if (response.audible) this.deps.emit({ type: 'reply_done' })
    this.finished(response, facts, ask)
    // What that has brought about may have asked for the next one already.
    if (this.active === null && !this.asked.waits) this.next()
  }

  private finished(response: Response, { status, code: told, reason }: ResponseFacts, ask: Ask | null): void {
    if (status === 'cancelled') return
    if (ask?.kind === 'farewell') {
      this.due.disarm()
      return response.audible ? undefined : this.deps.leave(ask.departure)
    }
    if (status !== 'failed' && response.invocations.length > 0) {
      this.due.disarm()
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
    const due = this.due.now
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
    if (waitMs === 0) return this.put(askOf(due))
    this.due.retryIn(waitMs, () => this.put(askOf(due)))
  }

  private late(due: Due): void {
    const { emit, playFiller, timeoutMs, sounding } = this.deps
    if (due.filled || due.ask?.kind === 'farewell')
      return this.giveUp('timeout', `no reply within ${timeoutMs} ms, and none when asked for again`)
    // What was said before it is still being heard: nobody is left in silence.
    if (sounding.active) return this.due.postpone()
    due.filled = true
    this.healthy = false
    emit({ type: 'incident', code: 'reply_timeout', message: `no reply within ${timeoutMs} ms: asked for again` })
    playFiller()
    if (this.due.now !== due) return
    this.due.watchAgain()
    // One that has been asked for again already, after a failure, has had less than its time.
    if (due.attempts > 0) return
    due.attempts += 1
    if (this.active !== null && this.active.state !== 'dropped') this.forget(this.active, true)
    // Neither the end of one that was dropped nor a word of one that was asked for is waited for any longer.
    this.active = null
    this.asked.end()
    this.put(askOf(due))
  }
}
