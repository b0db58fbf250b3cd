import type { Clock, Milliseconds } from '#base/clock.ts'

/**
 * Whether this machine keeps up: how late the 20 ms tick comes (the event loop's lag), and how late the last call's frame
 * leaves (lag, and the work for all the calls before it). Judged over the last second, so that one pause decides
 * nothing: the lag by what nine of ten ticks keep, the lateness by the middle one. The second is the early sign: the work
 * of a tick grows with the calls long before anything is late, and what is written must be read, too, so a tick whose
 * work takes 6 of its 20 ms belongs to an event loop that is nearly full.
 */
export interface LoadLimits {
  readonly loopLagMs: Milliseconds
  readonly pacingLatenessMs: Milliseconds
}

const ticksKept = 50
const lagShare = 0.9
const latenessShare = 0.5
/** Without calls no tick comes: what was measured before says nothing any more. */
const staleMs: Milliseconds = 1000

export class LoadMeter {
  private readonly clock: Clock
  private readonly limits: () => LoadLimits
  private readonly lags = new Float64Array(ticksKept)
  private readonly latenesses = new Float64Array(ticksKept)
  private next = 0
  private kept = 0
  private lastMs = Number.NEGATIVE_INFINITY

  /** `limits`: asked whenever it is judged. */
  constructor(clock: Clock, limits: () => LoadLimits) {
    this.clock = clock
    this.limits = limits
  }

  /** One tick: when it began and when its last frame had left, both against its due time. */
  observe(lagMs: Milliseconds, latenessMs: Milliseconds): void {
    const now = this.clock.now()
    // A pause that is the tick's own lateness is no pause between calls.
    if (now - this.lastMs - lagMs > staleMs) {
      this.kept = 0
      this.next = 0
    }
    this.lastMs = now
    this.lags[this.next] = lagMs
    this.latenesses[this.next] = latenessMs
    this.next = (this.next + 1) % ticksKept
    this.kept = Math.min(ticksKept, this.kept + 1)
  }

  get loopLagMs(): Milliseconds {
    return this.quantile(this.lags, lagShare)
  }

  get pacingLatenessMs(): Milliseconds {
    return this.quantile(this.latenesses, latenessShare)
  }

  get overloaded(): boolean {
    const { loopLagMs, pacingLatenessMs } = this.limits()
    return this.loopLagMs > loopLagMs || this.pacingLatenessMs > pacingLatenessMs
  }

  /** What this share of the ticks did not exceed. */
  private quantile(values: Float64Array, share: number): Milliseconds {
    // Half of them at least: the first ticks of the first call are no measure.
    if (this.kept < ticksKept / 2 || this.clock.now() - this.lastMs > staleMs) return 0
    const sorted = values.slice(0, this.kept).sort()
    return sorted[Math.ceil(this.kept * share) - 1] ?? 0
  }
}
