/**
 * A queue of samples that takes chunks of any size and gives frames. It is bounded by a number of samples; what does
 * not fit is refused and counted by the owner, never silently cut.
 */
export class SampleQueue {
  private readonly samplesMax: number
  private chunks: Int16Array[] = []
  private head = 0
  private offset = 0
  private queued = 0

  constructor(samplesMax: number) {
    this.samplesMax = samplesMax
  }

  get length(): number {
    return this.queued
  }

  /** Copies the samples. `full`: nothing of them was taken. */
  push(samples: Int16Array): 'queued' | 'full' {
    if (this.queued + samples.length > this.samplesMax) return 'full'
    if (samples.length > 0) {
      this.chunks.push(samples.slice())
      this.queued += samples.length
    }
    return 'queued'
  }

  /** Fills `target` from the front of the queue and returns how many samples there were. */
  take(target: Int16Array): number {
    let filled = 0
    while (filled < target.length && this.head < this.chunks.length) {
      const chunk = this.chunks[this.head] as Int16Array
      const count = Math.min(target.length - filled, chunk.length - this.offset)
      // By hand: a view for each frame would cost more than its copying.
      for (let index = 0; index < count; index += 1) target[filled + index] = chunk[this.offset + index] as number
      filled += count
      this.offset += count
      if (this.offset === chunk.length) {
        this.head += 1
        this.offset = 0
      }
    }
    this.queued -= filled
    // Used chunks are let go in lots, so that taking a frame never moves the whole list.
    if (this.head === this.chunks.length || this.head > 256) {
      this.chunks.splice(0, this.head)
      this.head = 0
    }
    return filled
  }

  /** Puts samples before all others: they were taken and not used, so there is room for them. Copies. */
  putBack(samples: Int16Array): void {
    if (samples.length === 0) return
    const rest = this.chunks.slice(this.head)
    const [first] = rest
    if (first !== undefined) rest[0] = first.subarray(this.offset)
    this.chunks = [samples.slice(), ...rest]
    this.head = 0
    this.offset = 0
    this.queued += samples.length
  }

  clear(): void {
    this.chunks = []
    this.head = 0
    this.offset = 0
    this.queued = 0
  }
}
