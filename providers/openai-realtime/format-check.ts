/**
 * Does what comes look like the format that was agreed? Bytes of one format read as another are loud, and no sample tells
 * much of the next. Of six recordings of people and made voices, a second each, read rightly: 1,600 to 4,800 RMS; µ-law
 * read as PCM: 17,400 to 18,700, of which two samples predict the third by 0.6 to 3.4 dB; PCM read as µ-law: 12,000 to
 * 17,600 and 2.1 to 4.2 dB. A voice as loud as that would still be predicted by 6 dB and more.
 *
 * Looks at the first second that is not quiet, and says so once; nothing is changed by it.
 */
const windowSamples = 8000
/** About −46 dBFS: below there is nothing to be told. */
const quietRms = 160
const loudRms = 9000
const gainMinDb = 5

export class FormatCheck {
  private readonly unlikely: () => void
  private left = windowSamples
  /** Sums of products of each sample with itself, the one before, and the one before that. */
  private r0 = 0
  private r1 = 0
  private r2 = 0
  private last = 0
  private beforeLast = 0

  constructor(unlikely: () => void) {
    this.unlikely = unlikely
  }

  push(samples: Int16Array): void {
    if (this.left <= 0) return
    const count = Math.min(samples.length, this.left)
    for (let index = 0; index < count; index += 1) {
      const sample = samples[index] as number
      this.r0 += sample * sample
      this.r1 += sample * this.last
      this.r2 += sample * this.beforeLast
      this.beforeLast = this.last
      this.last = sample
    }
    this.left -= count
    if (this.left <= 0) this.judge()
  }

  private judge(): void {
    const rms = Math.sqrt(this.r0 / windowSamples)
    if (rms > loudRms && this.gainDb < gainMinDb) this.unlikely()
    if (rms >= quietRms) return
    this.left = windowSamples
    this.r0 = 0
    this.r1 = 0
    this.r2 = 0
  }

  /** By how much two samples predict the third: Levinson's recursion, twice. */
  private get gainDb(): number {
    const first = this.r1 / this.r0
    const second = (this.r2 / this.r0 - first * first) / Math.max(1e-9, 1 - first * first)
    return -10 * Math.log10(Math.max(1e-9, (1 - first * first) * (1 - second * second)))
  }
}
