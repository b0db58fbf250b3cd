import { PitchSearch } from './pitch.ts'

/**
 * Samples that are next to be heard, without a hole. It can be made shorter by one pitch period, two periods fading
 * into each other: the pitch stays, nothing clicks, and a vowel is 5 to 15 ms shorter than it was spoken.
 */

/** Likeness from which the shortening cannot be heard. */
const likenessMin = 0.85
/** About −54 dBFS: below it, whatever is left out is not missed. */
const quietRms = 65

export class SampleLine {
  length = 0
  private readonly samples: Int16Array
  private readonly pitch: PitchSearch
  private readonly window: number

  constructor(sampleRateHz: number, samplesMax: number) {
    this.samples = new Int16Array(samplesMax)
    this.pitch = new PitchSearch(sampleRateHz)
    this.window = sampleRateHz / 100
  }

  get room(): number {
    return this.samples.length - this.length
  }

  push(source: Int16Array, from: number, to: number): void {
    for (let index = from; index < to; index += 1) this.samples[this.length + index - from] = source[index] as number
    this.length += to - from
  }

  /** Moves up to `count` samples to `target[from…]` and answers how many there were. */
  take(target: Int16Array, from: number, count: number): number {
    const taken = Math.min(count, this.length)
    for (let index = 0; index < taken; index += 1) target[from + index] = this.samples[index] as number
    this.drop(taken)
    return taken
  }

  drop(count: number): void {
    this.samples.copyWithin(0, count, this.length)
    this.length -= count
  }

  /**
   * Leaves out one period, `spare` samples at most, and answers how many it was; 0 where it would be heard, unless it is
   * `urgent`.
   */
  shorten(spare: number, urgent: boolean): number {
    const { samples, pitch, window } = this
    const lagMax = Math.min(pitch.lagMax, spare, this.length >> 1, this.length - window)
    if (lagMax < pitch.lagMin) return 0
    pitch.search(samples, 0, window, 1, lagMax)
    if (pitch.likeness < likenessMin && !urgent && !this.isQuiet(window + lagMax)) return 0
    const { lag } = pitch
    // One period fades into the next.
    for (let index = 0; index < lag; index += 1) {
      const share = (index + 0.5) / lag
      samples[lag + index] = Math.round(
        (samples[index] as number) * (1 - share) + (samples[lag + index] as number) * share,
      )
    }
    this.drop(lag)
    return lag
  }

  private isQuiet(count: number): boolean {
    let sum = 0
    for (let index = 0; index < count; index += 1) sum += (this.samples[index] as number) ** 2
    return sum < quietRms * quietRms * count
  }
}
