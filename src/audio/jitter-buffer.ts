import { ArrivalJitter } from './arrival-jitter.ts'
import { ClockDrift } from './clock-drift.ts'
import { Concealment } from './concealment.ts'
import { type SampleRateHz, samplesPerFrame } from './format.ts'
import { type JitterCounters, type JitterStats, noJitterCounters, noJitterStats } from './jitter-stats.ts'
import { PacketWindow, waitingMax } from './packet-window.ts'
import { lagMaxMs } from './pitch.ts'
import { SampleLine } from './sample-line.ts'

/**
 * Packets as a network delivers them in, one frame per 20 ms out. It has no timer and no clock: whoever owns it pushes
 * what came, pulls a frame per tick, and says what time it is.
 *
 * Media time is counted in samples on one line that never breaks: a sender that begins its sequence, its timestamps or
 * its SSRC anew is mapped to where the line stands. `delay` is how long a sample waits that took the fastest way:
 *
 *     delay = now − position − fastest transit of the last seconds
 *
 * It grows only where a hole must be filled anyway: while nothing is there to be heard the position stands still, so
 * that a late packet is heard late rather than dropped. It shrinks by leaving out single pitch periods, and freely
 * in silence. Growing ends at `delayMaxMs`; what comes later than that is late.
 */

/** A hole in the numbers longer than 10 s of packets, or a packet older than that, is a sender that began anew. */
const sequenceJumpMax = 500
/** Above the target by this much, the delay shrinks. With a clean network's target of 5 ms it ends at 20 ms. */
const slackMs = 15
/** Frames between two shortenings: 15 ms of 100 ms go unnoticed. Far above the target it is done sooner. */
const shortenEvery = 5
const shortenUrgently = 2
const urgentMs = 60
/** Packets of the SSRC before the last change are stragglers for this long. */
const stragglerMs = 1000
const packetMaxMs = 60

interface UnconfirmedPacket {
  readonly sequence: number
  readonly timestamp: number
  readonly samples: Int16Array
  readonly atMs: number
}

export class JitterBuffer {
  readonly stats: JitterStats = noJitterStats()
  readonly counters: JitterCounters = noJitterCounters()
  /** In the frame pulled last there was no sound of the sender's. */
  madeUp = false
  private readonly perMs: number
  private readonly frame: number
  private readonly delayMaxMs: number
  private readonly packets = new PacketWindow()
  private readonly arrivals: ArrivalJitter
  private readonly line: SampleLine
  private readonly concealment: Concealment
  private readonly drift: ClockDrift
  private state: 'empty' | 'waiting' | 'playing' = 'empty'
  /** Media time of the first sample of the line, or of the next one to come. */
  private position = 0
  /** Where the newest packet ends. */
  private end = 0
  private packetSamples: number
  private ssrc = 0
  private oldSsrc = -1
  private ssrcChangedMs = Number.NEGATIVE_INFINITY
  /** The sender's own numbers of the packet that stands at `sequenceMapped` and `timestampMapped`. */
  private sequenceRaw = 0
  private sequenceMapped = 0
  private timestampRaw = 0
  private timestampMapped = 0
  /** A packet whose number jumped: it counts once the next one follows it. */
  private unconfirmed: UnconfirmedPacket | null = null
  /** Nothing is there to be heard: since where, and how many samples were made up since. −1 otherwise. */
  private starvedAt = 0
  private starved = -1
  private standing = 0
  private concealedSamples = 0
  private framesSinceShortening = 0

  /** `delayMaxMs`: the most the buffer may add, up to 1000; 0 adds nothing, and hears only what comes in time. */
  constructor(sampleRateHz: SampleRateHz, delayMaxMs: number) {
    this.perMs = sampleRateHz / 1000
    this.frame = samplesPerFrame(sampleRateHz)
    this.packetSamples = this.frame
    this.delayMaxMs = delayMaxMs
    this.arrivals = new ArrivalJitter(delayMaxMs)
    this.line = new SampleLine(sampleRateHz, this.frame + (2 * lagMaxMs + packetMaxMs) * this.perMs)
    this.concealment = new Concealment(sampleRateHz)
    this.drift = new ClockDrift(this.perMs)
  }

  /** The delay that the arrivals of the last seconds ask for. */
  get targetMs(): number {
    return this.arrivals.targetMs
  }

  /** Takes a packet of up to 60 ms; the samples are copied. */
  push(sequence: number, timestamp: number, ssrc: number, samples: Int16Array, nowMs: number): void {
    if (samples.length === 0 || samples.length > packetMaxMs * this.perMs) return
    this.drift.arrived(ssrc, timestamp, nowMs)
    this.stats.driftMs = this.drift.driftMs
    if (this.state === 'empty') return this.first(sequence, timestamp, ssrc, samples, nowMs)
    if (ssrc !== this.ssrc) {
      if (ssrc === this.oldSsrc && nowMs - this.ssrcChangedMs < stragglerMs) {
        this.stats.late += 1
        return
      }
      this.oldSsrc = this.ssrc
      this.ssrc = ssrc
      this.ssrcChangedMs = nowMs
      this.counters.ssrcChanges += 1
      this.mapAnew(sequence, timestamp, nowMs)
    }
    const step = ((sequence - this.sequenceRaw) << 16) >> 16
    const jumped = this.unconfirmed
    this.unconfirmed = null
    if (Math.abs(step) > sequenceJumpMax) {
      if (jumped === null || sequence !== ((jumped.sequence + 1) & 0xffff)) {
        this.unconfirmed = { sequence, timestamp, samples: samples.slice(), atMs: nowMs }
        return
      }
      this.counters.sequenceRestarts += 1
      this.mapAnew(jumped.sequence, jumped.timestamp, jumped.atMs)
      this.accept(jumped.sequence, jumped.timestamp, jumped.samples, jumped.atMs)
    }
    this.accept(sequence, timestamp, samples, nowMs)
  }

  private accept(sequence: number, timestamp: number, samples: Int16Array, nowMs: number): void {
    const { packets } = this
    const mapped = this.sequenceMapped + (((sequence - this.sequenceRaw) << 16) >> 16)
    if (mapped < 0 || packets.hasCome(mapped)) {
      this.stats.duplicates += 1
      return
    }
    const isNewest = mapped > packets.highest
    if (isNewest) {
      this.followTimestamp(mapped, timestamp, nowMs)
      this.makeRoom(mapped)
    }
    const position = this.timestampMapped + ((timestamp - this.timestampRaw) | 0)
    packets.noteCame(mapped)
    if (isNewest) {
      this.sequenceRaw = sequence
      this.sequenceMapped = mapped
      this.timestampRaw = timestamp
      this.timestampMapped = position
      this.end = position + samples.length
      this.packetSamples = samples.length
    }
    // Overtaken by a packet of other timestamps: where it belongs cannot be told any more.
    const behind = this.timestampMapped - position
    if (!isNewest && (behind <= 0 || behind > sequenceJumpMax * packetMaxMs * this.perMs)) return this.dropLate(mapped)
    this.arrivals.arrived(nowMs, nowMs - position / this.perMs)
    this.keep(mapped, position, samples, isNewest)
  }

  /** A packet of this number and sender came lately: another one is a copy of it. */
  hasCome(sequence: number, ssrc: number): boolean {
    const step = ((sequence - this.sequenceRaw) << 16) >> 16
    const mapped = this.sequenceMapped + step
    return this.state !== 'empty' && ssrc === this.ssrc && mapped >= 0 && this.packets.hasCome(mapped)
  }

  /** A packet of this number came and holds no sound, but a key press or comfort noise: nothing is missing there. */
  noteOther(sequence: number, ssrc: number): void {
    const { packets } = this
    const step = ((sequence - this.sequenceRaw) << 16) >> 16
    if (this.state === 'empty' || ssrc !== this.ssrc || Math.abs(step) > sequenceJumpMax) return
    const mapped = this.sequenceMapped + step
    if (packets.hasCome(mapped)) return
    if (mapped < packets.next && mapped >= packets.first) this.stats.lost -= 1
    if (mapped > packets.highest) {
      this.sequenceRaw = sequence
      this.sequenceMapped = mapped
      this.makeRoom(mapped)
    }
    packets.noteCame(mapped)
  }

  /** There is sound to be heard without making it up. */
  get isReady(): boolean {
    return this.line.length >= this.frame || this.packets.firstWaiting() >= 0
  }

  private first(sequence: number, timestamp: number, ssrc: number, samples: Int16Array, nowMs: number): void {
    this.state = 'waiting'
    this.ssrc = ssrc
    // Room below for what was overtaken by the first to arrive.
    const mapped = 65_536 + sequence
    this.packets.start(mapped)
    this.packets.noteCame(mapped)
    this.packets.put(mapped, 0, samples)
    this.sequenceRaw = sequence
    this.sequenceMapped = mapped
    this.timestampRaw = timestamp
    this.timestampMapped = 0
    this.end = samples.length
    this.packetSamples = samples.length
    this.arrivals.arrived(nowMs, nowMs)
  }

  /** The sender's numbers mean something new: this packet follows the newest one, at the time at which it came. */
  private mapAnew(sequence: number, timestamp: number, nowMs: number): void {
    this.sequenceRaw = sequence
    this.sequenceMapped = this.packets.highest + 1
    this.timestampRaw = timestamp
    this.timestampMapped = Math.max(this.end, this.position, this.onTime(nowMs))
  }

  /** Media time of a packet that comes now and took the fastest way. */
  private onTime(nowMs: number): number {
    return Math.round((nowMs - this.arrivals.baseMs) * this.perMs)
  }

  /** A timestamp that cannot be, by the newest packet: backwards, from far ahead, or of a time given up long ago. */
  private followTimestamp(mapped: number, timestamp: number, nowMs: number): void {
    const position = this.timestampMapped + ((timestamp - this.timestampRaw) | 0)
    const isFromAhead = position - this.onTime(nowMs) > Math.max(this.delayMaxMs, packetMaxMs) * this.perMs
    // Of a burst behind a standstill the first is moved to now, and the others follow it.
    const isGivenUp = this.starved >= 0 && position < this.position && mapped === this.packets.highest + 1
    if (position >= this.end && !isFromAhead && !isGivenUp) return
    if (!isGivenUp) this.counters.timestampJumps += 1
    this.timestampRaw = timestamp
    this.timestampMapped = Math.max(this.end, this.position, isGivenUp ? 0 : this.onTime(nowMs))
  }

  private keep(sequence: number, position: number, samples: Int16Array, isNewest: boolean): void {
    const { packets, stats } = this
    // Before anything was heard or given up, what was overtaken by the first to arrive becomes the first.
    const isBeginning = this.state === 'waiting' && packets.next === packets.first
    if (isBeginning && sequence < packets.next && packets.highest - sequence < waitingMax) {
      packets.next = sequence
      packets.first = sequence
      this.position = position
    } else if (sequence < packets.next || position + samples.length <= this.position) {
      return this.dropLate(sequence)
    }
    if (!isNewest) stats.reordered += 1
    packets.put(sequence, position, samples)
  }

  private dropLate(sequence: number): void {
    this.stats.late += 1
    // It had been given up as lost when its turn was over.
    if (sequence < this.packets.next && sequence >= this.packets.first) this.stats.lost -= 1
  }

  /** The window ends with this packet, which is the newest: what waits before the window is not heard. */
  private makeRoom(sequence: number): void {
    const { packets } = this
    const begin = sequence - waitingMax + 1
    if (begin <= packets.next) return
    for (let each = packets.firstWaiting(); each >= 0 && each < begin; each = packets.firstWaiting()) this.giveUp(each)
    this.stats.lost += packets.skipTo(begin)
  }

  /** A packet that waits is not heard. */
  private giveUp(sequence: number): void {
    this.stats.lost += this.packets.take(sequence)
    this.stats.late += 1
  }

  /** Fills `target`, one frame, and answers true; false while nothing has come yet that could be heard. */
  pull(nowMs: number, target: Int16Array): boolean {
    if (this.state === 'empty') return false
    if (this.state === 'waiting') {
      // Less than the target, and the first irregularity of a timer would be a hole.
      if (this.delay(nowMs) < this.arrivals.targetMs) return false
      this.state = 'playing'
    }
    this.endStarvation(nowMs)
    this.trim(nowMs)
    this.shorten(nowMs)
    this.madeUp = true
    for (let filled = 0; filled < this.frame; ) {
      if (this.line.length === 0) this.gather(1)
      const taken = this.line.take(target, filled, this.frame - filled)
      if (taken > 0) {
        this.madeUp = false
        this.concealment.real(target, filled, filled + taken)
      }
      this.position += taken
      filled += taken
      if (filled < this.frame && this.line.length === 0 && !this.gather(1)) filled += this.fill(nowMs, target, filled)
    }
    // The frame that was just taken had this to wait; its time is over.
    if (this.starved < 0) this.stats.delayMs = Math.max(0, this.delay(nowMs) + this.frame / this.perMs)
    return true
  }

  /** Milliseconds that the next sample will have waited, if it is heard now and took the fastest way. */
  private delay(nowMs: number): number {
    return nowMs - this.position / this.perMs - this.arrivals.baseMs
  }

  /** Moves packets that follow without a hole to the line, until it holds `count` samples. False: it does not. */
  private gather(count: number): boolean {
    const { line, packets } = this
    while (line.length < count) {
      const sequence = packets.firstWaiting()
      const end = this.position + line.length
      if (sequence < 0 || packets.positionOf(sequence) > end) return false
      const from = end - packets.positionOf(sequence)
      const to = packets.lengthOf(sequence)
      if (to - from > line.room) return false
      // Lost packets whose time the sender's new numbers left no room for: what follows is another moment of the sound.
      if (packets.missingBefore(sequence) > 0) {
        if (line.length > 0) return false
        this.concealment.cut()
      }
      this.stats.lost += packets.take(sequence)
      if (from < to) line.push(packets.samplesOf(sequence), from, to)
      else this.stats.late += 1
    }
    return true
  }

  /** Makes up what is missing at the position, as far as the frame or the hole goes, and answers how much. */
  private fill(nowMs: number, target: Int16Array, filled: number): number {
    const { packets } = this
    const sequence = packets.firstWaiting()
    if (sequence < 0) return this.starve(nowMs, target, filled)
    const hole = packets.positionOf(sequence) - this.position
    const count = Math.min(this.frame - filled, hole)
    this.concealment.fill(target, filled, filled + count)
    // The sender was silent on purpose where no number is missing.
    if (packets.missingBefore(sequence) > 0) this.countConcealed(count)
    // A hole is where the delay can grow: the position stands still, and what is missing may yet come.
    const shortMs = this.arrivals.targetMs - this.delay(nowMs) - filled / this.perMs
    this.position += count - Math.max(0, Math.min(count, Math.ceil(shortMs * this.perMs)))
    return count
  }

  private starve(nowMs: number, target: Int16Array, filled: number): number {
    const count = this.frame - filled
    if (this.starved < 0) {
      this.starved = 0
      this.starvedAt = this.position
      this.standing = Math.max(0, (this.delayMaxMs - this.delay(nowMs)) * this.perMs)
    }
    this.concealment.fill(target, filled, this.frame)
    this.starved += count
    this.position = this.starvedAt + Math.max(0, Math.ceil(this.starved - this.standing))
    return count
  }

  /** Something has come again. What was made up meanwhile stood for lost packets, for late ones, or for silence. */
  private endStarvation(nowMs: number): void {
    if (this.starved < 0) return
    const { packets } = this
    const sequence = packets.firstWaiting()
    if (sequence < 0) return
    const made = this.starved
    const hole = packets.positionOf(sequence) - this.starvedAt
    const passed = this.position - this.starvedAt
    let advance = Math.max(passed, Math.min(hole, made))
    const silence = Math.max(0, advance - packets.missingBefore(sequence) * this.packetSamples)
    this.countConcealed(made - silence)
    this.starved = -1
    this.position = this.starvedAt + advance
    // What is missing before it may have been overtaken only: as long as the delay is short, it is waited for.
    const shortMs = this.arrivals.targetMs - this.delay(nowMs)
    if (shortMs > 0) advance -= Math.min(advance - passed, Math.ceil(shortMs * this.perMs))
    this.position = this.starvedAt + advance
  }

  private countConcealed(samples: number): void {
    this.concealedSamples += samples
    this.stats.concealed = Math.round(this.concealedSamples / this.frame)
  }

  /** The way has become shorter by more than the buffer may hold: the oldest of it is left out at once. */
  private trim(nowMs: number): void {
    const excess = Math.floor((this.delay(nowMs) - this.delayMaxMs) * this.perMs)
    if (this.starved >= 0 || excess < this.frame) return
    const { packets, line } = this
    this.concealment.cut()
    line.drop(Math.min(excess, line.length))
    this.position += excess
    for (let sequence = packets.firstWaiting(); sequence >= 0; sequence = packets.firstWaiting()) {
      if (packets.positionOf(sequence) + packets.lengthOf(sequence) > this.position) return
      this.giveUp(sequence)
    }
  }

  private shorten(nowMs: number): void {
    this.framesSinceShortening += 1
    const excessMs = this.delay(nowMs) - this.arrivals.targetMs - slackMs
    const isUrgent = excessMs > urgentMs
    if (this.starved >= 0 || excessMs <= 0) return
    if (this.framesSinceShortening < (isUrgent ? shortenUrgently : shortenEvery)) return
    this.gather(this.frame + 2 * lagMaxMs * this.perMs)
    const spare = Math.min(Math.floor((excessMs + slackMs) * this.perMs), this.line.length - this.frame)
    const left = this.line.shorten(spare, isUrgent)
    if (left === 0) return
    this.position += left
    this.framesSinceShortening = 0
    this.counters.shortened += 1
  }
}
