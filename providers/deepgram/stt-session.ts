import type { Accepted, CallContext, SessionOf, SttEvent, SttInput } from '#agent/provider.ts'
import { SessionLife } from '#agent/session-life.ts'
import type { Tally } from '#agent/tally.ts'
import type { OpenSocket } from '#agent/wire-socket.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import type { Account } from './account.ts'
import { CallerAudio } from './caller-audio.ts'
import { FluxTurns, type HeardTurn, NovaTurn } from './heard-turn.ts'
import { Link } from './link.ts'
import { isFlux, listenUrl } from './listen-url.ts'
import { type FluxTurn, type ListenMessage, type ListenResults, readListenMessage } from './listen-wire.ts'
import type { DeepgramOptions } from './options.ts'
import { silence, type WireAudio, wireAudio } from './wire-audio.ts'

/**
 * The recognition of one call. The engine sends turns only, each with a little of what was before; the stream stays open
 * between them. When a turn is over its words are mostly there by then: the server has told how far it has recognised, and
 * only where that is short of the caller's last sound it is asked to finish (nova: `Finalize`) or waited for (Flux).
 *
 * What the server makes of a pause is told as `turn_end`: `speech_final` and the end of an utterance by nova, the end of a
 * turn by Flux, whose early guess counts as well where it is switched on.
 */
export interface SttDeps {
  readonly options: DeepgramOptions
  readonly account: Account
  readonly openSocket: OpenSocket
  readonly random: Random
  readonly log: Log
  readonly tally: Tally
}

/** A stream that hears nothing for about 10 s is closed: silence is told in between. */
const keepAliveMs: Milliseconds = 4000
/** Flux has no message for that: it hears some silence. As much goes into one message as its documentation asks for. */
const fluxChunkMs: Milliseconds = 80

/** A server that has had a caller's audio for so long, and has said nothing of it, hangs. */
const deafMs: Milliseconds = 2500

interface Asked {
  /** The audio whose words are wanted. */
  beganMs: Milliseconds
  untilMs: Milliseconds
  timer: Disposable | null
}

export class SttSession implements SessionOf<'stt'> {
  private readonly deps: SttDeps
  private readonly clock: Clock
  private readonly log: Log
  private readonly wire: WireAudio
  private readonly flux: FluxTurns | null
  private readonly nova: NovaTurn | null
  private readonly link: Link
  private readonly audio: CallerAudio
  private readonly life: SessionLife
  private readonly quiet: Uint8Array<ArrayBuffer>
  private listener: (event: SttEvent) => void = () => {}
  /** Finals that were asked for, in order. */
  private asked: Asked[] = []
  /** Where the caller's last sound was, in the stream's own time; null while they speak. */
  private stoppedMs: Milliseconds | null = null
  /** Where the turn's first sound was: what was recognised before it says nothing of the turn. */
  private beganMs: Milliseconds = -1
  private lastAudioMs = 0
  /** When the first audio went of which the server has said nothing yet; null: there is none. */
  private unheardSinceMs: Milliseconds | null = null
  private idle: Disposable | null = null
  private hopeless: { readonly code: string; readonly why: string } | null = null

  constructor(deps: SttDeps, context: CallContext) {
    const { options, account, openSocket, random, tally } = deps
    const { clock } = context
    this.deps = deps
    this.clock = clock
    this.log = deps.log.with({ part: 'deepgram_stt', call: context.callId })
    this.wire = wireAudio(options.encoding, context)
    this.flux = isFlux(options.listen.model) ? new FluxTurns() : null
    this.nova = this.flux === null ? new NovaTurn() : null
    this.quiet = silence(this.flux === null ? 20 : fluxChunkMs, this.wire)
    this.link = new Link(
      {
        clock,
        random,
        account,
        openSocket,
        tally,
        timeoutMs: options.connect_timeout_ms,
        url: listenUrl(account.socketUrl, options, this.wire, context),
      },
      {
        opened: () => this.link.agreed(),
        ready: () => this.ready(),
        message: (text) => this.received(text),
        audio: () => tally.count('unknown_message'),
        lost: (code, why) => this.lost(code, why),
        refused: (code, why, hopeless) => this.refused(code, why, hopeless),
      },
    )
    this.audio = new CallerAudio({
      audio: this.wire,
      chunkMs: this.flux === null ? options.chunk_ms : fluxChunkMs,
      send: (bytes) => this.link.audio(bytes),
      dropped: () => tally.count('caller_audio_dropped'),
      repeats: true,
    })
    this.life = new SessionLife(context.signal, () => this.end())
    this.link.open()
  }

  onEvent(listener: (event: SttEvent) => void): void {
    this.listener = listener
  }

  send(input: SttInput): Accepted {
    if (this.life.over) return 'closed'
    switch (input.type) {
      case 'audio':
        this.lastAudioMs = this.clock.now()
        this.unheardSinceMs ??= this.lastAudioMs
        this.audio.push(input.frame)
        return 'sent'
      case 'speech_started':
        // A pause in the midst of it is none of its ends.
        if (this.beganMs < 0) this.beganMs = Math.max(0, this.audio.sentMs - input.agoMs)
        this.stoppedMs = null
        return 'sent'
      case 'speech_stopped':
        this.audio.flush()
        this.stoppedMs = this.audio.sentMs
        return 'sent'
      case 'finalize':
        this.finalize()
        return 'sent'
    }
  }

  close(): Promise<void> {
    return this.life.close()
  }

  private async end(): Promise<void> {
    this.idle?.[Symbol.dispose]()
    for (const { timer } of this.asked.splice(0)) timer?.[Symbol.dispose]()
    this.link.send({ type: 'CloseStream' })
    this.link.close()
    const { listener } = this
    this.listener = () => {}
    listener({ type: 'closed' })
  }

  private get heard(): HeardTurn {
    return this.flux ?? (this.nova as NovaTurn)
  }

  // ── the words that are wanted ─────────────────────────────────────────────────────────────────────────────────

  private finalize(): void {
    this.audio.flush()
    const asked: Asked = { beganMs: this.beganMs, untilMs: this.stoppedMs ?? this.audio.sentMs, timer: null }
    this.stoppedMs = null
    this.beganMs = -1
    this.asked.push(asked)
    asked.timer = this.clock.after(this.deps.options.listen.finalize_timeout_ms, () => this.tooLate(asked))
    // Whoever asks hears nothing of the answer before the question returns.
    void Promise.resolve().then(() => {
      if (this.life.over) return
      if (this.hopeless !== null) return this.failed(this.hopeless.code, this.hopeless.why)
      this.answerIfComplete()
      if (this.nova !== null && this.asked.includes(asked)) this.link.send({ type: 'Finalize' })
    })
  }

  private answerIfComplete(): void {
    const [first] = this.asked
    if (first === undefined || this.heard.coveredMs <= first.beganMs) return
    if (this.heard.complete(first.untilMs)) this.answer(first)
  }

  private answer(asked: Asked): void {
    asked.timer?.[Symbol.dispose]()
    this.asked = this.asked.filter((each) => each !== asked)
    const text = this.heard.take(asked.untilMs)
    // It has been answered for: another stream need not hear it.
    this.audio.confirm(asked.untilMs)
    this.listener({ type: 'transcript', final: true, text })
  }

  private tooLate(asked: Asked): void {
    if (!this.link.ready) return this.failed('unreachable', 'there is no connection to the recognition')
    this.deps.tally.count('finalize_timeout')
    const deafSinceMs = this.unheardSinceMs ?? this.clock.now()
    if (this.clock.now() - deafSinceMs >= deafMs) return this.hangs()
    this.log.debug('words are late: the turn goes on with those that are there')
    // Those before it will not come either.
    for (const each of [...this.asked]) {
      this.answer(each)
      if (each === asked) return
    }
  }

  /** Another stream is made, which is not told what nobody waits for any more. */
  private hangs(): void {
    const untilMs = this.audio.sentMs
    this.failed('timeout', 'the recognition says nothing')
    this.audio.confirm(untilMs)
    this.lost('timeout', 'the recognition says nothing')
    this.link.renew()
  }

  /** Every final that was asked for comes, empty. */
  private failed(code: string, message: string): void {
    if (this.asked.length === 0) return
    this.listener({ type: 'fault', code, message, retryable: this.hopeless === null })
    for (const asked of this.asked.splice(0)) {
      asked.timer?.[Symbol.dispose]()
      this.listener({ type: 'transcript', final: true, text: '' })
    }
  }

  // ── what the server says ──────────────────────────────────────────────────────────────────────────────────────

  private received(text: string): void {
    const { tally } = this.deps
    const message: ListenMessage | 'unknown' | 'malformed' = readListenMessage(text)
    if (message === 'unknown' || message === 'malformed') {
      this.log.debug('a message of the server that is passed over', { why: message })
      return tally.count(`${message}_message`)
    }
    this.unheardSinceMs = null
    switch (message.type) {
      case 'results':
        return this.results(message)
      case 'turn':
        return this.turn(message)
      case 'utterance_end':
        return this.turnEnd(true)
      case 'error':
        tally.count(`error_${message.code}`)
        return this.link.fail('server_error', `the recognition failed: ${message.code}`, false)
      case 'acknowledged':
        return
    }
  }

  private results(results: ListenResults): void {
    const { nova } = this
    if (nova === null) return
    const fresh = nova.results(results)
    this.audio.confirm(nova.coveredMs)
    const [asked] = this.asked
    // A late answer to the turn before ends before this one has begun.
    if (results.fromFinalize && asked !== undefined && results.endMs > asked.beganMs) this.answer(asked)
    else this.told(fresh)
    if (results.speechFinal && !results.fromFinalize) this.turnEnd(true)
  }

  private turn(info: FluxTurn): void {
    const { flux } = this
    if (flux === null) return
    const wasOpen = flux.open
    const fresh = flux.info(info)
    this.audio.confirm(flux.coveredMs)
    // It ends a turn by silence that it can hear, and the engine sends none behind a turn.
    if (flux.open && !wasOpen) this.fillIn(fluxChunkMs)
    this.told(fresh)
    if (info.event === 'eager_end' || info.event === 'end') this.turnEnd(true)
    else if (info.event === 'resumed') this.turnEnd(false)
  }

  private told(fresh: boolean): void {
    this.answerIfComplete()
    const { text } = this.heard
    if (fresh && text !== '') this.listener({ type: 'transcript', final: false, text })
  }

  /** Nothing was said, or all of it has been answered: then it is the end of nothing. */
  private turnEnd(done: boolean): void {
    if (!done || this.heard.text !== '') this.listener({ type: 'turn_end', done })
  }

  // ── the connection ────────────────────────────────────────────────────────────────────────────────────────────

  private ready(): void {
    this.hopeless = null
    this.audio.ready()
    // KeepAlive counts only once there was audio.
    this.audio.insert(this.quiet)
    // What the old stream called a place is in this one behind all that was said again.
    if (this.stoppedMs !== null) this.stoppedMs = this.audio.sentMs
    if (this.beganMs > 0) this.beganMs = 0
    for (const asked of this.asked) {
      asked.beganMs = 0
      asked.untilMs = this.audio.sentMs
    }
    if (this.nova !== null && this.asked.length > 0) this.link.send({ type: 'Finalize' })
    this.fillIn(keepAliveMs)
  }

  private lost(code: string, why: string): void {
    this.log.warn('the recognition is lost, and is made anew', { code, why })
    this.idle?.[Symbol.dispose]()
    this.idle = null
    this.unheardSinceMs = null
    this.heard.restart()
    this.audio.lost()
  }

  private refused(code: string, why: string, hopeless: boolean): void {
    this.log.warn('no recognition could be opened', { code, why })
    this.hopeless = hopeless ? { code, why } : null
    if (hopeless) this.failed(code, why)
  }

  // ── silence ───────────────────────────────────────────────────────────────────────────────────────────────────

  private fillIn(durationMs: Milliseconds): void {
    this.idle?.[Symbol.dispose]()
    this.idle = this.clock.after(durationMs, () => this.fill())
  }

  private fill(): void {
    const silentMs = this.clock.now() - this.lastAudioMs
    const open = this.flux?.open === true
    if (this.flux === null && silentMs >= keepAliveMs) this.link.send({ type: 'KeepAlive' })
    if (this.flux !== null && silentMs >= (open ? 2 * fluxChunkMs : keepAliveMs)) {
      this.audio.flush()
      this.audio.insert(this.quiet)
    }
    this.fillIn(open ? fluxChunkMs : keepAliveMs)
  }
}
