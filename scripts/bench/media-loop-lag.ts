import { spread } from './media-figures.ts'

const lagEveryMs = 10

/** How late a timer of this process comes: what a frame on the same event loop would wait. */
export class LoopLag {
  private readonly values = new Float64Array(100_000)
  private count = 0
  private originMs = performance.now()
  private due = 1

  constructor() {
    this.arm()
  }

  restart(): void {
    this.count = 0
  }

  spread() {
    return spread(this.values.slice(0, this.count), ['p50', 'p99', 'max'])
  }

  private arm(): void {
    setTimeout(
      () => {
        const nowMs = performance.now()
        const lagMs = nowMs - this.originMs - this.due * lagEveryMs
        if (this.count < this.values.length) this.values[this.count++] = Math.max(0, lagMs)
        this.due = Math.floor((nowMs - this.originMs) / lagEveryMs + 0.5) + 1
        this.arm()
      },
      Math.max(1, this.originMs + this.due * lagEveryMs - performance.now()),
    )
  }
}
