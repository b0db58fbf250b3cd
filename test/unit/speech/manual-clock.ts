import type { Clock, Milliseconds } from '#base/clock.ts'

interface Timer {
  atMs: Milliseconds
  readonly everyMs: Milliseconds | null
  readonly action: (nowMs: Milliseconds) => void
}

/** Time that moves only when the test says so. */
export class ManualClock implements Clock {
  private nowMs = 0
  private readonly timers = new Set<Timer>()

  now(): Milliseconds {
    return this.nowMs
  }

  wallNow(): Milliseconds {
    return this.nowMs
  }

  sleep(durationMs: Milliseconds, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.after(durationMs, resolve)
      signal?.addEventListener('abort', () => {
        timer[Symbol.dispose]()
        resolve()
      })
    })
  }

  after(durationMs: Milliseconds, action: () => void): Disposable {
    return this.add({ atMs: this.nowMs + durationMs, everyMs: null, action })
  }

  every(intervalMs: Milliseconds, action: (nowMs: Milliseconds) => void): Disposable {
    return this.add({ atMs: this.nowMs + intervalMs, everyMs: intervalMs, action })
  }

  /** Moves time on and runs what falls due, in order. */
  advance(durationMs: Milliseconds): void {
    const end = this.nowMs + durationMs
    for (let timer = this.next(end); timer !== undefined; timer = this.next(end)) {
      this.nowMs = timer.atMs
      if (timer.everyMs === null) this.timers.delete(timer)
      else timer.atMs += timer.everyMs
      timer.action(this.nowMs)
    }
    this.nowMs = end
  }

  get timerCount(): number {
    return this.timers.size
  }

  private add(timer: Timer): Disposable {
    this.timers.add(timer)
    return { [Symbol.dispose]: () => void this.timers.delete(timer) }
  }

  private next(end: Milliseconds): Timer | undefined {
    return [...this.timers].filter((timer) => timer.atMs <= end).sort((a, b) => a.atMs - b.atMs)[0]
  }
}
