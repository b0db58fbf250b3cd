/**
 * Does a sound keep its level as no voice does? The tones of telephone networks (dialling, ringing, busy: 425 Hz is a hum
 * to the model of overlaps), hum and buzz stay within a few tenths of a decibel; people move by more, also where they
 * sing a note. A hum that is held as evenly as a tone is lost with it.
 */
const frames = 15
const steadyDb = 1.2
/** A frame in which a tone begins or ends is quieter: the lowest few say nothing. */
const edgeFrames = 3

export class SteadyLevel {
  private readonly levels = new Float64Array(frames)
  private readonly sorted = new Float64Array(frames)
  private count = 0

  /** Another sound. */
  restart(): void {
    this.count = 0
  }

  /** Of a frame in which it sounds, in dBFS. */
  add(dbfs: number): void {
    this.levels[this.count % frames] = dbfs
    this.count += 1
  }

  /** By the newest 300 ms of the sound; not known, and so not steady, before there is so much of it. */
  get steady(): boolean {
    if (this.count < frames) return false
    this.sorted.set(this.levels)
    this.sorted.sort()
    return (this.sorted[frames - 1] as number) - (this.sorted[edgeFrames] as number) < steadyDb
  }
}
