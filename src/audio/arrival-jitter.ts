/**
 * How much later than the fastest of them packets arrive, and the delay that makes nearly all of them arrive in time.
 * "Fastest" is the smallest transit of the last few seconds, so that a sender whose clock runs differently from ours
 * (200 ppm are 0.8 ms in 4 s) is followed and its drift is not taken for jitter.
 */

const windowMs = 500
const windows = 8
const bucketMs = 5
/** Of the packets this share shall be in time: beyond, delay costs more than a concealed frame. */
const inTimeShare = 0.98
/** 4 s of packets of 20 ms weigh most: a delay that is not needed any more is given up within some 15 s. */
const packetsRemembered = 200

export class ArrivalJitter {
  private readonly delayMaxMs: number
  /** Share of packets by lateness, in steps of `bucketMs`; the last one holds all that is beyond. */
  private readonly shares: Float64Array
  private readonly fastest = new Float64Array(windows).fill(Number.POSITIVE_INFINITY)
  private window = Number.NEGATIVE_INFINITY
  private packets = 0
  /** Smallest transit of the last 4 s. */
  baseMs = 0
  /** Delay, on top of the fastest packet's, by which 98 % arrive. */
  targetMs = bucketMs

  constructor(delayMaxMs: number) {
    this.delayMaxMs = delayMaxMs
    this.shares = new Float64Array(Math.ceil(delayMaxMs / bucketMs) + 1)
  }

  /** `transitMs` is arrival minus media time: only differences of it mean anything. */
  arrived(nowMs: number, transitMs: number): void {
    this.follow(nowMs, transitMs)
    const { shares } = this
    const bucket = Math.min(shares.length - 1, Math.floor((transitMs - this.baseMs) / bucketMs))
    this.packets = Math.min(packetsRemembered, this.packets + 1)
    const weight = 1 / this.packets
    for (let index = 0; index < shares.length; index += 1) shares[index] = (shares[index] as number) * (1 - weight)
    shares[bucket] = (shares[bucket] as number) + weight
    let inTime = 0
    let last = -1
    // Rounding may leave the sum of all a hair below one.
    while (inTime < inTimeShare && last < shares.length - 1) {
      last += 1
      inTime += shares[last] as number
    }
    this.targetMs = Math.min(this.delayMaxMs, (last + 1) * bucketMs)
  }

  private follow(nowMs: number, transitMs: number): void {
    const { fastest } = this
    const window = Math.floor(nowMs / windowMs)
    for (let index = Math.max(this.window + 1, window - windows + 1); index <= window; index += 1) {
      fastest[((index % windows) + windows) % windows] = Number.POSITIVE_INFINITY
    }
    this.window = Math.max(this.window, window)
    const slot = ((window % windows) + windows) % windows
    fastest[slot] = Math.min(fastest[slot] as number, transitMs)
    let base = Number.POSITIVE_INFINITY
    for (const each of fastest) if (each < base) base = each
    this.baseMs = base
  }
}
