import type { Milliseconds } from '#base/clock.ts'

/**
 * How much audio of a provider's replies is gathered before they sound: as little as the configuration says, and more
 * for a while after replies of this provider ran dry. One for all calls of a provider, since it is the provider that is
 * uneven, and a caller should not have to find it out anew.
 *
 * Arithmetic: an underrun of g ms means that g ms more in the queue would have covered it, so the warm-up grows by g, up
 * to the bound; each run of eight clean replies takes 20 ms back.
 */
const cleanRepliesToShrink = 8
const stepMs: Milliseconds = 20

export class WarmUp {
  /** What underruns have added to the configured warm-up of a reply; never more than the bound leaves room for. */
  extraMs: Milliseconds = 0
  private readonly boundMs: Milliseconds
  private readonly extraMaxMs: Milliseconds
  private cleanReplies = 0

  /** `boundMs`: the warm-up, with what is added, never exceeds it. `replyBaseMs`: the configured one of a reply. */
  constructor(boundMs: Milliseconds, replyBaseMs: Milliseconds = 0) {
    this.boundMs = boundMs
    this.extraMaxMs = Math.max(0, boundMs - replyBaseMs)
  }

  /** The warm-up of a reply whose configured one is `baseMs`. */
  of(baseMs: Milliseconds): Milliseconds {
    return Math.max(baseMs, Math.min(this.boundMs, baseMs + this.extraMs))
  }

  /** A reply ran dry for `gapMs` and went on. */
  underran(gapMs: Milliseconds): void {
    this.cleanReplies = 0
    this.extraMs = Math.min(this.extraMaxMs, this.extraMs + Math.max(stepMs, gapMs))
  }

  /** A reply was played to its end without running dry. */
  ranClean(): void {
    if (this.extraMs === 0) return
    this.cleanReplies += 1
    if (this.cleanReplies < cleanRepliesToShrink) return
    this.cleanReplies = 0
    this.extraMs = Math.max(0, this.extraMs - stepMs)
  }
}
