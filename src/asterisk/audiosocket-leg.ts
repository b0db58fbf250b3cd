import { type AudioFormat, type AudioFrame, ptimeMs, type SampleRateHz, samplesPerFrame } from '#audio/format.ts'
import { Reframer } from '#audio/reframe.ts'
import type { Clock } from '#base/clock.ts'
import { type HangupCause, type Leg, type LegEvent, type LegStats, noLegStats, type Sent } from '#call/leg.ts'
import { audioMessageBytes, headerBytes, terminateMessage, writeAudioMessage } from './audiosocket.ts'

/**
 * One AudioSocket connection as a leg. The socket's own `write` takes what the kernel takes and keeps nothing, so the
 * unsent tail waits here: a message is never interleaved with another and never sent in part without its rest first
 * (an Asterisk ends the call when a payload pauses for more than 5 ms). The kernel takes minutes of audio for a peer that
 * does not read; so what it has not sent is asked for, and beyond a bound nothing more is written.
 */

/** Frames that may wait for a peer that does not read: 200 ms. Beyond, frames are dropped and counted. */
const framesWaitingMax = 10
/**
 * The kernel is asked every 100 ms what it has not sent: with no more than 100 ms of it, and what is written until the
 * next question, it is 200 ms at most. While it is more, it is asked at each frame.
 */
const framesUnsentMax = 5
const framesBetweenQuestions = 5
/** How long a peer may refuse every byte before it counts as gone. */
const stuckMs = 5000
/**
 * A peer may send this much faster than real time, and this much at once: a network that stood still hands over what it
 * held. What is beyond is no caller, and would cost the others their time.
 */
const floodShare = 1.5
const floodSlackMs = 5000
/** How long a closing socket may take to say goodbye. */
const closingMs = 1000

export interface LegCounters {
  /** Frames dropped since the peer did not read. */
  full: number
}

/** What a leg needs of Bun's raw socket: `write` answers how many bytes the kernel took, or −1 when it is closed. */
export interface LegSocket {
  write(bytes: Uint8Array, offset?: number, length?: number): number
  end(): unknown
  terminate(): unknown
}

const slinByRate = { 8000: 'slin', 16000: 'slin16', 24000: 'slin24', 48000: 'slin48' } as const

export class AudioSocketLeg implements Leg {
  readonly format: AudioFormat
  /** TCP neither loses nor reorders. */
  readonly stats: Readonly<LegStats> = noLegStats()
  readonly aheadMs = 0
  readonly counters: LegCounters = { full: 0 }
  private readonly socket: LegSocket
  private readonly clock: Clock
  private readonly message: Uint8Array
  /** The samples of `message`. */
  private readonly messageSamples: Int16Array
  private readonly waiting: Uint8Array
  private waitingBytes = 0
  private stuckSinceMs: number | null = null
  private readonly unsentBytes: () => number
  private unsentBefore = 0
  private framesToQuestion = framesBetweenQuestions
  private readonly inbound: Int16Array
  private readonly inboundBytes: Uint8Array
  private oddByte: number | null = null
  /** A message that is one whole frame, as nearly all are. */
  private readonly whole: AudioFrame
  private readonly wholeBytes: Uint8Array
  /** One for all frames: nothing is made for each. */
  private readonly audioEvent: { readonly type: 'audio'; frame: AudioFrame }
  private readonly reframer: Reframer
  private listener: ((event: LegEvent) => void) | null = null
  private ended = false
  private goodbye: Promise<void> | null = null
  private closed: (() => void) | null = null
  private lastInboundMs: number
  private readonly openedMs: number
  private readonly bytesPerMs: number
  private receivedBytes = 0

  /** `unsentBytes`: what the kernel has taken of `socket` and not sent. */
  constructor(socket: LegSocket, sampleRateHz: SampleRateHz, clock: Clock, unsentBytes: () => number = () => 0) {
    this.socket = socket
    this.clock = clock
    this.unsentBytes = unsentBytes
    this.format = { sampleRateHz, ptimeMs, wire: slinByRate[sampleRateHz] }
    const frameSamples = samplesPerFrame(sampleRateHz)
    const messageBytes = audioMessageBytes(frameSamples)
    // A byte before the header of three, so that the samples behind it stand at an even place.
    const buffer = new ArrayBuffer(1 + messageBytes)
    this.message = new Uint8Array(buffer, 1)
    this.messageSamples = new Int16Array(buffer, 1 + headerBytes)
    writeAudioMessage(this.message, 0, sampleRateHz, this.messageSamples)
    this.waiting = new Uint8Array(messageBytes * framesWaitingMax)
    this.inbound = new Int16Array(4097)
    this.inboundBytes = new Uint8Array(this.inbound.buffer)
    this.reframer = new Reframer(sampleRateHz)
    this.whole = { sampleRateHz, samples: new Int16Array(frameSamples) }
    this.wholeBytes = new Uint8Array(this.whole.samples.buffer)
    this.audioEvent = { type: 'audio', frame: this.whole }
    this.lastInboundMs = clock.now()
    this.openedMs = this.lastInboundMs
    this.bytesPerMs = (sampleRateHz * 2) / 1000
  }

  onEvent(listener: (event: LegEvent) => void): void {
    this.listener = listener
  }

  write(frame: AudioFrame): Sent {
    if (this.ended || this.goodbye !== null) return 'closed'
    if (this.waitingBytes > 0) {
      const end = this.waitingBytes + audioMessageBytes(frame.samples.length)
      if (end > this.waiting.length) return this.refuse()
      writeAudioMessage(this.waiting, this.waitingBytes, frame.sampleRateHz, frame.samples)
      this.waitingBytes = end
      return 'sent'
    }
    this.framesToQuestion -= 1
    if (this.framesToQuestion <= 0 && this.isKernelFull()) return this.refuse()
    this.messageSamples.set(frame.samples)
    const { length } = this.message
    const taken = this.socket.write(this.message, 0, length)
    if (taken < 0) return 'closed'
    if (taken < length) {
      this.waiting.set(this.message.subarray(taken, length), 0)
      this.waitingBytes = length - taken
      this.stuckSinceMs = this.clock.now()
    }
    return 'sent'
  }

  /** As long as its unsent bytes grow fewer, the peer is slow, and not stuck. */
  private isKernelFull(): boolean {
    const unsent = this.unsentBytes()
    const full = unsent > framesUnsentMax * this.message.length
    if (!full) this.framesToQuestion = framesBetweenQuestions
    if (!full) this.stuckSinceMs = null
    else if (this.stuckSinceMs === null || unsent < this.unsentBefore) this.stuckSinceMs = this.clock.now()
    this.unsentBefore = unsent
    return full
  }

  /** What waits here can be called back; the rest of a message that has begun must follow it. */
  flush(): void {
    this.waitingBytes %= this.message.length
  }

  private refuse(): Sent {
    this.counters.full += 1
    if (this.stuckSinceMs !== null && this.clock.now() - this.stuckSinceMs > stuckMs) this.lost('media_lost')
    return 'full'
  }

  close(_cause: HangupCause): Promise<void> {
    this.goodbye ??= this.sayGoodbye()
    return this.goodbye
  }

  private async sayGoodbye(): Promise<void> {
    if (this.ended) return
    const gone = Promise.withResolvers<void>()
    this.closed = gone.resolve
    // The terminate message must not land inside an unfinished one: it goes out whole, behind the tail, or not at all.
    if (this.waitingBytes === 0) {
      this.socket.write(terminateMessage)
      this.socket.end()
    } else {
      this.socket.terminate()
    }
    const deadline = this.clock.after(closingMs, () => this.socket.terminate())
    const givenUp = this.clock.after(2 * closingMs, gone.resolve)
    await gone.promise
    givenUp[Symbol.dispose]()
    deadline[Symbol.dispose]()
  }

  // ── called by the server ──────────────────────────────────────────────────────────────────────────────────────

  /** `flood`: more audio than any telephone makes; nothing of it is taken. */
  receiveAudio(pcm: Uint8Array): 'taken' | 'flood' {
    this.lastInboundMs = this.clock.now()
    this.receivedBytes += pcm.length
    const realTimeMs = this.lastInboundMs - this.openedMs
    if (this.receivedBytes > (realTimeMs * floodShare + floodSlackMs) * this.bytesPerMs) return 'flood'
    if (pcm.length === this.wholeBytes.length && this.oddByte === null && this.reframer.empty) {
      this.wholeBytes.set(pcm)
      this.emitFrame(this.whole)
      return 'taken'
    }
    let bytes = 0
    if (this.oddByte !== null) {
      this.inboundBytes[0] = this.oddByte
      this.oddByte = null
      bytes = 1
    }
    this.inboundBytes.set(pcm, bytes)
    bytes += pcm.length
    if (bytes % 2 === 1) {
      bytes -= 1
      this.oddByte = this.inboundBytes[bytes] as number
    }
    this.reframer.push(this.inbound.subarray(0, bytes / 2), this.emitFrame)
    return 'taken'
  }

  private readonly emitFrame = (frame: AudioFrame): void => {
    if (this.ended) return
    this.audioEvent.frame = frame
    this.listener?.(this.audioEvent)
  }

  receiveDtmf(digit: string): void {
    this.lastInboundMs = this.clock.now()
    if (!this.ended) this.listener?.({ type: 'dtmf', digit })
  }

  /** The kernel takes bytes again. */
  drained(): void {
    if (this.waitingBytes === 0) return
    const taken = this.socket.write(this.waiting, 0, this.waitingBytes)
    if (taken <= 0) return
    this.waiting.copyWithin(0, taken, this.waitingBytes)
    this.waitingBytes -= taken
    this.stuckSinceMs = this.waitingBytes === 0 ? null : this.clock.now()
  }

  /** Milliseconds since the peer last sent anything. */
  quietMs(): number {
    return this.clock.now() - this.lastInboundMs
  }

  /** The connection is of no use any more: end it without ceremony. */
  lost(cause: HangupCause): void {
    // The end first: terminating calls the socket's close handler at once, which knows no cause but the caller.
    this.end(cause)
    this.socket.terminate()
  }

  /** The socket has closed, by whoever. */
  end(cause: HangupCause): void {
    this.closed?.()
    if (this.ended) return
    this.ended = true
    this.listener?.({ type: 'ended', cause })
  }
}
