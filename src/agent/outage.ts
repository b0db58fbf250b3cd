import type { Clock, Milliseconds } from '#base/clock.ts'

/**
 * While there is no session nobody hears the caller, and nothing may be due that would notice it. So long an outage may
 * last before they are told to wait, and as long again before the call is given up.
 */
export interface OutageListener {
  wait(): void
  giveUp(): void
}

export class Outage {
  private readonly clock: Clock
  private readonly limitMs: Milliseconds
  private readonly listener: OutageListener
  private timer: Disposable | null = null

  constructor(clock: Clock, limitMs: Milliseconds, listener: OutageListener) {
    this.clock = clock
    this.limitMs = limitMs
    this.listener = listener
  }

  /** Idempotent while it lasts. */
  begins(): void {
    this.timer ??= this.clock.after(this.limitMs, () => {
      this.timer = this.clock.after(this.limitMs, () => this.listener.giveUp())
      this.listener.wait()
    })
  }

  ends(): void {
    this.timer?.[Symbol.dispose]()
    this.timer = null
  }
}
