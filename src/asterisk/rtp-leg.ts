import {
  type AudioFormat,
  type AudioFrame,
  ptimeMs,
  samplesPerFrame,
  type WireFormat,
  wireRatesHz,
} from '#audio/format.ts'
import { JitterBuffer } from '#audio/jitter-buffer.ts'
import type { JitterCounters } from '#audio/jitter-stats.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import { messageOf } from '#base/result.ts'
import type { HangupCause, Leg, LegEvent, LegStats, Sent } from '#call/leg.ts'
import type { PacedWriter, Pacer } from '#call/pacer.ts'
import type { AllowList } from './allow-list.ts'
import { type Dropped, type Endpoint, RemoteEndpoint } from './remote-endpoint.ts'
import {
  emptyHeader,
  headerBytes,
  type Payload,
  payloads,
  readHeader,
  TelephoneEvents,
  telephoneEventType,
  writeHeader,
} from './rtp.ts'

/**
 * One UnicastRTP channel as a leg. What comes in passes the jitter buffer and is pulled from it by the pacer's tick;
 * what goes out is a datagram at once, and nothing waits. RTP has no hang-up: a leg ends by being closed, or by silence.
 */

/** A peer may send this much faster than real time, and this much at once; see the same limits of AudioSocket. */
const floodShare = 1.5
const floodSlackMs = 5000
/** Copies of packets that have come are the network's doing: with them it may be so many times as much. */
const copiesShare = 4
/** Of packets that hold less, each counts as this much: it costs as much to take. */
const packetMsMin = 10
const packetMsMax = 60

export interface RtpCounters {
  packetsIn: number
  packetsOut: number
  /** Packets that were not taken, by reason. */
  readonly dropped: Partial<Record<Dropped, number>>
  /** Packets that the kernel did not take: `refused` by a far side that has gone, `full` for want of room. */
  readonly unsent: { refused: number; full: number; no_remote: number }
  /** What senders counted anew or wrongly, and how often a delay was shortened; of legs that have ended. */
  readonly streams: JitterCounters
}

export interface RtpLegOptions {
  readonly format: WireFormat
  /** Where Asterisk says that it listens; null when it does not say, and then the first packet tells. */
  readonly announced: Endpoint | null
  readonly lockRemote: boolean
  readonly allowList: AllowList
  readonly jitterBufferMaxMs: number
  /** 0: a peer may be silent for ever. */
  readonly silentPeerTimeoutMs: number
  readonly clock: Clock
  readonly random: Random
  readonly pacer: Pacer
  readonly log: Log
  readonly counters: RtpCounters
  /** Bun's socket: false when the kernel has no room; throws when an earlier datagram was refused. */
  readonly send: (bytes: Uint8Array, port: number, address: string) => boolean
  /** Nothing is sent or taken any more. */
  readonly closed: () => void
}

export class RtpLeg implements Leg, PacedWriter {
  readonly format: AudioFormat
  readonly aheadMs = 0
  readonly remote: RemoteEndpoint
  private readonly options: RtpLegOptions
  private readonly payload: Payload
  private readonly jitter: JitterBuffer
  private readonly pacing: Disposable
  private readonly header = emptyHeader()
  private readonly decoded: Int16Array
  /** The front of `decoded`, as long as the packets are: made anew only when their length changes. */
  private packetSamples: Int16Array
  private readonly frame: AudioFrame
  private readonly audioEvent: { readonly type: 'audio'; readonly frame: AudioFrame; madeUp: boolean }
  private readonly packet: Uint8Array
  private readonly packetPayload: Uint8Array
  private readonly events = new TelephoneEvents()
  private listener: ((event: LegEvent) => void) | null = null
  private ended = false
  private sequence: number
  private timestamp: number
  private readonly ssrc: number
  private marker = true
  private heard: { readonly ssrc: number } | null = null
  private readonly openedMs: Milliseconds
  private lastInboundMs: Milliseconds
  private receivedMs = 0
  private copiedMs = 0
  /** Frames that a late tick owed and that had not come: their packets may lie in the kernel. */
  private owed = 0

  constructor(options: RtpLegOptions) {
    const { format, clock, random } = options
    this.options = options
    this.payload = payloads[format]
    const sampleRateHz = wireRatesHz[format]
    this.format = { sampleRateHz, ptimeMs, wire: format }
    this.remote = new RemoteEndpoint(options.announced, options.allowList, options.lockRemote)
    this.jitter = new JitterBuffer(sampleRateHz, options.jitterBufferMaxMs)
    this.decoded = new Int16Array((sampleRateHz * packetMsMax) / 1000)
    this.packetSamples = this.decoded
    this.frame = { sampleRateHz, samples: new Int16Array(samplesPerFrame(sampleRateHz)) }
    this.audioEvent = { type: 'audio', frame: this.frame, madeUp: false }
    const payloadBytes = (this.frame.samples.length * this.payload.bytesPerSample) / this.payload.packetsPerFrame
    this.packet = new Uint8Array(headerBytes + payloadBytes)
    this.packetPayload = this.packet.subarray(headerBytes)
    this.sequence = Math.floor(random.next() * 65_536)
    this.timestamp = Math.floor(random.next() * 2 ** 32)
    this.ssrc = Math.floor(random.next() * 2 ** 32)
    this.openedMs = clock.now()
    this.lastInboundMs = this.openedMs
    this.pacing = options.pacer.add(this)
  }

  get stats(): Readonly<LegStats> {
    return this.jitter.stats
  }

  /** The sender's SSRC, once a packet of it was taken. */
  /** Its source may not change in mid-call. */
  get lockRemote(): boolean {
    return this.options.lockRemote
  }

  get remoteSsrc(): number | null {
    return this.heard?.ssrc ?? null
  }

  onEvent(listener: (event: LegEvent) => void): void {
    this.listener = listener
  }

  /**
   * `full`: nobody knows where to, or the kernel did not take the datagram, and it was dropped. Its time passes all the
   * same: the timestamps go on, and the next packet that leaves is the first behind a gap.
   */
  write(frame: AudioFrame): Sent {
    if (this.ended) return 'closed'
    const { payload, packet } = this
    const perPacket = frame.samples.length / payload.packetsPerFrame
    let sent: Sent = 'sent'
    for (let from = 0; from < frame.samples.length; from += perPacket) {
      writeHeader(packet, payload.sends, this.marker, this.sequence, this.timestamp, this.ssrc)
      const isWhole = perPacket === frame.samples.length
      payload.encode(isWhole ? frame.samples : frame.samples.subarray(from, from + perPacket), this.packetPayload)
      this.timestamp = (this.timestamp + perPacket) % 2 ** 32
      const isSent = this.send()
      this.marker = !isSent
      if (isSent) this.sequence = (this.sequence + 1) & 0xffff
      else sent = 'full'
    }
    return sent
  }

  private send(): boolean {
    const { counters } = this.options
    const { current } = this.remote
    if (current === null) {
      counters.unsent.no_remote += 1
      return false
    }
    // A refusal belongs to an earlier datagram, on a shared socket perhaps to another call's: this one was not sent
    // for it, and is sent once more. A second refusal in a row is our own.
    for (let attempt = 0; attempt < 2; attempt += 1) {
      try {
        if (this.options.send(this.packet, current.port, current.address)) {
          counters.packetsOut += 1
          return true
        }
        counters.unsent.full += 1
        return false
      } catch {
        counters.unsent.refused += 1
      }
    }
    return false
  }

  /** Nothing waits on this side, and nothing in Asterisk beyond the frames in flight. */
  flush(): void {}

  close(cause: HangupCause): Promise<void> {
    this.end(cause)
    return Promise.resolve()
  }

  // ── called by the door ────────────────────────────────────────────────────────────────────────────────────────

  /** Takes a datagram that may be this leg's; never throws. */
  receive(bytes: Uint8Array, port: number, address: string): void {
    if (this.ended) return
    const dropped = this.take(bytes, port, address)
    if (dropped === null) return
    const { dropped: counts } = this.options.counters
    counts[dropped] = (counts[dropped] ?? 0) + 1
  }

  private take(bytes: Uint8Array, port: number, address: string): Dropped | null {
    const { header, remote } = this
    const source = remote.judge(port, address)
    if (source === 'foreign_source' || source === 'not_allowed') return source
    const nowMs = this.options.clock.now()
    const malformed = readHeader(bytes, header)
    const isCopy = malformed === null && this.jitter.hasCome(header.sequence, header.ssrc)
    if (source === 'current' && this.isFlood(bytes.length, isCopy, nowMs)) {
      this.options.log.warn('rtp peer sends faster than real time', { peer: address })
      this.end('protocol_error')
      return 'flood'
    }
    if (malformed !== null) return malformed
    const payload = bytes.subarray(header.payloadStart, header.payloadEnd)
    const isEvent = header.payloadType === telephoneEventType
    const isAudio = this.payload.takes.includes(header.payloadType)
    const size = payload.length / this.payload.bytesPerSample
    if (isAudio && (!Number.isInteger(size) || size === 0 || size > this.decoded.length)) return 'payload_size'
    if (!isAudio && !isEvent) {
      if (source === 'current') this.jitter.noteOther(header.sequence, header.ssrc)
      return 'payload_type'
    }
    if (source === 'other' && !remote.follow(port, address, this.heard === null || this.heard.ssrc === header.ssrc)) {
      return 'foreign_source'
    }
    remote.confirm(port, address)
    if (this.heard?.ssrc !== header.ssrc) {
      this.heard = { ssrc: header.ssrc }
      this.events.reset()
    }
    this.lastInboundMs = nowMs
    this.options.counters.packetsIn += 1
    if (isEvent) {
      this.jitter.noteOther(header.sequence, header.ssrc)
      const digit = this.events.digit(header.timestamp, payload)
      if (digit !== null) this.emit({ type: 'dtmf', digit })
      return null
    }
    this.payload.decode(payload, this.decoded)
    if (this.packetSamples.length !== size) this.packetSamples = this.decoded.subarray(0, size)
    this.jitter.push(header.sequence, header.timestamp, header.ssrc, this.packetSamples, nowMs)
    return null
  }

  private isFlood(bytes: number, isCopy: boolean, nowMs: Milliseconds): boolean {
    const perMs = (this.format.sampleRateHz / 1000) * this.payload.bytesPerSample
    const packetMs = Math.max(packetMsMin, (bytes - headerBytes) / perMs)
    if (isCopy) this.copiedMs += packetMs
    else this.receivedMs += packetMs
    const openMs = nowMs - this.openedMs
    const isTooFast = this.receivedMs > openMs * floodShare + floodSlackMs
    return isTooFast || this.receivedMs + this.copiedMs > (openMs * floodShare + floodSlackMs) * copiesShare
  }

  /** What is not sent has had its time: without it in the timestamps, the far side would play all that follows too early. */
  skipFrames(count: number): void {
    this.timestamp = (this.timestamp + count * this.frame.samples.length) % 2 ** 32
    this.marker = true
  }

  /**
   * The pacer's tick. Behind a late one the packets of the missed time may not have been read yet: what it owes beyond
   * what is there waits for the next tick, and only then is made up or given up.
   */
  writeFrames(count: number, nowMs: Milliseconds): void {
    const limitMs = this.options.silentPeerTimeoutMs
    if (limitMs > 0 && nowMs - this.lastInboundMs > limitMs) return this.end('media_lost')
    let due = this.owed + count
    this.owed = 0
    let mayMakeUp = count === 1
    while (due > 0 && !this.ended && (mayMakeUp || this.jitter.isReady)) {
      if (this.jitter.pull(nowMs - (due - 1) * ptimeMs, this.frame.samples)) {
        this.audioEvent.madeUp = this.jitter.madeUp
        this.emit(this.audioEvent)
      }
      due -= 1
      mayMakeUp = false
    }
    if (count > 1) this.owed = due
  }

  /** A listener that throws ends its own call, and neither the pacer's tick nor the socket's other calls. */
  private emit(event: LegEvent): void {
    if (this.ended && event.type !== 'ended') return
    try {
      this.listener?.(event)
    } catch (thrown) {
      this.options.log.error('a fault of the engine ends a media connection', { why: messageOf(thrown) })
      this.end('internal_error')
    }
  }

  private end(cause: HangupCause): void {
    if (this.ended) return
    this.ended = true
    const { streams } = this.options.counters
    const { counters } = this.jitter
    streams.ssrcChanges += counters.ssrcChanges
    streams.sequenceRestarts += counters.sequenceRestarts
    streams.timestampJumps += counters.timestampJumps
    streams.shortened += counters.shortened
    this.pacing[Symbol.dispose]()
    this.options.closed()
    this.emit({ type: 'ended', cause })
  }
}
