import { type AudioFormat, type AudioFrame, ptimeMs, type WireFormat, wireRatesHz } from '#audio/format.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import { type HangupCause, type Leg, type LegEvent, type LegStats, noLegStats, type Sent } from '#call/leg.ts'
import {
  type ControlForm,
  commandText,
  formOf,
  type MediaCommand,
  type MediaEvent,
  parseMediaEvent,
} from './media-websocket.ts'
import { AheadAccount, MarkTrail } from './media-websocket-ahead.ts'
import { isSounding, MediaMessages } from './media-websocket-audio.ts'
import { StatusQuestions } from './media-websocket-status.ts'

/**
 * One chan_websocket connection as a leg, whoever connected to whom. Asterisk plays what it is sent by a timer of its own,
 * out of a queue that never shrinks by itself; so the leg keeps account of that queue and leaves out silent frames while
 * too much is ahead. A caller hears every word, and pauses that are some frames shorter.
 *
 * The leg opens with MEDIA_START, or with the first audio: Asterisk has been seen to send that first (asterisk#1712).
 */

/** More than this ahead inside Asterisk, and silent frames are left out … */
const aheadHighMs = 60
/** … until no more than this is: a frame must be there when Asterisk's timer asks for one. */
const aheadLowMs = 30
/** Beyond, frames that sound are refused as well: a click is less of an evil than an agent who answers late. */
const aheadMaxMs = 100
/** Bytes that may wait for a peer that does not read: 200 ms of audio. Beyond, frames are dropped and counted. */
const waitingFramesMax = 10
/** How long a peer may refuse every byte before it counts as gone. */
const stuckMs = 5000
/** As for AudioSocket: so much faster than real time, and so much at once, may a peer send after its network stood still. */
const floodShare = 1.5
const floodSlackMs = 5000
/** Texts come once a second, and with every digit and mark (five a second): more than this for long is no Asterisk. */
const textsPerSecondMax = 20
const textsSlack = 200
/** How long a closing connection may take to say goodbye. */
const closingMs = 1000

/** Why the far side's connection was ended by us; a metric label. */
export type MediaViolation = 'format_mismatch' | 'flood'

export interface MediaLegCounters {
  /** Frames dropped since the peer did not read, or had too much to play. */
  framesRefused: number
  /** Silent ones left out, since Asterisk's queue had grown. */
  framesShed: number
  /** Times Asterisk said that its queue is full. */
  xoffs: number
  /** What Asterisk complained of: ERROR events. */
  errors: number
  unknownEvents: number
  malformedEvents: number
  readonly violations: Partial<Record<MediaViolation, number>>
}

export const noMediaLegCounters = (): MediaLegCounters => ({
  framesRefused: 0,
  framesShed: 0,
  xoffs: 0,
  errors: 0,
  unknownEvents: 0,
  malformedEvents: 0,
  violations: {},
})

/** What a leg needs of either of Bun's WebSockets. None of it throws; a closed one takes nothing. */
export interface MediaSocket {
  /** Takes a copy. */
  sendBinary(bytes: Uint8Array): void
  sendText(text: string): void
  /** Bytes that the kernel has not taken yet. */
  waitingBytes(): number
  /** Says goodbye: Asterisk hangs its channel up. */
  close(): void
  terminate(): void
}

type MediaStart = Extract<MediaEvent, { type: 'media_start' }>

/** Whoever made the connection. */
export interface MediaLegOwner {
  /**
   * The far side has begun, by MEDIA_START or by audio. The owner has set the leg's listener when this returns, or has
   * closed the leg. `failing`: it was lost before either, and ends at once; its call learns of it now, and not from a
   * deadline.
   */
  began(leg: MediaWebSocketLeg, failing: boolean): void
  /** Once, and last. */
  gone(leg: MediaWebSocketLeg): void
}

export interface MediaLegOptions {
  readonly socket: MediaSocket
  readonly format: WireFormat
  readonly owner: MediaLegOwner
  readonly counters: MediaLegCounters
  readonly clock: Clock
  readonly log: Log
}

export class MediaWebSocketLeg implements Leg {
  readonly format: AudioFormat
  readonly stats: Readonly<LegStats> = noLegStats()
  private readonly options: MediaLegOptions
  private readonly socket: MediaSocket
  private readonly clock: Clock
  private readonly counters: MediaLegCounters
  private readonly audioEvent: { readonly type: 'audio'; frame: AudioFrame }
  private listener: ((event: LegEvent) => void) | null = null
  private state: 'opening' | 'open' | 'ended' = 'opening'
  private goodbye: Promise<void> | null = null
  private goodbyeCause: HangupCause | null = null
  private readonly whenGone = Promise.withResolvers<void>()
  /** What the far side has shown that it speaks; null before, and then what was asked for, JSON, is tried first. */
  private form: ControlForm | null = null
  private guess: ControlForm = 'json'
  /** Asterisk cuts our frames into its own: what is left of one must wait for the next. */
  private buffering = false
  private queueFrameMs: Milliseconds = ptimeMs
  private xoff = false
  private shedding = false
  /** Something was sent since the last flush. */
  private dirty = false
  private readonly ahead: AheadAccount
  private readonly marks = new MarkTrail()
  private readonly questions: StatusQuestions
  private readonly messages: MediaMessages
  private waitingBefore = 0
  private takenAtMs: Milliseconds
  private readonly madeAtMs: Milliseconds
  private receivedBytes = 0
  private receivedTexts = 0

  constructor(options: MediaLegOptions) {
    this.options = options
    this.socket = options.socket
    this.clock = options.clock
    this.counters = options.counters
    this.format = { sampleRateHz: wireRatesHz[options.format], ptimeMs, wire: options.format }
    this.messages = new MediaMessages(options.format)
    this.audioEvent = { type: 'audio', frame: { sampleRateHz: this.format.sampleRateHz, samples: new Int16Array(0) } }
    const now = this.clock.now()
    this.madeAtMs = now
    this.takenAtMs = now
    this.questions = new StatusQuestions(now)
    this.ahead = new AheadAccount(now)
  }

  /** Sound that Asterisk has played to the bridge for sure, in milliseconds since the leg opened; silence does not count. */
  get playedMs(): Milliseconds {
    return this.marks.playedMs
  }

  /** What Asterisk has yet to play: our account of what was sent, set right by each STATUS. */
  get aheadMs(): Milliseconds {
    return this.ahead.at(this.clock.now())
  }

  onEvent(listener: (event: LegEvent) => void): void {
    this.listener = listener
  }

  write(frame: AudioFrame): Sent {
    if (this.state === 'ended' || this.goodbye !== null) return 'closed'
    const now = this.clock.now()
    if (this.questions.isDue(now)) this.askForStatus(now)
    const socketIsFull = this.socketIsFull(now)
    if (this.xoff || socketIsFull || this.questions.standsStill(now)) return this.refuse(now)
    const sounds = isSounding(frame.samples)
    const aheadMs = this.ahead.at(now)
    this.shedding = aheadMs > (this.shedding ? aheadLowMs : aheadHighMs)
    const sheds = this.shedding && !sounds
    if (sheds) {
      this.counters.framesShed += 1
    } else if (aheadMs > aheadMaxMs) {
      this.counters.framesRefused += 1
      return 'full'
    } else {
      this.socket.sendBinary(this.messages.encode(frame.samples))
      this.ahead.wrote()
      this.dirty = true
    }
    const mark = this.marks.wrote(sounds)
    if (mark !== null) this.command('MARK_MEDIA', mark)
    this.waitingBefore = this.socket.waitingBytes()
    return sheds ? 'shed' : 'sent'
  }

  private socketIsFull(now: Milliseconds): boolean {
    const waiting = this.socket.waitingBytes()
    if (waiting === 0 || waiting < this.waitingBefore) this.takenAtMs = now
    this.waitingBefore = waiting
    return waiting > this.messages.bytesPerFrame * (waitingFramesMax - 1)
  }

  private refuse(now: Milliseconds): Sent {
    this.counters.framesRefused += 1
    if (this.form === null && this.questions.isDueAgain(now)) this.askInOtherWords(now)
    // An XOFF alone ends nothing, however long it holds: Asterisk answers, and takes what it takes.
    if (now - this.takenAtMs > stuckMs || this.questions.isGone(now)) this.lost('media_lost')
    return 'full'
  }

  /** Frames that wait in the socket are flushed with the queue: the command follows them. A pause is not undone by it. */
  flush(): void {
    if (this.state !== 'open' || this.goodbye !== null) return
    if (!this.dirty && this.aheadMs === 0) return
    this.dirty = false
    this.command('FLUSH_MEDIA')
    // A flush ends buffering.
    if (this.buffering) this.command('START_MEDIA_BUFFERING')
    this.ahead.emptied(this.clock.now())
    this.marks.flushed()
  }

  private command(command: MediaCommand, correlationId?: string): void {
    this.socket.sendText(commandText(this.form ?? this.guess, command, correlationId))
  }

  private askForStatus(now: Milliseconds): void {
    this.questions.asked(now)
    this.ahead.asked(now)
    this.command('GET_STATUS')
  }

  /** An Asterisk that is too old for the form that was asked for has said nothing yet. */
  private askInOtherWords(now: Milliseconds): void {
    this.guess = this.guess === 'json' ? 'plain_text' : 'json'
    this.questions.asked(now)
    this.command('GET_STATUS')
  }

  close(cause: HangupCause): Promise<void> {
    this.goodbyeCause ??= cause
    this.goodbye ??= this.sayGoodbye()
    return this.goodbye
  }

  private async sayGoodbye(): Promise<void> {
    if (this.state === 'ended') return
    const terminate = this.clock.after(closingMs, () => this.socket.terminate())
    const waited = new AbortController()
    this.socket.close()
    await Promise.race([this.whenGone.promise, this.clock.sleep(2 * closingMs, waited.signal)])
    waited.abort()
    terminate[Symbol.dispose]()
    // A socket that does not even report its end must not keep the call.
    this.end(this.goodbyeCause ?? 'media_lost')
  }

  // ── called by the door ────────────────────────────────────────────────────────────────────────────────────────

  receiveAudio(bytes: Uint8Array): void {
    if (this.state === 'ended') return
    const now = this.clock.now()
    this.questions.heardAudio(now)
    this.receivedBytes += bytes.length
    const bytesPerMs = (this.format.sampleRateHz * this.messages.bytesPerSample) / 1000
    if (this.receivedBytes > ((now - this.madeAtMs) * floodShare + floodSlackMs) * bytesPerMs) {
      return this.violated('flood', { bytes: this.receivedBytes })
    }
    this.begin()
    this.messages.decode(bytes, this.emitFrame)
  }

  private readonly emitFrame = (frame: AudioFrame): void => {
    if (this.state !== 'open' || this.listener === null) return
    this.audioEvent.frame = frame
    this.listener(this.audioEvent)
  }

  receiveText(text: string): void {
    if (this.state === 'ended') return
    const now = this.clock.now()
    this.questions.heardText(now)
    this.receivedTexts += 1
    if (this.receivedTexts > ((now - this.madeAtMs) * textsPerSecondMax) / 1000 + textsSlack) {
      return this.violated('flood', { texts: this.receivedTexts })
    }
    this.form ??= formOf(text)
    const event = parseMediaEvent(text)
    if (event === 'unknown') this.counters.unknownEvents += 1
    else if (event === 'malformed') this.counters.malformedEvents += 1
    else this.receiveEvent(event, now)
  }

  private receiveEvent(event: MediaEvent, now: Milliseconds): void {
    switch (event.type) {
      case 'media_start':
        return this.receiveStart(event)
      case 'dtmf_end':
        if (this.state === 'open') this.listener?.({ type: 'dtmf', digit: event.digit })
        return
      case 'media_xoff':
        this.counters.xoffs += 1
        this.xoff = true
        return
      case 'media_xon':
        this.xoff = false
        return
      case 'status':
        this.questions.answered(now)
        this.ahead.answered(event.queueFrames * this.queueFrameMs, now)
        // Its XON was lost: a full queue is far longer.
        if (event.queueFrames * this.queueFrameMs <= aheadMaxMs) this.xoff = false
        // Nobody here pauses; whatever did, a caller must not sit in silence.
        if (event.mediaPaused) this.command('CONTINUE_MEDIA')
        return
      case 'media_mark_processed':
        return this.marks.processed(event.correlationId)
      case 'error':
        this.counters.errors += 1
        if (isPowerOfTwo(this.counters.errors)) {
          this.options.log.warn('asterisk complains about a media command', {
            why: event.text,
            times: this.counters.errors,
          })
        }
        return
      case 'queue_drained':
      case 'media_buffering_completed':
        return
    }
  }

  /**
   * Asterisk cuts each message into frames of its optimal size and discards the rest. All formats used here have frames
   * of 20 ms, as ours are; should a build differ, Asterisk is told to keep the rest for the next message.
   */
  private receiveStart(start: MediaStart): void {
    if (start.format !== this.format.wire) {
      return this.violated('format_mismatch', { asked: this.format.wire, started: start.format })
    }
    const { optimalFrameBytes } = start
    if (start.ptimeMs > 0) this.queueFrameMs = start.ptimeMs
    const first = !this.buffering
    this.buffering = optimalFrameBytes > 0 && this.messages.bytesPerFrame % optimalFrameBytes !== 0
    if (this.buffering && first) this.command('START_MEDIA_BUFFERING')
    this.begin()
  }

  private begin(failing = false): void {
    if (this.state !== 'opening' || this.goodbye !== null) return
    // Open before its owner has it: who takes a leg may write to it, and may close it, at once.
    this.state = 'open'
    this.options.owner.began(this, failing)
  }

  private violated(violation: MediaViolation, seen: Readonly<Record<string, string | number>>): void {
    this.counters.violations[violation] = (this.counters.violations[violation] ?? 0) + 1
    this.options.log.warn('media websocket peer broke the protocol', { violation, ...seen })
    this.lost('protocol_error')
  }

  /** Milliseconds since the far side last sent anything: an answer to our question counts, so a caller on hold is no loss. */
  quietMs(): Milliseconds {
    return this.questions.quietMs(this.clock.now())
  }

  /** The connection is of no use any more: end it without ceremony. */
  lost(cause: HangupCause): void {
    this.begin(true)
    this.end(cause)
    this.socket.terminate()
  }

  /** The socket has closed, with a goodbye or without. */
  socketClosed(clean: boolean): void {
    this.begin(true)
    this.end(this.goodbyeCause ?? (clean ? 'caller' : 'media_lost'))
  }

  private end(cause: HangupCause): void {
    this.whenGone.resolve()
    if (this.state === 'ended') return
    this.state = 'ended'
    try {
      this.listener?.({ type: 'ended', cause })
    } finally {
      this.options.owner.gone(this)
    }
  }
}

function isPowerOfTwo(times: number): boolean {
  return Number.isInteger(Math.log2(times))
}
