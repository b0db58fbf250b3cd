/** The newest samples of a stream, as many as fit: what a look-back is cut from. */
export class SampleRing {
  private readonly samples: Int16Array
  private next = 0
  private held = 0

  constructor(capacitySamples: number) {
    this.samples = new Int16Array(capacitySamples)
  }

  push(input: Int16Array): void {
    const { samples } = this
    // What does not reach round the end needs no cutting; this is the way of nearly every frame.
    if (this.next + input.length < samples.length) {
      samples.set(input, this.next)
      this.next += input.length
      this.held = Math.min(samples.length, this.held + input.length)
      return
    }
    const kept = input.length > samples.length ? input.subarray(input.length - samples.length) : input
    const first = Math.min(kept.length, samples.length - this.next)
    samples.set(kept.subarray(0, first), this.next)
    samples.set(kept.subarray(first), 0)
    this.next = (this.next + kept.length) % samples.length
    this.held = Math.min(samples.length, this.held + kept.length)
  }

  /** The newest `count` samples, oldest first; fewer when fewer are held. A copy. */
  newest(count: number): Int16Array<ArrayBuffer> {
    const { samples } = this
    const length = Math.max(0, Math.min(count, this.held))
    const output = new Int16Array(length)
    const start = (this.next - length + samples.length) % samples.length
    const first = Math.min(length, samples.length - start)
    output.set(samples.subarray(start, start + first), 0)
    output.set(samples.subarray(0, length - first), first)
    return output
  }

  clear(): void {
    this.next = 0
    this.held = 0
  }
}
