import type { AgentEvent, Departure } from '#agent/provider.ts'
import type { Tally } from '#agent/tally.ts'
import { type SampleRateHz, samplesToMs } from '#audio/format.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Dialogue } from './dialogue.ts'

/**
 * The replies of one call: passes on what is wanted, holds what may be, drops the rest; and sees to it that the caller is
 * never left in silence. The server's replies have no names: one begins with its words, and ends with `AgentAudioDone` or
 * with the caller's speech, after which audio without new words is a rest of it.
 *
 * A reply that is due has `reply_timeout_ms` to bring its first audio. Then a filler is heard, and again after each further
 * one. Half of it after the first filler the server is looked at: where it says that its model is slow it is waited for, else
 * another session is asked; one that has brought nothing after as long again has failed for good.
 */
export type Ask =
  /** An answer to the caller's turn. */
  | { readonly kind: 'turn' }
  /** This very text. */
  | { readonly kind: 'say'; readonly text: string }
  /** What functions have brought. */
  | { readonly kind: 'results' }
  /** The last words before the agent leaves, which the model makes of a function's result. */
  | { readonly kind: 'farewell'; readonly departure: Departure }
  /** The rest of what it was saying when it was broken off. */
  | { readonly kind: 'rest'; readonly text: string }

export interface RepliesDeps {
  readonly clock: Clock
  readonly legHz: SampleRateHz
  readonly tally: Tally
  readonly dialogue: Dialogue
  readonly timeoutMs: Milliseconds
  readonly emit: (event: AgentEvent) => void
  /** What a reply that begins now is to be. */
  readonly fate: () => Fate
  /** Asks the server; `again`: of what it was told before, it knows nothing now. */
  readonly ask: (ask: Ask, again: boolean) => void
  /** A server that does not answer is left: another session is asked. */
  readonly startAnew: () => void
  readonly playFiller: () => void
  readonly leave: (departure: Departure) => void
}

type Fate = 'live' | 'held' | 'dropped'

interface Reply {
  fate: Fate
  audible: boolean
  lastAudioMs: Milliseconds
  /** While it is held. */
  readonly held: (string | Int16Array)[]
}

interface Due {
  readonly ask: Ask
  readonly sinceMs: Milliseconds
  attempts: number
  /** Halves of `reply_timeout_ms` that have passed since the first whole one. */
  halves: number
}

/** Audio that stops coming for so long in mid-reply will not go on. */
const stallMs: Milliseconds = 5000
/** What the server says of its slow model every 5 s holds for so long. */
const slowWordMs: Milliseconds = 6000
/** And is believed for so many halves: with 4 s, 24 s after the caller's turn. */
const halvesMax = 10
/** A reply of ten minutes comes in fewer pieces. */
const heldMax = 8192

export class Replies {
  /** False since a reply failed: what can be said without the server is. */
  healthy = true
  /** No reply will come in this call. */
  gaveUp = false
  private readonly deps: RepliesDeps
  private reply: Reply | null = null
  /** A reply that was held has come to its end. */
  private heldDone = false
  /** The reply was broken off by the caller's speech: audio that comes without words is a rest of it. */
  private late = false
  private due: Due | null = null
  private watch: Disposable | null = null
  private stall: Disposable | null = null
  /** When the server last said that its model is slow. */
  private slowMs = Number.NEGATIVE_INFINITY

  constructor(deps: RepliesDeps) {
    this.deps = deps
  }

  get busy(): boolean {
    return this.reply !== null || this.due !== null
  }

  get isDue(): boolean {
    return this.due !== null
  }

  get dueAsk(): Ask | null {
    return this.due?.ask ?? null
  }

  /** One that is wanted is under way. */
  get making(): boolean {
    return this.reply?.fate === 'live'
  }

  get holds(): boolean {
    return this.reply?.fate === 'held'
  }

  /** The server is to make one. */
  request(ask: Ask): void {
    if (this.reply !== null) {
      this.forget(this.reply)
      this.reply = null
      this.late = true
    }
    this.heldDone = false
    this.arm(ask)
    this.deps.ask(ask, false)
  }

  /** The server knew of it, and has forgotten it. */
  askAnew(ask: Ask): void {
    this.arm(ask)
    this.deps.ask(ask, true)
  }

  /** The server makes one by itself. */
  expect(ask: Ask): void {
    if (this.reply?.fate !== 'live') this.arm(ask)
  }

  /** Nothing is wanted any more. `keepHeld`: what is held may still be. */
  drop(keepHeld = false): void {
    this.disarm()
    if (this.reply !== null && !(keepHeld && this.reply.fate === 'held')) this.forget(this.reply)
  }

  dropHeld(): void {
    if (this.reply?.fate !== 'held') return
    this.forget(this.reply)
    if (this.heldDone) this.reply = null
    this.heldDone = false
  }

  /** What was held goes on its way. */
  release(): void {
    const { reply } = this
    if (reply?.fate !== 'held') return
    reply.fate = 'live'
    for (const part of reply.held.splice(0)) {
      if (typeof part === 'string') this.deps.dialogue.sentence(part)
      else this.sound(reply, part)
    }
    if (this.heldDone) this.done()
    this.heldDone = false
  }

  // ── what the server sends ─────────────────────────────────────────────────────────────────────────────────────

  words(text: string): void {
    this.late = false
    const reply = this.begun()
    if (reply.fate === 'held') this.hold(reply, text)
    else if (reply.fate === 'live') this.deps.dialogue.sentence(text)
  }

  audio(samples: Int16Array): void {
    if (this.late) return this.deps.tally.count('late_audio')
    const reply = this.begun()
    if (reply.fate === 'held') this.hold(reply, samples)
    else if (reply.fate === 'live') this.sound(reply, samples)
    else this.deps.tally.count('late_audio')
  }

  audioDone(): void {
    const { reply } = this
    if (reply === null) return
    if (reply.fate === 'held') this.heldDone = true
    else this.done()
  }

  /** The caller is heard: no more of it will come. @returns what of its words is still unsaid */
  brokenOff(): string {
    const { reply } = this
    this.late = true
    if (reply === null) return ''
    this.reply = null
    this.heldDone = false
    this.endStall()
    if (reply.fate !== 'live' || !reply.audible) return ''
    const rest = this.deps.dialogue.replyCut()
    // What has come of it sounds on until it is known what the speech was.
    this.deps.emit({ type: 'reply_done' })
    return rest
  }

  /** The server has said that it could not make the reply. */
  failed(why: string): void {
    const { due } = this
    const { emit, tally, ask } = this.deps
    tally.count(`reply_failed_${why}`)
    if (due === null) return
    this.healthy = false
    if (due.attempts > 0 || due.ask.kind === 'farewell') {
      this.drop()
      if (due.ask.kind === 'farewell') return this.deps.leave(due.ask.departure)
      const message = `the reply failed twice: ${why}`
      return emit({ type: 'fault', code: 'response_failed', message, retryable: true })
    }
    emit({ type: 'incident', code: 'response_failed', message: `the server could not make a reply: ${why}` })
    due.attempts += 1
    ask(due.ask, true)
  }

  modelIsSlow(): void {
    this.slowMs = this.deps.clock.now()
  }

  /** The session is gone, and all that it was making. @returns what of a reply that sounds is still unsaid */
  lost(): string {
    const rest = this.brokenOff()
    this.late = false
    return rest
  }

  /** There is a session again: what is due is asked of it. */
  ready(): void {
    if (this.due !== null) this.deps.ask(this.due.ask, true)
  }

  /** No reply can be had in this call. */
  giveUp(code: string, message: string): void {
    const ask = this.due?.ask
    this.drop()
    this.healthy = false
    if (ask?.kind === 'farewell') return this.deps.leave(ask.departure)
    if (this.gaveUp) return
    this.gaveUp = true
    this.deps.emit({ type: 'fault', code, message, retryable: false, final: true })
  }

  close(): void {
    this.disarm()
    this.endStall()
    this.reply = null
  }

  // ── one reply ─────────────────────────────────────────────────────────────────────────────────────────────────

  private begun(): Reply {
    this.reply ??= { fate: this.deps.fate(), audible: false, lastAudioMs: 0, held: [] }
    return this.reply
  }

  private hold(reply: Reply, part: string | Int16Array): void {
    // Audio may lie on bytes that are not ours to keep.
    if (reply.held.length < heldMax) reply.held.push(typeof part === 'string' ? part : part.slice())
  }

  private sound(reply: Reply, samples: Int16Array): void {
    const { clock, legHz, dialogue, emit } = this.deps
    reply.lastAudioMs = clock.now()
    if (!reply.audible) this.begins(reply)
    dialogue.audio(samplesToMs(samples.length, legHz))
    emit({ type: 'audio', frame: { sampleRateHz: legHz, samples } })
  }

  private begins(reply: Reply): void {
    const { clock, emit } = this.deps
    const { due } = this
    reply.audible = true
    this.healthy = true
    // A farewell stays due until it has been said.
    if (due?.ask.kind === 'farewell') this.endWatch()
    else this.disarm()
    emit({ type: 'reply_started' })
    if (due !== null) emit({ type: 'stage', stage: 'tts_first_audio', durationMs: clock.now() - due.sinceMs })
    this.watchStall(reply)
  }

  private done(): void {
    const { reply, due } = this
    if (reply === null) return
    this.reply = null
    this.endStall()
    if (reply.fate !== 'live') return
    this.deps.dialogue.replyDone()
    if (reply.audible) this.deps.emit({ type: 'reply_done' })
    else if (due !== null) return this.failed('empty')
    if (due?.ask.kind !== 'farewell') return
    this.disarm()
    this.deps.leave(due.ask.departure)
  }

  /** What comes of it is nothing. */
  private forget(reply: Reply): void {
    reply.fate = 'dropped'
    reply.held.length = 0
    this.endStall()
  }

  private watchStall(reply: Reply): void {
    const { clock } = this.deps
    this.stall = clock.after(stallMs - (clock.now() - reply.lastAudioMs), () => {
      if (this.reply !== reply || reply.fate !== 'live') return
      if (clock.now() - reply.lastAudioMs >= stallMs) this.stalled()
      else this.watchStall(reply)
    })
  }

  private stalled(): void {
    const { emit, leave } = this.deps
    const ask = this.due?.ask
    emit({ type: 'incident', code: 'reply_stalled', message: `no audio for ${stallMs} ms in mid-reply` })
    const rest = this.brokenOff()
    this.disarm()
    if (ask?.kind === 'farewell') leave(ask.departure)
    else if (rest !== '') this.request({ kind: 'rest', text: rest })
  }

  private endStall(): void {
    this.stall?.[Symbol.dispose]()
    this.stall = null
  }

  // ── never mute ────────────────────────────────────────────────────────────────────────────────────────────────

  private arm(ask: Ask): void {
    const { clock, timeoutMs } = this.deps
    this.disarm()
    const due: Due = { ask, sinceMs: clock.now(), attempts: 0, halves: 0 }
    this.due = due
    this.watch = clock.after(timeoutMs, () => this.lateReply(due))
  }

  private lateReply(due: Due): void {
    const { emit, playFiller, timeoutMs, clock } = this.deps
    if (due.ask.kind === 'farewell') return this.giveUp('timeout', `no farewell within ${timeoutMs} ms`)
    const { halves } = due
    due.halves += 1
    if (halves === 0) {
      this.healthy = false
      emit({ type: 'incident', code: 'reply_timeout', message: `no reply within ${timeoutMs} ms` })
    }
    this.watch = clock.after(timeoutMs / 2, () => this.lateReply(due))
    if (halves % 2 === 0) playFiller()
    else if (halves < halvesMax && clock.now() - this.slowMs < slowWordMs) return
    else if (due.attempts === 0) {
      due.attempts = 1
      this.deps.startAnew()
    } else this.giveUp('timeout', 'no reply, and none of another session')
  }

  private endWatch(): void {
    this.watch?.[Symbol.dispose]()
    this.watch = null
  }

  private disarm(): void {
    this.due = null
    this.endWatch()
  }
}
