import type { Clock, Milliseconds } from '#base/clock.ts'

/** Aura takes 20 flushes in 60 s; what is asked for beyond that is not spoken. */
const flushesMax = 20
const windowMs: Milliseconds = 60_000

export class FlushBudget {
  private readonly clock: Clock
  private times: Milliseconds[] = []

  constructor(clock: Clock) {
    this.clock = clock
  }

  get left(): number {
    this.forget()
    return flushesMax - this.times.length
  }

  /** Until there is one more; 0 where there is one. */
  get waitMs(): Milliseconds {
    this.forget()
    const [oldest] = this.times
    return oldest === undefined || this.times.length < flushesMax ? 0 : oldest + windowMs - this.clock.now()
  }

  spend(): void {
    this.times.push(this.clock.now())
  }

  /** Another connection counts anew. */
  reset(): void {
    this.times = []
  }

  private forget(): void {
    const oldMs = this.clock.now() - windowMs
    this.times = this.times.filter((each) => each > oldMs)
  }
}
