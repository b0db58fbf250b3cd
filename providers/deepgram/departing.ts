import type { Departure } from '#agent/provider.ts'
import type { Replies } from './replies.ts'

/**
 * How the agent leaves a call once a function says so: what has been said since the caller's turn is its farewell, else
 * what the model makes of the function's result. From the first sound of the farewell on nobody interrupts it.
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

  constructor(deps: DepartingDeps) {
    this.deps = deps
  }

  /**
   * Functions have been answered, and one of them ends the agent's part.
   * @param asked by the session that there is: another one makes nothing of the result
   * @returns whether a farewell is waited for
   */
  decided(departure: Departure, asked: boolean): boolean {
    const waits = !this.spoke && asked
    if (waits) this.deps.replies().expect({ kind: 'farewell', departure })
    else this.leave(departure)
    return waits
  }

  leave(departure: Departure): void {
    this.left = true
    this.deps.leave(departure)
  }
}
