import type { Clock, Milliseconds } from '#base/clock.ts'

interface Timer {
  dueMs: Milliseconds
  /** Of timers due at the same moment the one armed first runs first. */
  readonly order: number
  readonly run: () => void
}

/**
 * Time that stands still until a test moves it. It keeps the promises of `Clock`: `after` once, `every` at absolute
 * deadlines and once when several were missed.
 *
 * `advance` runs each timer at its own moment, as an idle event loop would. `stall` jumps and runs what is due
 * afterwards, all of it late, as a blocked event loop does.
 */
export class ManualClock implements Clock {
  private nowMs: Milliseconds
  private readonly wallOffsetMs: Milliseconds
  private readonly timers: Timer[] = []
  private armed = 0

  /** Not zero by default, so that no code may mistake the start of time for "never". */
  constructor(startMs: Milliseconds = 50_000, wallMs: Milliseconds = Date.UTC(2026, 0, 2, 3, 4, 5)) {
    this.nowMs = startMs
    this.wallOffsetMs = wallMs - startMs
  }

  /** Timers that would still run: what a test of cleaning up counts. */
  get pending(): number {
    return this.timers.length
  }

  now(): Milliseconds {
    return this.nowMs
  }

  wallNow(): Milliseconds {
    return this.nowMs + this.wallOffsetMs
  }

  sleep(durationMs: Milliseconds, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = this.after(durationMs, resolve)
      signal?.addEventListener('abort', () => {
        timer[Symbol.dispose]()
        resolve()
      })
    })
  }

  after(durationMs: Milliseconds, action: () => void): Disposable {
    return this.arm(this.nowMs + Math.max(0, durationMs), action)
  }

  every(intervalMs: Milliseconds, tick: (nowMs: Milliseconds) => void): Disposable {
    let deadlineMs = this.nowMs + intervalMs
    let stopped = false
    const run = () => {
      deadlineMs += intervalMs * Math.max(1, Math.ceil((this.nowMs - deadlineMs) / intervalMs))
      try {
        tick(this.nowMs)
      } finally {
        if (!stopped) timer = this.arm(deadlineMs, run)
      }
    }
    let timer = this.arm(deadlineMs, run)
    return {
      [Symbol.dispose]: () => {
        stopped = true
        timer[Symbol.dispose]()
      },
    }
  }

  /** Lets `durationMs` pass; each timer runs exactly when it is due. */
  advance(durationMs: Milliseconds): void {
    const untilMs = this.nowMs + durationMs
    for (let timer = this.nextDue(untilMs); timer !== undefined; timer = this.nextDue(untilMs)) {
      this.nowMs = Math.max(this.nowMs, timer.dueMs)
      timer.run()
    }
    this.nowMs = untilMs
  }

  /** The event loop was blocked for `durationMs`: everything that was due meanwhile runs now, late. */
  stall(durationMs: Milliseconds): void {
    this.nowMs += durationMs
    this.advance(0)
  }

  private arm(dueMs: Milliseconds, action: () => void): Disposable {
    this.armed += 1
    const timer: Timer = {
      dueMs,
      order: this.armed,
      run: () => {
        this.remove(timer)
        action()
      },
    }
    this.timers.push(timer)
    return { [Symbol.dispose]: () => this.remove(timer) }
  }

  private remove(timer: Timer): void {
    const index = this.timers.indexOf(timer)
    if (index >= 0) this.timers.splice(index, 1)
  }

  private nextDue(untilMs: Milliseconds): Timer | undefined {
    return this.timers
      .filter((timer) => timer.dueMs <= untilMs)
      .sort((a, b) => a.dueMs - b.dueMs || a.order - b.order)
      .at(0)
  }
}

/** Lets promises that are resolved run on; no time passes. */
export async function settle(rounds = 50): Promise<void> {
  for (let round = 0; round < rounds; round += 1) await Promise.resolve()
}
