/**
 * By how much a sender's sample clock runs ahead of ours, out of its timestamps and our arrival times. A packet's transit
 * is its arrival minus its media time; a network only ever adds to it, so the smallest of each second is compared with
 * the smallest of the first second. What is never sent (hold, silence suppression) says nothing either way.
 */
const windowMs = 1000
/** No network's jitter: the sender has begun to count anew, and what it drifted so far stays. */
const jumpMs = 1000

export class ClockDrift {
  private readonly perMs: number
  private ssrc = -1
  private timestamp = 0
  private mediaMs = 0
  private transitMs = 0
  private windowEndMs = 0
  private smallestMs = 0
  /** Smallest transit of the first whole second, and of the last one; null before. */
  private firstMs: number | null = null
  private lastMs = 0
  /** Of senders, or counts, before this one. */
  private pastMs = 0

  constructor(samplesPerMs: number) {
    this.perMs = samplesPerMs
  }

  get driftMs(): number {
    return this.pastMs + (this.firstMs === null ? 0 : this.firstMs - this.lastMs)
  }

  /** A packet, in whatever order; also one that comes twice. */
  arrived(ssrc: number, timestamp: number, nowMs: number): void {
    this.mediaMs += ((timestamp - this.timestamp) | 0) / this.perMs
    this.timestamp = timestamp
    const transitMs = nowMs - this.mediaMs
    const isAnew = ssrc !== this.ssrc || Math.abs(transitMs - this.transitMs) > jumpMs
    this.transitMs = transitMs
    if (isAnew) {
      this.ssrc = ssrc
      this.pastMs = this.driftMs
      this.firstMs = null
    } else if (nowMs < this.windowEndMs) {
      this.smallestMs = Math.min(this.smallestMs, transitMs)
      return
    } else {
      this.lastMs = this.smallestMs
      this.firstMs ??= this.smallestMs
    }
    this.smallestMs = transitMs
    this.windowEndMs = nowMs + windowMs
  }
}
