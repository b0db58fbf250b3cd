import type { AgentEvent, Departure } from '#agent/provider.ts'
import type { Tally } from '#agent/tally.ts'
import { type SampleRateHz, samplesToMs } from '#audio/format.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Ask } from './asking.ts'
import type { Dialogue } from './dialogue.ts'
import { DueReply } from './due-reply.ts'

/**
 * The replies of one call: passes on what is wanted, holds what may be, drops the rest; and sees to it that the caller is
 * never left in silence (`due-reply.ts`). The server's replies have no names: one begins with its words, and ends with `AgentAudioDone` or
 * with the caller's speech, after which audio without new words is a rest of it.
 */
export interface RepliesDeps {
  readonly clock: Clock
  readonly legHz: SampleRateHz
  readonly tally: Tally
  readonly dialogue: Dialogue
  readonly timeoutMs: Milliseconds
  readonly emit: (event: AgentEvent) => void
  /** What a reply that begins now is to be. @param words its first; null where its sound came before them */
  readonly fate: (words: string | null) => Fate
  /** These words begin what was ordered, whatever is being said. */
  readonly ordered: (words: string) => boolean
  /** The caller hears something, and no filler. */
  readonly occupied: () => boolean
  /** A function runs. */
  readonly works: () => boolean
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

/** Audio that stops coming for so long in mid-reply will not go on; nor for longer than a reply may take to begin. */
const stallMaxMs: Milliseconds = 5000
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
  /** To be expected once the reply that is being made is over, unless it is that already. */
  private next: Ask | null = null
  private readonly due: DueReply
  private stall: Disposable | null = null

  constructor(deps: RepliesDeps) {
    this.deps = deps
    const { clock, timeoutMs, occupied, works, playFiller, startAnew } = deps
    this.due = new DueReply({
      clock,
      timeoutMs,
      occupied,
      works,
      late: () => this.isLate(),
      playFiller,
      startAnew,
      giveUp: (message) => this.giveUp('timeout', message),
    })
  }

  get busy(): boolean {
    return this.reply !== null || this.isDue
  }

  get isDue(): boolean {
    return this.due.now !== null
  }

  get dueAsk(): Ask | null {
    return this.due.now?.ask ?? null
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
    this.next = null
    this.due.arm(ask)
    this.deps.ask(ask, false)
  }

  /** The server knew of it, and has forgotten it. */
  askAnew(ask: Ask): void {
    this.due.arm(ask)
    this.deps.ask(ask, true)
  }

  /** The server makes one by itself. */
  expect(ask: Ask): void {
    if (this.reply?.fate !== 'live' || ask.kind === 'farewell') return this.due.arm(ask)
    // What is being said may be it, or come before it.
    this.next = ask
    if (!this.isDue && !this.reply.audible) this.due.arm(ask)
  }

  /** Nothing is wanted any more. `keepHeld`: what is held may still be. */
  drop(keepHeld = false): void {
    this.due.disarm()
    this.next = null
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
    else if (!reply.audible) this.due.arm({ kind: 'turn' })
    this.heldDone = false
  }

  // ── what the server sends ─────────────────────────────────────────────────────────────────────────────────────

  words(text: string): void {
    this.late = false
    this.next = null
    if (this.reply !== null && this.deps.ordered(text)) this.end(this.reply)
    const reply = this.begun(text)
    if (reply.fate === 'held') this.hold(reply, text)
    else if (reply.fate === 'live') this.deps.dialogue.sentence(text)
  }

  audio(samples: Int16Array): void {
    if (this.late) return this.deps.tally.count('late_audio')
    const reply = this.begun(null)
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
    this.next = null
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

  /** The caller speaks over a farewell, which nobody interrupts: the rest of its words is asked for. */
  goOnSaying(): void {
    const { reply } = this
    if (reply?.fate !== 'live' || !reply.audible) return
    const text = this.deps.dialogue.replyCut()
    if (text === '') return this.done()
    this.late = true
    this.deps.ask({ kind: 'rest', text }, false)
  }

  /** The server has said that it could not make the reply. */
  failed(why: string): void {
    const due = this.due.now
    const { emit, tally, ask } = this.deps
    tally.count(`reply_failed_${why}`)
    if (due === null) return
    this.healthy = false
    if (this.reply?.fate === 'live' && !this.reply.audible) this.end(this.reply)
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
    this.due.modelIsSlow()
  }

  /** The caller has heard all that there was. */
  heard(): void {
    this.due.heard()
  }

  /** The session is gone, and all that it was making. @returns what of a reply that sounds is still unsaid */
  lost(): string {
    const rest = this.brokenOff()
    this.late = false
    return rest
  }

  /** There is a session again: what is due is asked of it. */
  ready(): void {
    const due = this.due.now
    if (due !== null) this.deps.ask(due.ask, true)
  }

  /** No reply can be had in this call. */
  giveUp(code: string, message: string): void {
    const ask = this.dueAsk
    this.drop()
    this.healthy = false
    if (ask?.kind === 'farewell') return this.deps.leave(ask.departure)
    if (this.gaveUp) return
    this.gaveUp = true
    this.deps.emit({ type: 'fault', code, message, retryable: false, final: true })
  }

  close(): void {
    this.due.disarm()
    this.endStall()
    this.reply = null
  }

  // ── one reply ─────────────────────────────────────────────────────────────────────────────────────────────────

  private begun(words: string | null): Reply {
    this.reply ??= { fate: this.deps.fate(words), audible: false, lastAudioMs: 0, held: [] }
    return this.reply
  }

  private hold(reply: Reply, part: string | Int16Array): void {
    // Audio may lie on bytes that are not ours to keep.
    if (reply.held.length < heldMax) reply.held.push(typeof part === 'string' ? part : part.slice())
  }

  private sound(reply: Reply, samples: Int16Array): void {
    const { clock, legHz, dialogue, emit, leave } = this.deps
    reply.lastAudioMs = clock.now()
    const ask = this.dueAsk
    const begins = !reply.audible
    if (begins) this.begins(reply)
    dialogue.audio(samplesToMs(samples.length, legHz))
    emit({ type: 'audio', frame: { sampleRateHz: legHz, samples } })
    if (begins && ask?.kind === 'farewell') leave(ask.departure)
  }

  private begins(reply: Reply): void {
    const { clock, emit } = this.deps
    const due = this.due.now
    reply.audible = true
    this.healthy = true
    this.due.disarm()
    emit({ type: 'reply_started' })
    if (due !== null) emit({ type: 'stage', stage: 'tts_first_audio', durationMs: clock.now() - due.sinceMs })
    this.watchStall(reply)
  }

  private done(): void {
    const { reply, next } = this
    if (reply === null) return
    this.end(reply)
    if (reply.fate !== 'live') return
    if (!reply.audible) return this.failed('empty')
    if (next !== null) this.due.arm(next)
  }

  /** No more of it will come. */
  private end(reply: Reply): void {
    this.reply = null
    this.next = null
    this.heldDone = false
    this.endStall()
    if (reply.fate !== 'live') return this.forget(reply)
    this.deps.dialogue.replyDone()
    if (reply.audible) this.deps.emit({ type: 'reply_done' })
  }

  /** What comes of it is nothing. */
  private forget(reply: Reply): void {
    reply.fate = 'dropped'
    reply.held.length = 0
    this.endStall()
  }

  private watchStall(reply: Reply): void {
    const { clock, timeoutMs } = this.deps
    const stallMs = Math.min(stallMaxMs, timeoutMs)
    this.stall = clock.after(stallMs - (clock.now() - reply.lastAudioMs), () => {
      if (this.reply !== reply || reply.fate !== 'live') return
      if (clock.now() - reply.lastAudioMs >= stallMs) this.stalled(stallMs)
      else this.watchStall(reply)
    })
  }

  private stalled(stallMs: Milliseconds): void {
    const { next } = this
    this.deps.emit({ type: 'incident', code: 'reply_stalled', message: `no audio for ${stallMs} ms in mid-reply` })
    const rest = this.brokenOff()
    this.due.disarm()
    if (rest !== '') this.request({ kind: 'rest', text: rest })
    else if (next !== null) this.due.arm(next)
  }

  private endStall(): void {
    this.stall?.[Symbol.dispose]()
    this.stall = null
  }

  private isLate(): void {
    this.healthy = false
    const message = `no reply within ${this.deps.timeoutMs} ms`
    this.deps.emit({ type: 'incident', code: 'reply_timeout', message })
  }
}
