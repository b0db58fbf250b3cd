import { overlapRateHz } from './overlap-features.ts'

/**
 * A leg's audio at 8 kHz, sample by sample and without an allocation: what the overlap model hears need not be good
 * enough for an ear, so a short filter will do. `audio/resample.ts` is the better one, and gives arrays.
 *
 * Each output is a windowed sinc over the inputs around it, 8 outputs' worth to both sides, which cuts off at 3.7 kHz.
 * Between two inputs the nearest of 32 filters is taken: 150 times finer than the filter's own steps at 8 kHz.
 */
const halfWidthOutputs = 8
const phaseCount = 32
const cutoffShare = 0.925

export class OverlapRate {
  private readonly step: number
  private readonly taps: number
  private readonly filters: Float64Array
  /** Twice the newest inputs, so that a filter always lies over one piece. */
  private readonly newest: Float64Array
  private at = 0
  /** Of the next output, in inputs after the newest one; the filter's right half must be there by then. */
  private due = 0

  constructor(sampleRateHz: number) {
    this.step = sampleRateHz / overlapRateHz
    this.taps = 2 * Math.ceil(halfWidthOutputs * this.step)
    this.filters = design(this.taps, this.step)
    this.newest = new Float64Array(2 * this.taps)
  }

  reset(): void {
    this.newest.fill(0)
    this.at = 0
    this.due = 0
  }

  /**
   * One input. The rate is 8 kHz or higher, so there is one output at most.
   * @returns whether `output` is a new sample
   */
  push(sample: number): boolean {
    this.at = this.at === 0 ? this.taps - 1 : this.at - 1
    this.newest[this.at] = sample
    this.newest[this.at + this.taps] = sample
    this.due -= 1
    return this.due < 0
  }

  /** The sample that `push` said was due. */
  take(): number {
    // By so much of an input the output lies before the newest place it can have.
    const phase = Math.min(phaseCount - 1, Math.floor((1 + this.due) * phaseCount))
    this.due += this.step
    const { newest, filters, taps, at } = this
    let sum = 0
    for (let tap = 0, from = phase * taps; tap < taps; tap++, from++) {
      sum += (filters[from] as number) * (newest[at + tap] as number)
    }
    return sum
  }
}

function design(taps: number, step: number): Float64Array {
  const filters = new Float64Array(phaseCount * taps)
  for (let phase = 0; phase < phaseCount; phase++) {
    let sum = 0
    for (let tap = 0; tap < taps; tap++) {
      const distance = (tap - (taps / 2 - 1) - (phaseCount - 0.5 - phase) / phaseCount) / step
      const x = Math.PI * distance * cutoffShare
      const inWindow = Math.min(1, Math.abs(distance) / (halfWidthOutputs + 1))
      const value = (x === 0 ? 1 : Math.sin(x) / x) * (0.5 + 0.5 * Math.cos(Math.PI * inWindow))
      filters[phase * taps + tap] = value
      sum += value
    }
    for (let tap = 0; tap < taps; tap++) filters[phase * taps + tap] = (filters[phase * taps + tap] as number) / sum
  }
  return filters
}
