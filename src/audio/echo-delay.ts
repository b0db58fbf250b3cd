import { type EchoHistory, echoRateHz } from './echo-history.ts'
import { RealFft } from './fft.ts'

/**
 * How long an echo takes: the newest stretch of the line is laid against all that was sent in the time before, and the
 * lag at which both agree best is the one. Both are first made equally loud at all frequencies (a generalised
 * cross-correlation): two voices of one pitch agree at every one of their periods, but only a copy agrees in its phases.
 *
 * The lower half of the band is enough for it, and halves what it costs; the delay is then exact to a quarter of a
 * millisecond, and the filter that is learnt there does the rest.
 */
const rateHz = echoRateHz / 2
const size = 4096
/**
 * 600 ms is the longest echo there is to be found, and a little more is looked at. Before nothing was sent nothing can
 * come back; but where the line has lost some frames, it seems to.
 */
const lastMs = 620
const firstMs = -60
const lagMax = ((lastMs - firstMs) * rateHz) / 1000
const firstLag = (firstMs * rateHz) / 1000
/** Telephone bandwidth, as far as this rate has it. */
const firstBin = Math.round((100 / rateHz) * size)
const lastBin = Math.round((1850 / rateHz) * size)
/** Loudness is evened out over 7 bins; what is weaker than 5 % of the mean is not brought up to it. */
const smoothBins = 3
const weakShare = 0.05
/** A stretch of what was sent that is nearly silent agrees with anything. */
const quietShare = 0.02

export class EchoDelaySearch {
  /** Where the best agreement is. */
  delayMs = 0
  /** How good it is there, 0 to 1: about 0.2 where there is no echo, and 0.4 to 0.9 for one that nobody speaks over. */
  likeness = 0
  private readonly fft = new RealFft(size)
  private readonly sent = new Float64Array(size)
  private readonly heard = new Float64Array(size)
  private readonly wide = new Float64Array(2 * size)
  private readonly sums = new Float64Array(size + 1)

  private window = 0
  private heardEnergy = 0
  private sentEnergy = 0

  /** Searches with the line's samples from `end − windowMs` to `end`; the search of it is kept for `likenessNear`. */
  search(history: EchoHistory, end: number, windowMs: number): void {
    const { sent, heard, fft } = this
    const window = Math.min(size - lagMax, Math.round((windowMs * rateHz) / 1000))
    const from = end - 2 * window
    history.line.read(from - 1, 2 * window + 2, this.wide, 0)
    this.narrow(heard, window)
    history.reference.read(from - 2 * (lagMax + firstLag) - 1, 2 * (lagMax + window) + 2, this.wide, 0)
    this.narrow(sent, lagMax + window)
    fft.forward(heard)
    fft.forward(sent)
    this.window = window
    this.heardEnergy = this.whiten(heard)
    this.sentEnergy = this.whiten(sent)
    // The product with the conjugate takes the place of what was heard.
    for (let bin = 2 * firstBin; bin < 2 * lastBin; bin += 2) {
      const re = heard[bin] as number
      const im = heard[bin + 1] as number
      const otherRe = sent[bin] as number
      const otherIm = sent[bin + 1] as number
      heard[bin] = re * otherRe + im * otherIm
      heard[bin + 1] = re * otherIm - im * otherRe
    }
    fft.inverse(heard)
    fft.inverse(sent)
    this.pick()
  }

  /** How good the agreement of the last search is at this delay, or up to `aroundMs` beside it. */
  likenessNear(delayMs: number, aroundMs: number): number {
    const lag = (delayMs * rateHz) / 1000 - firstLag
    const around = (aroundMs * rateHz) / 1000
    let best = 0
    const last = Math.min(lagMax, Math.floor(lag + around))
    for (let each = Math.max(0, Math.ceil(lag - around)); each <= last; each += 1) {
      best = Math.max(best, this.squared(lagMax - each))
    }
    return Math.sqrt(best)
  }

  private pick(): void {
    const { sent, sums } = this
    for (let index = 0; index < size; index += 1)
      sums[index + 1] = (sums[index] as number) + (sent[index] as number) ** 2
    let best = 0
    let place = lagMax
    for (let index = 0; index <= lagMax; index += 1) {
      const squared = this.squared(index)
      if (squared <= best) continue
      best = squared
      place = index
    }
    this.likeness = Math.sqrt(best)
    this.delayMs = ((lagMax - place + firstLag) * 1000) / rateHz
  }

  /** The squared likeness of the line and what was sent from this place on. */
  private squared(place: number): number {
    const { sums } = this
    const product = this.heard[place] as number
    const sent = (sums[place + this.window] as number) - (sums[place] as number) + quietShare * this.sentEnergy
    const energies = sent * this.heardEnergy
    return energies > 0 ? (product * product) / energies : 0
  }

  /** Every second sample of `wide`, from its second on; what it loses above 2 kHz would else fold back. */
  private narrow(target: Float64Array, count: number): void {
    const { wide } = this
    for (let index = 0; index < count; index += 1) {
      const at = 2 * index
      const middle = (wide[at + 1] as number) + (wide[at + 2] as number)
      target[index] = ((wide[at] as number) + (wide[at + 3] as number) + 3 * middle) / 8
    }
    target.fill(0, count)
  }

  /** Evens out a spectrum in place, and answers the energy of its samples. */
  private whiten(spectrum: Float64Array): number {
    const { sums } = this
    const bins = size / 2
    for (let bin = 0; bin < bins; bin += 1) {
      const power = bin === 0 ? 0 : (spectrum[2 * bin] as number) ** 2 + (spectrum[2 * bin + 1] as number) ** 2
      sums[bin + 1] = (sums[bin] as number) + power
    }
    const weak = (weakShare * (sums[bins] as number)) / bins + Number.MIN_VALUE
    const width = 2 * smoothBins + 1
    spectrum.fill(0, 0, 2 * firstBin)
    spectrum.fill(0, 2 * lastBin)
    let energy = 0
    for (let bin = firstBin; bin < lastBin; bin += 1) {
      const around = ((sums[bin + smoothBins + 1] as number) - (sums[bin - smoothBins] as number)) / width
      const weight = 1 / Math.sqrt(around + weak)
      const re = (spectrum[2 * bin] as number) * weight
      const im = (spectrum[2 * bin + 1] as number) * weight
      spectrum[2 * bin] = re
      spectrum[2 * bin + 1] = im
      energy += re * re + im * im
    }
    // Each bin stands for its mirror image too.
    return (2 * energy) / size
  }
}
