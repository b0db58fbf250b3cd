/**
 * Does what comes look like the format that was agreed? Bytes of one format read as another are noise: neighbouring samples
 * have nothing to do with each other, and it is loud. Speech is neither: over a second of it, neighbours are alike. Looks
 * at the first second that is loud enough, and says so once; nothing is changed by it.
 */
const windowSamples = 8000
/** Below −46 dBFS of energy there is nothing to be told: about 160 of 32,768. */
const quietSquare = 160 * 160
/** Of speech read rightly 0.6 and more; of bytes read wrongly about 0. */
const likeness = 0.15

export class FormatCheck {
  private readonly unlikely: () => void
  private left = windowSamples
  private energy = 0
  private product = 0
  private last = 0

  constructor(unlikely: () => void) {
    this.unlikely = unlikely
  }

  push(samples: Int16Array): void {
    if (this.left <= 0) return
    const count = Math.min(samples.length, this.left)
    for (let index = 0; index < count; index += 1) {
      const sample = samples[index] as number
      this.energy += sample * sample
      this.product += sample * this.last
      this.last = sample
    }
    this.left -= count
    if (this.left > 0) return
    const loud = this.energy / windowSamples > quietSquare
    if (!loud) return this.again()
    if (this.product < likeness * this.energy) this.unlikely()
  }

  private again(): void {
    this.left = windowSamples
    this.energy = 0
    this.product = 0
  }
}
