/**
 * Does what comes look like the format that was agreed? Bytes of one format read as another are loud, and no sample tells
 * much of the next. Of 183 recordings of people, made voices and shouts, a second each: read rightly up to 10,300 RMS;
 * µ-law read as PCM 16,700 and more, of which two samples predict the third by at most 4.3 dB; PCM read as µ-law mostly
 * 10,000 and more and less than 5 dB. What is neither that loud nor that wild is let pass: a false alarm would be worse.
 *
 * Looks at the first second that is not quiet, and says so once; nothing is changed by it.
 */
const windowSamples = 8000
/** About −46 dBFS: below there is nothing to be told. */
const quietRms = 160
/** Too loud for any voice, and even so not quite noise; or as loud as a shout, and noise. */
const verdicts = [
  { rms: 13_000, gainDb: 10 },
  { rms: 9000, gainDb: 5 },
]

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
    const { gainDb } = this
    if (verdicts.some((wrong) => rms > wrong.rms && gainDb < wrong.gainDb)) this.unlikely()
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
