import type { Clock, Milliseconds } from '#base/clock.ts'

/**
 * A server's session ends after an hour, whatever is being said then. From `renewAfterMs` on a pause is looked for in which
 * it can be made anew unheard; where there is none for three minutes, it is done all the same.
 */
export interface SessionAgeListener {
  /** Nobody speaks, and nothing is being made. */
  quiet(): boolean
  renew(): void
}

const lookEveryMs: Milliseconds = 500
const patienceMs: Milliseconds = 180_000

export class SessionAge {
  private readonly clock: Clock
  private readonly renewAfterMs: Milliseconds
  private readonly listener: SessionAgeListener
  private timer: Disposable | null = null

  constructor(clock: Clock, renewAfterMs: Milliseconds, listener: SessionAgeListener) {
    this.clock = clock
    this.renewAfterMs = renewAfterMs
    this.listener = listener
  }

  begins(): void {
    this.end()
    this.timer = this.clock.after(this.renewAfterMs, () => this.look(this.clock.now() + patienceMs))
  }

  end(): void {
    this.timer?.[Symbol.dispose]()
    this.timer = null
  }

  private look(untilMs: Milliseconds): void {
    this.timer = null
    if (this.listener.quiet() || this.clock.now() >= untilMs) return this.listener.renew()
    this.timer = this.clock.after(lookEveryMs, () => this.look(untilMs))
  }
}
