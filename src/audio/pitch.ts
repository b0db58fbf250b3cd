/**
 * How far apart a stretch of sound repeats itself: its pitch period where a voice is in it, and where none is, the
 * distance at which two stretches can be joined with the least harm. Made-up sound and shortened sound both ask for it.
 */

/** 400 Hz down to 67 Hz: every speaking voice, and short enough to be found in 35 ms of sound. */
const lagMinMs = 2.5
export const lagMaxMs = 15
/** Beyond telephone bandwidth nothing helps to find a pitch: at 48 kHz every sixth sample is looked at. */
const searchRateHz = 8000

export class PitchSearch {
  /** Samples after which the sound is most like itself, by the last search. */
  lag = 0
  /** Normalised correlation at that lag: 1 is the same sound, 0 another. */
  likeness = 0
  readonly lagMin: number
  readonly lagMax: number
  private readonly stride: number

  constructor(sampleRateHz: number) {
    this.lagMin = Math.floor((sampleRateHz * lagMinMs) / 1000)
    this.lagMax = Math.floor((sampleRateHz * lagMaxMs) / 1000)
    this.stride = Math.max(1, Math.round(sampleRateHz / searchRateHz))
  }

  /**
   * Compares `window` samples from `at` with those `lag` samples later (`direction` 1) or earlier (−1), for all lags up
   * to `lagMax`; all of them must lie within `samples`.
   */
  search(samples: Int16Array, at: number, window: number, direction: 1 | -1, lagMax = this.lagMax): void {
    this.likeness = -1
    this.lag = lagMax
    for (let lag = this.lagMin; lag <= lagMax; lag += this.stride) {
      this.consider(samples, at, window, direction, lag, this.stride)
    }
    if (this.stride === 1) return
    // The neighbours that the stride jumped over.
    const coarse = this.lag
    for (let lag = coarse - this.stride + 1; lag < coarse + this.stride; lag += 1) {
      if (lag !== coarse && lag >= this.lagMin && lag <= lagMax) {
        this.consider(samples, at, window, direction, lag, this.stride)
      }
    }
  }

  private consider(samples: Int16Array, at: number, window: number, direction: 1 | -1, lag: number, stride: number) {
    const shift = direction * lag
    let product = 0
    let energy = 1
    let otherEnergy = 1
    for (let index = at; index < at + window; index += stride) {
      const one = samples[index] as number
      const other = samples[index + shift] as number
      product += one * other
      energy += one * one
      otherEnergy += other * other
    }
    const likeness = product / Math.sqrt(energy * otherEnergy)
    if (likeness <= this.likeness) return
    this.likeness = likeness
    this.lag = lag
  }
}
