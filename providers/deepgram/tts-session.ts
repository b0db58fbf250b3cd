import type { Accepted, CallContext, SessionOf, TtsEvent, TtsInput } from '#agent/provider.ts'
import { SessionLife } from '#agent/session-life.ts'
import type { Tally } from '#agent/tally.ts'
import type { OpenSocket } from '#agent/wire-socket.ts'
import { type SampleRateHz, samplesToMs } from '#audio/format.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import type { Account } from './account.ts'
import { FlushBudget } from './flush-budget.ts'
import { Link } from './link.ts'
import type { DeepgramOptions } from './options.ts'
import { speakUrl } from './speak-url.ts'
import { readSpeakMessage } from './speak-wire.ts'
import { SpokenPieces } from './spoken-pieces.ts'
import { Decoder, wireAudio } from './wire-audio.ts'

/**
 * The voice of one call over Aura's socket, one connection for the call. A sentence is sent with a flush of its own, so
 * that it is spoken at once; where the server's limit of flushes comes near, the sentences that gather while others are
 * heard share one. An interruption clears: audio from then to `Cleared` is nobody's.
 */
export interface TtsDeps {
  readonly options: DeepgramOptions
  readonly account: Account
  readonly openSocket: OpenSocket
  readonly random: Random
  readonly log: Log
  readonly tally: Tally
}

/** A reply of more sentences than this, unspoken, is a model that runs away. */
const queueMax = 64
/** Of the flushes that are left, so many are for one sentence each; the rest is shared. */
const reserve = 6
/** `Cleared` that does not come by then will not come: another connection knows nothing of what was cleared. */
const clearMaxMs: Milliseconds = 2000
/** Sentences that share a flush are sent so long before the caller has heard those before them. */
const aheadMs: Milliseconds = 1500
/** What one message may hold. */
const lettersMax = 1800

export class TtsSession implements SessionOf<'tts'> {
  private readonly deps: TtsDeps
  private readonly clock: Clock
  private readonly log: Log
  private readonly sampleRateHz: SampleRateHz
  private readonly life: SessionLife
  private readonly link: Link
  private readonly decoder: Decoder
  private readonly budget: FlushBudget
  private readonly pieces = new SpokenPieces()
  private listener: (event: TtsEvent) => void = () => {}
  /** Not sent yet. */
  private queue: string[] = []
  /** Sent, each with its flush; the first one is being spoken. */
  private flushed: (readonly string[])[] = []
  /** Between `Clear` and `Cleared`. */
  private clearing: Disposable | null = null
  private deadline: Disposable | null = null
  private later: Disposable | null = null
  /** When the caller will have heard all that has come, if they heard it from its first moment on. */
  private heardAtMs: Milliseconds = 0
  /** Those that the server has not answered. */
  private clears = 0
  private pumping = false
  /** A sentence whose connection broke while it was spoken: its rest is spoken over another, once. */
  private cut: { readonly whole: string; readonly rest: string } | null = null
  private hopeless: { readonly code: string; readonly why: string } | null = null

  constructor(deps: TtsDeps, context: CallContext) {
    const { options, account, openSocket, random, tally } = deps
    const { clock } = context
    this.deps = deps
    this.clock = clock
    this.sampleRateHz = context.sampleRateHz
    this.log = deps.log.with({ part: 'deepgram_tts', call: context.callId })
    this.budget = new FlushBudget(clock)
    const wire = wireAudio(options.encoding, context)
    this.decoder = new Decoder(wire)
    this.link = new Link(
      {
        clock,
        random,
        account,
        openSocket,
        tally,
        timeoutMs: options.connect_timeout_ms,
        url: speakUrl(account.socketUrl, options, wire, false),
      },
      {
        opened: () => this.link.agreed(),
        ready: () => this.ready(),
        message: (text) => this.received(text),
        audio: (bytes) => this.audio(bytes),
        lost: (code, why) => this.lost(code, why),
        refused: (code, why, hopeless) => this.refused(code, why, hopeless),
      },
    )
    this.life = new SessionLife(context.signal, () => this.end())
    this.link.open()
  }

  onEvent(listener: (event: TtsEvent) => void): void {
    this.listener = listener
  }

  send(input: TtsInput): Accepted {
    if (this.life.over) return 'closed'
    if (input.type === 'cancel') {
      this.cancel()
      return 'sent'
    }
    if (this.queue.length + this.flushed.length >= queueMax) return 'full'
    this.queue.push(input.text)
    this.arm()
    this.pumpSoon()
    return 'sent'
  }

  close(): Promise<void> {
    return this.life.close()
  }

  private async end(): Promise<void> {
    this.forget()
    this.clearing?.[Symbol.dispose]()
    this.link.send({ type: 'Close' })
    this.link.close()
    const { listener } = this
    this.listener = () => {}
    listener({ type: 'closed' })
  }

  // ── what is to be spoken ──────────────────────────────────────────────────────────────────────────────────────

  /** The sender hears nothing of a sentence from within its own `send`. */
  private pumpSoon(): void {
    if (this.pumping) return
    this.pumping = true
    void Promise.resolve().then(() => {
      this.pumping = false
      if (!this.life.over) this.pump()
    })
  }

  private pump(): void {
    if (this.queue.length === 0) return
    if (this.hopeless !== null) return this.fault(this.hopeless.code, this.hopeless.why)
    while (this.queue.length > 0 && this.link.ready) {
      if (this.budget.left > reserve) this.speak([this.queue.shift() ?? ''])
      // The next flush that is through comes back here.
      else if (this.flushed.length > 0) return
      else {
        const waitMs = Math.max(this.budget.waitMs, this.heardAtMs - aheadMs - this.clock.now())
        if (waitMs > 0) return this.wait(waitMs)
        this.speak(this.gathered())
      }
    }
  }

  private wait(durationMs: Milliseconds): void {
    this.disarm()
    this.later ??= this.clock.after(durationMs, () => this.again())
  }

  private again(): void {
    this.later = null
    this.pump()
  }

  /** As many of the sentences that wait as one message can hold. */
  private gathered(): string[] {
    const texts = this.queue.splice(0, 1)
    let letters = texts[0]?.length ?? 0
    while (letters + (this.queue[0]?.length ?? lettersMax) < lettersMax) {
      const [next = ''] = this.queue.splice(0, 1)
      letters += next.length + 1
      texts.push(next)
    }
    return texts
  }

  private speak(texts: readonly string[]): void {
    this.budget.spend()
    if (texts.length > 1) this.deps.tally.count('sentences_joined', texts.length)
    this.link.send({ type: 'Speak', text: texts.join(' ') })
    this.link.send({ type: 'Flush' })
    this.flushed.push(texts)
    if (this.flushed.length === 1) this.pieces.begin(texts)
    this.arm()
  }

  private cancel(): void {
    const wasSpeaking = this.flushed.length > 0
    this.forget()
    if (!wasSpeaking || !this.link.send({ type: 'Clear' })) return
    this.clears += 1
    this.clearing?.[Symbol.dispose]()
    this.clearing = this.clock.after(clearMaxMs, () => {
      this.cleared()
      this.deps.tally.count('clear_timeout')
      // Of what was sent behind it nothing has been heard: it goes over the next one.
      if (this.flushed.length > 0) this.broken('timeout', 'a clear is not answered', true)
      this.link.renew()
    })
  }

  /** What comes from now on is of what was sent last. */
  private cleared(): void {
    this.clears = 0
    this.clearing?.[Symbol.dispose]()
    this.clearing = null
  }

  private forget(): void {
    this.queue = []
    this.flushed = []
    this.cut = null
    this.pieces.drop()
    this.decoder.reset()
    this.heardAtMs = 0
    this.disarm()
    this.later?.[Symbol.dispose]()
    this.later = null
  }

  // ── what the server says ──────────────────────────────────────────────────────────────────────────────────────

  private audio(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.clearing !== null || this.flushed.length === 0) return this.deps.tally.count('late_audio')
    const samples = this.decoder.decode(bytes)
    if (samples.length === 0) return
    const durationMs = samplesToMs(samples.length, this.sampleRateHz)
    this.heardAtMs = Math.max(this.heardAtMs, this.clock.now()) + durationMs
    this.arm()
    for (const text of this.pieces.audio(durationMs)) this.tell(text)
    // Whoever was told of a sentence may have had enough.
    if (this.flushed.length > 0) this.listener({ type: 'audio', frame: { sampleRateHz: this.sampleRateHz, samples } })
  }

  private received(text: string): void {
    const { tally } = this.deps
    const message = readSpeakMessage(text)
    if (message === 'unknown' || message === 'malformed') return tally.count(`${message}_message`)
    switch (message.type) {
      case 'flushed':
        return this.spoken()
      case 'cleared':
        // Another one is on its way: what comes until then was cancelled, too.
        if (this.clears > 1) this.clears -= 1
        else this.cleared()
        if (this.flushed.length > 0) this.arm()
        return
      case 'warning':
        tally.count(`warning_${message.code}`)
        return this.log.warn('the voice warns', { code: message.code })
      case 'error':
        tally.count(`error_${message.code}`)
        return this.link.fail('server_error', `the voice failed: ${message.code}`, false)
      case 'acknowledged':
        return
    }
  }

  /** One flush is through. */
  private spoken(): void {
    if (this.clearing !== null || this.flushed.length === 0) return
    this.flushed.shift()
    this.decoder.reset()
    const told = this.pieces.end()
    const [next] = this.flushed
    if (next !== undefined) this.pieces.begin(next)
    this.arm()
    // Whoever listens may cancel, or have more to say.
    for (const text of told) this.tell(text)
    if (!this.life.over) this.pump()
  }

  /** A sentence is over. */
  private tell(text: string): void {
    const { cut } = this
    if (text === cut?.rest) this.cut = null
    this.listener({ type: 'spoken', text: text === cut?.rest ? cut.whole : text })
  }

  private fault(code: string, message: string): void {
    this.forget()
    this.listener({ type: 'fault', code, message, retryable: this.hopeless === null })
  }

  /** Something is to be spoken: its audio is due. */
  private arm(): void {
    this.disarm()
    if (this.queue.length === 0 && this.flushed.length === 0) return
    // What is held back does not hang.
    if (this.flushed.length === 0 && this.later !== null) return
    const { reply_timeout_ms: maxMs } = this.deps.options
    this.deadline = this.clock.after(maxMs, () => {
      const sent = this.flushed.length > 0
      if (sent) this.broken('timeout', `no audio of the voice within ${maxMs} ms`, this.pieces.audible)
      else this.fault('timeout', `no audio of the voice within ${maxMs} ms`)
      // A socket that hangs stays so.
      if (sent) this.link.renew()
    })
  }

  private disarm(): void {
    this.deadline?.[Symbol.dispose]()
    this.deadline = null
  }

  // ── the connection ────────────────────────────────────────────────────────────────────────────────────────────

  private ready(): void {
    this.hopeless = null
    this.cleared()
    this.budget.reset()
    this.pump()
  }

  private lost(code: string, why: string): void {
    this.log.warn('the voice is lost, and is made anew', { code, why })
    this.cleared()
    if (this.flushed.length > 0) this.broken(code, why, true)
  }

  /** What was sent is spoken over another connection: what nobody has heard, and of what was begun the rest, once. */
  private broken(code: string, why: string, again: boolean): void {
    const { audible, rest, waiting } = this.pieces
    const [whole = ''] = waiting
    if (!again || (audible && (this.cut !== null || rest === ''))) return this.fault(code, why)
    const current = audible ? [rest, ...waiting.slice(1)] : waiting
    if (audible) this.cut = { whole, rest }
    this.queue = [...current, ...this.flushed.slice(1).flat(), ...this.queue]
    this.flushed = []
    this.pieces.drop()
    this.decoder.reset()
    this.arm()
  }

  private refused(code: string, why: string, hopeless: boolean): void {
    this.log.warn('no voice could be opened', { code, why })
    this.hopeless = hopeless ? { code, why } : null
    if (hopeless && this.queue.length > 0) this.fault(code, why)
  }
}
