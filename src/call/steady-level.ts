/**
 * Does a sound keep its level as no voice does? The tones of telephone networks (dialling, ringing, busy, 425 Hz among
 * them, which to the model of overlaps are hums), hum and buzz stay within a few tenths of a decibel; the steadiest of
 * the people and hums of the speech material, sung notes among them, move by 1.5 dB and more.
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
