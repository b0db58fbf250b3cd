import type { Clock, Milliseconds } from '#base/clock.ts'
import { ManualClock } from './manual-clock.ts'

/** For a server that is there before the call whose clock counts: it follows that clock from when it is told of it. */
export class FollowingClock implements Clock {
  inner: Clock = new ManualClock()

  now(): Milliseconds {
    return this.inner.now()
  }

  wallNow(): Milliseconds {
    return this.inner.wallNow()
  }

  sleep(durationMs: Milliseconds, signal?: AbortSignal): Promise<void> {
    return this.inner.sleep(durationMs, signal)
  }

  after(durationMs: Milliseconds, action: () => void): Disposable {
    return this.inner.after(durationMs, action)
  }

  every(intervalMs: Milliseconds, tick: (nowMs: Milliseconds) => void): Disposable {
    return this.inner.every(intervalMs, tick)
  }
}
