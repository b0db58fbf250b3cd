import type { Milliseconds } from '#base/clock.ts'

/**
 * What was sent to a caller and what came back, side by side on one time line: 8,000 samples a second whatever the leg
 * has, because an echo is known by its voice and the voice of a telephone ends at 4 kHz. Positions are samples since the
 * first frame; what was never there, or is no longer, reads as silence.
 *
 * Neither way brings a frame every 20 ms exactly. A side that is late catches up in a burst and nothing has changed; one
 * that has lost frames stays behind for good, and what it lost is put in as silence: else each hole would make the echo
 * seem to come earlier. Late and lost are told apart by waiting: who was late with each of the last 25 frames has lost.
 * Late is later than in the first of such whiles, by the clock and by most of a frame: which of two frames that come at
 * nearly the same time is the first changes with a millisecond, and is no loss.
 */
export const echoRateHz = 8000
/** 160 samples: 20 ms. */
const frameSamples = echoRateHz / 50
/** The longest echo, the longest stretch that is learnt from at once, and some room: a power of two, 2 s. */
const ringSamples = 16_384
const alignFrames = 25
const frameMs: Milliseconds = 20
const lostFrom = 0.75

export class EchoHistory {
  readonly reference = new EchoRing()
  readonly line = new EchoRing()
  private readonly narrowSent: Narrowing
  private readonly narrowHeard: Narrowing
  private started = false
  private frames = 0
  /** How late the frames of either side were against what its samples last, the least of late. */
  private sentLateMs = Number.POSITIVE_INFINITY
  private heardLateMs = Number.POSITIVE_INFINITY
  /** How much later the line's are than ours where nothing is lost; null until it is known. */
  private behindMs: Milliseconds | null = null

  /** @param sampleRateHz 8000, 16000, 24000 or 48000 */
  constructor(sampleRateHz: number) {
    const ratio = sampleRateHz / echoRateHz
    this.narrowSent = ratio === 1 ? copying : narrowing(ratio)
    this.narrowHeard = ratio === 1 ? copying : narrowing(ratio)
  }

  /** A frame that went out at this time; the samples are copied. */
  sent(frame: Int16Array, atMs: Milliseconds): void {
    this.sentLateMs = Math.min(this.sentLateMs, atMs - this.reference.endMs)
    this.narrowSent(frame, this.reference)
  }

  /** A frame that came from the caller at this time; the samples are copied. */
  heard(frame: Int16Array, atMs: Milliseconds): void {
    if (!this.started) this.begin()
    this.heardLateMs = Math.min(this.heardLateMs, atMs - this.line.endMs)
    this.narrowHeard(frame, this.line)
    this.frames += 1
    if (this.frames >= alignFrames) this.align(atMs)
  }

  /** Both sides begin together, with the first frame from the caller. */
  private begin(): void {
    this.started = true
    this.line.skip(Math.max(0, this.reference.end - frameSamples))
    // What was lost of ours before is no loss between the two.
    this.sentLateMs = Number.POSITIVE_INFINITY
  }

  private align(nowMs: Milliseconds): void {
    // Where nothing was sent at all, what comes next is as late as now at least.
    const nothingSent = this.sentLateMs === Number.POSITIVE_INFINITY
    const behindMs = this.heardLateMs - (nothingSent ? nowMs - this.reference.endMs : this.sentLateMs)
    this.behindMs ??= behindMs
    const lost = (behindMs - this.behindMs) / frameMs
    if (lost >= lostFrom) this.line.skip(Math.round(lost) * frameSamples)
    else if (lost <= -lostFrom) this.reference.skip(Math.round(-lost) * frameSamples)
    this.frames = 0
    this.sentLateMs = Number.POSITIVE_INFINITY
    this.heardLateMs = Number.POSITIVE_INFINITY
  }
}

/** The newest 2 s of one side. */
export class EchoRing {
  /** The position after the newest sample. */
  end = 0
  private readonly samples = new Int16Array(ringSamples)

  get endMs(): Milliseconds {
    return (this.end * 1000) / echoRateHz
  }

  push(sample: number): void {
    this.samples[this.end & (ringSamples - 1)] = sample
    this.end += 1
  }

  pushAll(frame: Int16Array): void {
    const at = this.end & (ringSamples - 1)
    if (at + frame.length <= ringSamples) {
      this.samples.set(frame, at)
      this.end += frame.length
    } else {
      for (let index = 0; index < frame.length; index += 1) this.push(frame[index] as number)
    }
  }

  /** Silence in the place of what was lost. */
  skip(count: number): void {
    if (count >= ringSamples) this.samples.fill(0)
    else for (let index = 0; index < count; index += 1) this.samples[(this.end + index) & (ringSamples - 1)] = 0
    this.end += count
  }

  /** Copies `count` samples that begin at the position `from` to `target[at…]`. */
  read(from: number, count: number, target: Float64Array, at: number): void {
    const oldest = this.end - ringSamples
    for (let index = 0; index < count; index += 1) {
      const position = from + index
      target[at + index] =
        position < oldest || position < 0 || position >= this.end
          ? 0
          : (this.samples[position & (ringSamples - 1)] as number)
    }
  }
}

type Narrowing = (frame: Int16Array, ring: EchoRing) => void

const copying: Narrowing = (frame, ring) => ring.pushAll(frame)

/**
 * Every `ratio`-th sample of a running average that weighs as a triangle does. It lets a little fold back that a good
 * filter would not; both sides fold alike, and at 48 kHz it costs a tenth.
 */
function narrowing(ratio: number): Narrowing {
  const weights = Float64Array.from({ length: ratio }, (_, index) => (index + 0.5) / (ratio * ratio))
  const before = new Float64Array(ratio)
  return (frame, ring) => {
    let rising = 0
    for (let index = 0; index < ratio; index += 1) rising += (before[index] as number) * (weights[index] as number)
    for (let at = 0; at + ratio <= frame.length; at += ratio) {
      let falling = 0
      let next = 0
      for (let index = 0; index < ratio; index += 1) {
        const sample = frame[at + index] as number
        next += sample * (weights[index] as number)
        falling += sample * (weights[ratio - 1 - index] as number)
      }
      ring.push(Math.round(rising + falling))
      rising = next
    }
    for (let index = 0; index < ratio; index += 1) before[index] = frame[frame.length - ratio + index] as number
  }
}
