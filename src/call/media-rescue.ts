import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Leg } from './leg.ts'
import type { MediaPath } from './media-path.ts'

/**
 * A media path that is lost in mid-call is made anew. The reply waits until the new leg is there and its channel is in
 * the bridge: what is written before that nobody hears. A path that had not been alive is not made anew, since the next
 * one would be as dead.
 */
const attemptsMax = 3
/** All of it, from the loss to the first frame on the new leg. */
const attemptMaxMs: Milliseconds = 3000
const aliveMs: Milliseconds = 5000

export interface MediaRescueDeps {
  readonly clock: Clock
  readonly media: MediaPath
  /** False where no other path can be made; never throws. */
  readonly reopen: () => Promise<boolean>
  /** Takes the leg in use out of it, where there is one, and closes it. */
  readonly detach: () => void
  readonly gaveUp: () => void
}

export class MediaRescue {
  private readonly deps: MediaRescueDeps
  private limit: Disposable | null = null
  private attempts = 0
  /** The new channel is in the bridge. */
  private joined = false

  constructor(deps: MediaRescueDeps) {
    this.deps = deps
  }

  get underWay(): boolean {
    return this.limit !== null
  }

  /** False: this path is not to be made anew. */
  begin(): boolean {
    const { clock, media, reopen, detach } = this.deps
    if (this.attempts >= attemptsMax || !media.heardWithin(aliveMs)) return false
    this.attempts += 1
    this.joined = false
    this.limit = clock.after(attemptMaxMs, () => this.giveUp())
    // The connection of a lost channel may seem to stand: it must not keep the next leg out.
    detach()
    void reopen().then((reopened) => {
      // Past its limit, or its call, the answer means nothing.
      if (this.underWay) this.reopened(reopened)
    })
    return true
  }

  attach(leg: Leg): 'attached' | 'refused' {
    const { media } = this.deps
    if (!this.underWay || media.attached) return 'refused'
    media.attach(leg)
    this.goOn()
    return 'attached'
  }

  end(): void {
    this.limit?.[Symbol.dispose]()
    this.limit = null
  }

  private reopened(reopened: boolean): void {
    this.joined = reopened
    if (reopened) this.goOn()
    else this.giveUp()
  }

  private goOn(): void {
    if (!this.joined || !this.deps.media.attached) return
    this.end()
    this.deps.media.resume()
  }

  private giveUp(): void {
    this.end()
    this.deps.detach()
    this.deps.gaveUp()
  }
}
