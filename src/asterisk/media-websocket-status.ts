import type { Milliseconds } from '#base/clock.ts'

/**
 * When Asterisk is asked what it has yet to play, and what it means when it does not answer. Our own account takes it for
 * granted that Asterisk plays; while it stands still, what is sent piles up in its socket unseen. Two things tell: the
 * caller's audio stops, and so do answers.
 */
const everyMs: Milliseconds = 1000
/** So often at most, however odd what is seen. */
const atLeastMs: Milliseconds = 100
/** Three frames of the caller's that do not come are no network's jitter. An answer that takes so long is as odd. */
const gapMs: Milliseconds = 60
/** Neither audio nor the answer for so long, and it reads nothing. */
const silentMaxMs: Milliseconds = 200
/** An answer alone that does not come: the network may be slow, a second it is not. */
const answerMaxMs: Milliseconds = 1000
/** One that owes an answer for so long has gone. */
const goneMs: Milliseconds = 5000

export class StatusQuestions {
  private dueMs: Milliseconds
  private askedMs = Number.NEGATIVE_INFINITY
  private unansweredSinceMs: Milliseconds | null = null
  private heardMs: Milliseconds
  /** The last of the caller's audio; null when none came yet, or its gap was asked about. */
  private audioMs: Milliseconds | null = null
  private inGap = false

  constructor(nowMs: Milliseconds) {
    this.dueMs = nowMs + everyMs
    this.heardMs = nowMs
  }

  /** To be asked now. */
  isDue(nowMs: Milliseconds): boolean {
    if (this.audioMs !== null && nowMs - this.audioMs > gapMs) {
      this.audioMs = null
      this.inGap = true
      this.dueMs = nowMs
    }
    return this.unansweredSinceMs === null && nowMs >= Math.max(this.dueMs, this.askedMs + atLeastMs)
  }

  asked(nowMs: Milliseconds): void {
    this.askedMs = nowMs
    this.dueMs = nowMs + everyMs
    this.unansweredSinceMs ??= nowMs
  }

  /** Of an answer that was slow, Asterisk stood still while it was under way: what was written since lies there as well. */
  answered(nowMs: Milliseconds): void {
    if (this.unansweredMs(nowMs) > gapMs) this.dueMs = nowMs
    this.unansweredSinceMs = null
  }

  heardAudio(nowMs: Milliseconds): void {
    this.heardMs = nowMs
    this.audioMs = nowMs
    if (this.inGap) this.dueMs = nowMs
    this.inGap = false
  }

  heardText(nowMs: Milliseconds): void {
    this.heardMs = nowMs
  }

  unansweredMs(nowMs: Milliseconds): Milliseconds {
    return this.unansweredSinceMs === null ? 0 : nowMs - this.unansweredSinceMs
  }

  /** Milliseconds since anything came. */
  quietMs(nowMs: Milliseconds): Milliseconds {
    return nowMs - this.heardMs
  }

  /** It reads nothing: what were sent on would be played late. */
  standsStill(nowMs: Milliseconds): boolean {
    const unansweredMs = this.unansweredMs(nowMs)
    return unansweredMs > answerMaxMs || (unansweredMs > silentMaxMs && this.quietMs(nowMs) > silentMaxMs)
  }

  isGone(nowMs: Milliseconds): boolean {
    return this.unansweredMs(nowMs) > goneMs
  }

  /** Not answered for a second, and asked once more: perhaps in words that it does not understand. */
  isDueAgain(nowMs: Milliseconds): boolean {
    return this.unansweredSinceMs !== null && nowMs >= this.dueMs
  }
}
