import type { EchoHistory } from './echo-history.ts'
import { type EchoWork, echoWork, filterTaps, shortTransform, stretchSamples, transform } from './echo-work.ts'

/**
 * What the way from our mouth to our ear makes of a voice, learnt as a filter: the line's echo is what was sent, so many
 * milliseconds ago, through 56 ms of taps. It is solved for in whole (least squares over the last seconds) and not
 * nudged sample by sample: it is right after half a second of speech, and costs nothing while nobody learns.
 *
 * A caller who speaks over the echo spoils little: each stretch counts the less, the louder what the filter cannot
 * explain in it. And each solution is tried on the stretch that comes after it, which it has not seen, before it is used.
 */

/** Weight of a stretch against the one after it: half of it is forgotten in 0.85 s of speech. */
const memory = 0.85
/** No filter explains a telephone's echo to better than 30 dB; and white noise of as much keeps the solution tame. */
const unexplainedMin = 1e-3
/** However well an old stretch was explained, it counts ten times as much as one that was not: else no drift is followed. */
const trustShare = 0.1
/** The mean age of what is remembered, in stretches: memory / (1 − memory). */
const ageStretches = memory / (1 - memory)
/** A drift is believed by a tenth at a time, from stretches that are explained well, and up to 100 ppm. */
const driftStep = 0.1
const clearShare = 0.4
const driftMax = stretchSamples * 1e-4
const shiftMin = 0.01

/**
 * A voice falls by some 6 dB an octave, and what is weak in it would be guessed only. So its highs weigh more in what is
 * learnt: the squared response of 1 − 0.9 z⁻¹, which undoes the fall.
 */
const emphasis = Float64Array.from({ length: transform }, (_, index) => {
  const bin = index === 1 ? transform / 2 : index >> 1
  return 1 + 0.81 - 1.8 * Math.cos((2 * Math.PI * bin) / transform)
})

export class EchoFilter {
  /** Samples from what was sent to the filter's first tap. */
  delay: number
  /** Of the newest stretch: energy of the line, of what the filter in use left of it, of what it predicted … */
  lineEnergy = 0
  leftEnergy = 0
  echoEnergy = 0
  /** … and of what was sent. */
  sentEnergy = 0
  /** A filter is in use: on some stretch it has left less than was there. */
  usable = false
  private readonly used = new Float64Array(transform)
  private readonly usedShort = new Float64Array(shortTransform)
  private readonly tried = new Float64Array(transform)
  private readonly triedTaps = new Float64Array(filterTaps)
  private triedReady = false
  /** How well all that is remembered was explained, in stretches: 1 for each where nothing was. */
  private certainty = 0
  private readonly autoPower = new Float64Array(transform)
  private readonly crossPower = new Float64Array(transform)
  private readonly work: EchoWork = echoWork()
  /** By how many samples the echo comes later with each stretch: two clocks, or one that is not quite 8 kHz. */
  private drift = 0
  private followedTo = 0

  constructor(delay: number) {
    this.delay = delay
  }

  /** The same way, so many samples longer: some queue on it holds another number of frames. */
  slip(samples: number): void {
    this.delay += samples
  }

  /** Another delay, and what was gathered is void. The filter in use stays until a better one comes. */
  moveTo(delay: number): void {
    this.delay = delay
    this.drift = 0
    this.autoPower.fill(0)
    this.crossPower.fill(0)
    this.certainty = 0
    this.triedReady = false
  }

  /**
   * Learns from the line's 200 ms from `from` on, and from what was sent before them.
   * @param noise energy of one sample of the line when it is quiet
   */
  learn(history: EchoHistory, from: number, noise: number): void {
    const { sent, line, part, fft } = this.work
    this.follow(from)
    history.reference.read(from - this.delay - filterTaps, transform, sent, 0)
    line.fill(0, 0, filterTaps)
    history.line.read(from, stretchSamples, line, filterTaps)
    this.sentEnergy = energyOf(sent, filterTaps, stretchSamples)
    this.lineEnergy = energyOf(line, filterTaps, stretchSamples)
    fft.forward(sent)
    this.judge()
    part.fill(0, 0, filterTaps)
    history.reference.read(from - this.delay, stretchSamples, part, filterTaps)
    this.gather(noise)
    this.solve()
  }

  /** Moves all that was learnt by what the echo has drifted since. */
  private follow(position: number): void {
    // A way that keeps its length has followed it however long that was.
    if (this.drift === 0) this.followedTo = position
    const shift = (this.drift * (position - this.followedTo)) / stretchSamples
    if (Math.abs(shift) < shiftMin) return
    this.followedTo = position
    for (const spectrum of [this.crossPower, this.used, this.usedShort, this.tried]) delayed(spectrum, shift)
  }

  /**
   * How much later than predicted the echo came, in samples: the line is the prediction and as much of its slope as it
   * is late. What is remembered is older than what is heard by `ageStretches`, so that a drift shows as a delay.
   */
  private hearDrift(): void {
    const { line, part } = this.work
    let product = 0
    let energy = 1
    for (let index = filterTaps + 1; index < transform - 1; index += 1) {
      const slope = ((part[index + 1] as number) - (part[index - 1] as number)) / 2
      product += ((part[index] as number) - (line[index] as number)) * slope
      energy += slope * slope
    }
    const step = product / energy / ageStretches
    this.drift = Math.max(-driftMax, Math.min(driftMax, this.drift + driftStep * step))
  }

  /** Tries both filters on the stretch that neither has seen. */
  private judge(): void {
    this.leftEnergy = this.lineEnergy
    this.echoEnergy = 0
    if (this.usable) {
      this.leftEnergy = this.tryOut(this.used)
      if (this.leftEnergy < clearShare * this.lineEnergy) this.hearDrift()
    }
    if (!this.triedReady) return
    const usedEcho = this.echoEnergy
    const left = this.tryOut(this.tried)
    if (left >= this.leftEnergy) {
      this.echoEnergy = usedEcho
      return
    }
    this.leftEnergy = left
    this.used.set(this.tried)
    this.usedShort.fill(0)
    this.usedShort.set(this.triedTaps)
    this.work.fftShort.forward(this.usedShort)
    this.usable = true
  }

  /** What a filter leaves of the line's stretch. */
  private tryOut(filter: Float64Array): number {
    const { sent, part, line, fft } = this.work
    multiply(sent, filter, part)
    fft.inverse(part)
    this.echoEnergy = energyOf(part, filterTaps, stretchSamples)
    return energyLeft(line, filterTaps, part, filterTaps, stretchSamples)
  }

  private gather(noise: number): void {
    const { fft, sent, line, part } = this.work
    fft.forward(part)
    fft.forward(line)
    const floor = stretchSamples * (noise + 1) + trustShare * this.lineEnergy
    const weight = 1 / (Math.min(this.leftEnergy, this.lineEnergy) + floor)
    accumulate(part, sent, weight, this.autoPower)
    accumulate(line, sent, weight, this.crossPower)
    this.certainty = this.certainty * memory + weight * this.lineEnergy
  }

  private solve(): void {
    const { fft, part, line, solver } = this.work
    const { triedTaps, tried } = this
    part.set(this.autoPower)
    line.set(this.crossPower)
    fft.inverse(part)
    fft.inverse(line)
    // So little is known of so many taps at first that each is held near zero, as its likely size commands.
    const doubt = filterTaps / stretchSamples / Math.max(this.certainty, Number.MIN_VALUE)
    part[0] = (part[0] as number) * (1 + unexplainedMin + doubt)
    this.triedReady = solver.solve(part, line, triedTaps)
    if (!this.triedReady) {
      // A voice that fades within a stretch leaves no true autocorrelation: it is made one, and the answer is smaller.
      part[0] = (part[0] as number) * 2
      this.triedReady = solver.solve(part, line, triedTaps)
    }
    if (!this.triedReady) return
    tried.fill(0)
    tried.set(triedTaps)
    fft.forward(tried)
  }

  /** Fills `echo` with what the line's `count` samples from `from` on should hold of what was sent; 1,600 at most. */
  predict(history: EchoHistory, from: number, count: number, echo: Float64Array): void {
    const short = filterTaps + count <= shortTransform
    const sent = short ? this.work.sentShort : this.work.sent
    const fft = short ? this.work.fftShort : this.work.fft
    const read = filterTaps + count
    this.follow(from)
    history.reference.read(from - this.delay - filterTaps, read, sent, 0)
    sent.fill(0, read)
    fft.forward(sent)
    multiply(sent, short ? this.usedShort : this.used, sent)
    fft.inverse(sent)
    for (let index = 0; index < count; index += 1) echo[index] = sent[filterTaps + index] as number
  }
}

export function energyOf(samples: Float64Array, from: number, count: number): number {
  let sum = 0
  for (let index = from; index < from + count; index += 1) sum += (samples[index] as number) ** 2
  return sum
}

/** Energy of what remains of the line when the echo is taken away. */
export function energyLeft(
  line: Float64Array,
  lineFrom: number,
  echo: Float64Array,
  echoFrom: number,
  count: number,
): number {
  let sum = 0
  for (let index = 0; index < count; index += 1) {
    sum += ((line[lineFrom + index] as number) - (echo[echoFrom + index] as number)) ** 2
  }
  return sum
}

/** Products of two spectra, in the manner of `RealFft`. */
function multiply(one: Float64Array, other: Float64Array, product: Float64Array): void {
  product[0] = (one[0] as number) * (other[0] as number)
  product[1] = (one[1] as number) * (other[1] as number)
  for (let index = 2; index < one.length; index += 2) {
    const re = one[index] as number
    const im = one[index + 1] as number
    const otherRe = other[index] as number
    const otherIm = other[index + 1] as number
    product[index] = re * otherRe - im * otherIm
    product[index + 1] = re * otherIm + im * otherRe
  }
}

/** The spectrum of the same samples, so many later. */
function delayed(spectrum: Float64Array, samples: number): void {
  const step = (-2 * Math.PI * samples) / spectrum.length
  const stepRe = Math.cos(step)
  const stepIm = Math.sin(step)
  let turnRe = stepRe
  let turnIm = stepIm
  for (let index = 2; index < spectrum.length; index += 2) {
    const re = spectrum[index] as number
    const im = spectrum[index + 1] as number
    spectrum[index] = re * turnRe - im * turnIm
    spectrum[index + 1] = re * turnIm + im * turnRe
    const nextRe = turnRe * stepRe - turnIm * stepIm
    turnIm = turnRe * stepIm + turnIm * stepRe
    turnRe = nextRe
  }
}

/** Adds the product with the conjugate of `other`, weighted, to what is remembered. */
function accumulate(one: Float64Array, other: Float64Array, weight: number, sum: Float64Array): void {
  sum[0] = (sum[0] as number) * memory + weight * (emphasis[0] as number) * (one[0] as number) * (other[0] as number)
  sum[1] = (sum[1] as number) * memory + weight * (emphasis[1] as number) * (one[1] as number) * (other[1] as number)
  for (let index = 2; index < one.length; index += 2) {
    const re = one[index] as number
    const im = one[index + 1] as number
    const otherRe = other[index] as number
    const otherIm = other[index + 1] as number
    const binWeight = weight * (emphasis[index] as number)
    sum[index] = (sum[index] as number) * memory + binWeight * (re * otherRe + im * otherIm)
    sum[index + 1] = (sum[index + 1] as number) * memory + binWeight * (im * otherRe - re * otherIm)
  }
}
