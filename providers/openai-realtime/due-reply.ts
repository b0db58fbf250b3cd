import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Ask } from './asks.ts'

/** The reply that the caller waits for, and its deadline: what is done when that is over, the maker of replies knows. */
export interface Due {
  /** Null: the server makes it by itself. */
  ask: Ask | null
  readonly sinceMs: Milliseconds
  /** How often it was asked for once more. */
  attempts: number
  /** The caller has been told to wait. */
  filled: boolean
}

/** What it is asked for with: from now on we do. */
export function askOf(due: Due): Ask {
  due.ask ??= { kind: 'turn' }
  return due.ask
}

export class DueReply {
  now: Due | null = null
  private readonly clock: Clock
  private readonly timeoutMs: Milliseconds
  private readonly late: (due: Due) => void
  private watch: Disposable | null = null
  private retry: Disposable | null = null
  private postponed = false

  constructor(clock: Clock, timeoutMs: Milliseconds, late: (due: Due) => void) {
    this.clock = clock
    this.timeoutMs = timeoutMs
    this.late = late
  }

  arm(ask: Ask | null): void {
    this.disarm()
    this.now = { ask, sinceMs: this.clock.now(), attempts: 0, filled: false }
    this.watchAgain()
  }

  watchAgain(): void {
    const due = this.now
    this.postponed = false
    this.watch?.[Symbol.dispose]()
    this.watch = due === null ? null : this.clock.after(this.timeoutMs, () => this.late(due))
  }

  /** The deadline counts from the moment when nothing is heard any more. */
  postpone(): void {
    this.postponed = true
  }

  heard(): void {
    if (this.postponed) this.watchAgain()
  }

  retryIn(waitMs: Milliseconds, action: () => void): void {
    this.retry?.[Symbol.dispose]()
    this.retry = this.clock.after(waitMs, action)
  }

  disarm(): void {
    this.now = null
    this.postponed = false
    this.watch?.[Symbol.dispose]()
    this.watch = null
    this.retry?.[Symbol.dispose]()
    this.retry = null
  }
}
