/**
 * What the engine orders of a session. Whoever gave an order hears nothing of what it led to before the order returns; and
 * what an earlier order has left for later is void once another has been given.
 */
export class Orders {
  private readonly over: () => boolean
  private count = 0

  /** @param over the session's end: nothing is left for later then */
  constructor(over: () => boolean) {
    this.over = over
  }

  given(): void {
    this.count += 1
  }

  later(action: () => void): void {
    const { count } = this
    void Promise.resolve().then(() => {
      if (!this.over() && count === this.count) action()
    })
  }
}
