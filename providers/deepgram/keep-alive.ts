import type { Clock, Milliseconds } from '#base/clock.ts'

/** A session that is told nothing is ended by the server: after this much silence of ours it is told that we are there. */
const quietMaxMs: Milliseconds = 4000

export class KeepAlive {
  private readonly clock: Clock
  private readonly tell: () => void
  private lastMs: Milliseconds
  private timer: Disposable | null = null

  constructor(clock: Clock, tell: () => void) {
    this.clock = clock
    this.tell = tell
    this.lastMs = clock.now()
  }

  begin(): void {
    this.end()
    this.timer = this.clock.every(quietMaxMs, () => {
      if (this.clock.now() - this.lastMs >= quietMaxMs) this.tell()
    })
  }

  /** Audio was sent. */
  sent(): void {
    this.lastMs = this.clock.now()
  }

  end(): void {
    this.timer?.[Symbol.dispose]()
    this.timer = null
  }
}
