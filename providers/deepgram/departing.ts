import type { Departure } from '#agent/provider.ts'
import type { Replies } from './replies.ts'

/**
 * How the agent leaves a call: once a function says so, with what has been said since the caller's turn as its farewell, or
 * with what the model makes of the function's result.
 */
export interface DepartingDeps {
  readonly replies: () => Replies
  readonly leave: (departure: Departure) => void
}

export class Departing {
  /** The agent has said something since the caller's turn. */
  spoke = false
  /** What comes now is not heard any more. */
  left = false
  private readonly deps: DepartingDeps
  private departure: Departure | null = null

  constructor(deps: DepartingDeps) {
    this.deps = deps
  }

  /** Functions have been answered, and one of them ends the agent's part. */
  decided(departure: Departure): void {
    if (!this.spoke) return this.deps.replies().expect({ kind: 'farewell', departure })
    this.departure = departure
    this.goOn()
  }

  /** A reply is over: where it was the last, the agent leaves. */
  goOn(): void {
    const { departure } = this
    if (departure === null || this.deps.replies().making) return
    this.departure = null
    this.leave(departure)
  }

  leave(departure: Departure): void {
    this.left = true
    this.deps.leave(departure)
  }

  /** The caller has gone on. */
  stay(): void {
    this.departure = null
  }
}
