import { levelDbfs } from '#audio/level.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'

/**
 * When the caller's line was last loud. The agent's server tells when speech begins and, with the words, that a turn is
 * over, but not when the voice fell silent; how quickly it answers is counted from there.
 */
const loudDbfs = -45

export class CallerEar {
  private readonly clock: Clock
  private loudMs: Milliseconds

  constructor(clock: Clock) {
    this.clock = clock
    this.loudMs = clock.now()
  }

  push(samples: Int16Array): void {
    if (levelDbfs(samples) > loudDbfs) this.loudMs = this.clock.now()
  }

  get quietMs(): Milliseconds {
    return this.clock.now() - this.loudMs
  }
}
