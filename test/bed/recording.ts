import type { Milliseconds } from '#base/clock.ts'

/** Frames arrive a little early or late on a real line; only what is later than this was a hole. A track is no truer. */
export const jitterMs: Milliseconds = 60

/** One direction of a line on a clock: what came later than it should leaves silence before it. */
export class Track {
  private samples = new Int16Array(16_000)
  private filled = 0
  private readonly originMs: Milliseconds
  private readonly perMs: number

  constructor(originMs: Milliseconds, sampleRateHz: number) {
    this.originMs = originMs
    this.perMs = sampleRateHz / 1000
  }

  place(samples: Int16Array, atMs: Milliseconds): void {
    const wanted = this.at(atMs)
    if (wanted > this.filled + jitterMs * this.perMs) this.reach(wanted)
    const from = this.filled
    this.reach(from + samples.length)
    this.samples.set(samples, from)
  }

  /** All of it so far. */
  get all(): Int16Array {
    return this.samples.subarray(0, this.filled)
  }

  /** Which sample stands at this time. */
  at(ms: Milliseconds): number {
    return Math.round((ms - this.originMs) * this.perMs)
  }

  /** The samples from this one on, added to `target` with this gain; silence where there is nothing yet. */
  mixInto(target: Int32Array, from: number, gain: number): void {
    for (let index = 0; index < target.length; index += 1) {
      const at = from + index
      if (at < 0 || at >= this.filled) continue
      target[index] = (target[index] as number) + Math.round((this.samples[at] as number) * gain)
    }
  }

  private reach(length: number): void {
    if (length > this.samples.length) {
      const larger = new Int16Array(Math.max(length, this.samples.length * 2))
      larger.set(this.all)
      this.samples = larger
    }
    this.filled = length
  }
}
