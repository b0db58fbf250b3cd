/**
 * The only door to time. Everything outside `base/` receives a Clock, so that a test can own time
 * and no deadline depends on which machine runs it.
 */
export type Milliseconds = number

export interface Clock {
  /** Monotonic milliseconds with a fraction; the origin is arbitrary. */
  now(): Milliseconds
  /** Milliseconds since 1970-01-01T00:00:00Z, for records and logs only: it may jump. */
  wallNow(): Milliseconds
  /** Resolves after `durationMs`; resolves early, without throwing, when `signal` aborts. */
  sleep(durationMs: Milliseconds, signal?: AbortSignal): Promise<void>
  /** Runs `action` once after `durationMs`, unless disposed of before. */
  after(durationMs: Milliseconds, action: () => void): Disposable
  /**
   * Runs `tick` at absolute deadlines `intervalMs` apart, so that lateness never adds up.
   * A tick that is late by several intervals is called once; `tick` sees the true time and catches up itself.
   */
  every(intervalMs: Milliseconds, tick: (nowMs: Milliseconds) => void): Disposable
}

export class SystemClock implements Clock {
  /** Timers that are armed, sleeps included: back to the number before when a call has left nothing behind. */
  timers = 0

  now(): Milliseconds {
    return performance.now()
  }

  wallNow(): Milliseconds {
    return Date.now()
  }

  sleep(durationMs: Milliseconds, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const finish = () => {
        this.timers -= 1
        clearTimeout(timer)
        signal?.removeEventListener('abort', finish)
        resolve()
      }
      this.timers += 1
      const timer = setTimeout(finish, durationMs)
      signal?.addEventListener('abort', finish, { once: true })
    })
  }

  after(durationMs: Milliseconds, action: () => void): Disposable {
    let armed = true
    const release = () => {
      if (armed) this.timers -= 1
      armed = false
    }
    this.timers += 1
    const timer = setTimeout(() => {
      release()
      action()
    }, durationMs)
    return {
      [Symbol.dispose]: () => {
        release()
        clearTimeout(timer)
      },
    }
  }

  every(intervalMs: Milliseconds, tick: (nowMs: Milliseconds) => void): Disposable {
    let stopped = false
    let deadline = performance.now() + intervalMs
    let timer: ReturnType<typeof setTimeout>
    const run = () => {
      if (stopped) return
      const now = performance.now()
      // The runtime rounds timers to whole milliseconds and may fire a fraction early: wait out the rest.
      if (now < deadline - 0.5) {
        timer = setTimeout(run, deadline - now)
        return
      }
      deadline += intervalMs * Math.max(1, Math.ceil((now - deadline) / intervalMs))
      try {
        tick(now)
      } finally {
        timer = setTimeout(run, Math.max(0, deadline - performance.now()))
      }
    }
    this.timers += 1
    timer = setTimeout(run, intervalMs)
    return {
      [Symbol.dispose]: () => {
        if (!stopped) this.timers -= 1
        stopped = true
        clearTimeout(timer)
      },
    }
  }
}
