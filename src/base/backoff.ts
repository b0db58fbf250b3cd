import type { Milliseconds } from './clock.ts'
import type { Random } from './random.ts'

/** Capped exponential waits with jitter: 0.5 to 1 times `first × 2^n`, never above `max`. */
export class Backoff {
  private readonly firstMs: Milliseconds
  private readonly maxMs: Milliseconds
  private readonly random: Random
  private attempts = 0

  constructor(firstMs: Milliseconds, maxMs: Milliseconds, random: Random) {
    this.firstMs = firstMs
    this.maxMs = maxMs
    this.random = random
  }

  next(): Milliseconds {
    // 2^20 × the first wait is past any sensible cap; the bound keeps the power finite.
    const full = Math.min(this.maxMs, this.firstMs * 2 ** Math.min(this.attempts, 20))
    this.attempts += 1
    return full * (0.5 + this.random.next() / 2)
  }

  reset(): void {
    this.attempts = 0
  }
}
