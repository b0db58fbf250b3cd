/**
 * How much silence is due where a line brings nothing. It has no clock: a tick is a frame time of 20 ms.
 *
 * Telephones and trunks with silence suppression send no pauses, and without them no voice would ever end, here or at an
 * agent that finds the turns itself. A network that hangs, on the other hand, hands over late what it held, and a silence
 * in its place would cut a word in two. So a line is given long, and only one that has left out a second of late, and
 * did not bring it after all, is taken at its word.
 */
const silentAfterTicks = 75
const suppressedAfterTicks = 10
const suppressedTicksMin = 50
/** A network brings what it held within this time after it has hung. */
const settledAfterTicks = 15
/** With no gap for half a minute it is a line that sends all. */
const forgottenAfterTicks = 1500

export class LineGaps {
  /** A frame has come, ever. */
  private begun = false
  /** Frames since the last tick. */
  private came = 0
  /** Ticks without a frame; those of the gaps before that may still be made up for; and of those that were not. */
  private quiet = 0
  private owed = 0
  private leftOut = 0
  private sinceGap = 0

  frame(): void {
    this.came += 1
  }

  /** Another line. */
  reset(): void {
    this.begun = false
    this.came = 0
    this.quiet = 0
    this.owed = 0
    this.leftOut = 0
    this.sinceGap = 0
  }

  /** A frame time has passed, or more of them in which this process stood still. @returns frames of silence that are due */
  tick(): number {
    const { came } = this
    this.came = 0
    if (came > 0) {
      this.goesOn(came)
      return 0
    }
    this.quiet += 1
    const leavesOut = this.leftOut >= suppressedTicksMin
    // What it has left out already belongs to it: what was sent meanwhile would lie elsewhere beside what is heard.
    if (leavesOut && this.quiet === suppressedAfterTicks + 1) return this.quiet
    return this.quiet > (leavesOut ? suppressedAfterTicks : silentAfterTicks) ? 1 : 0
  }

  private goesOn(came: number): void {
    // A line that begins late has left out nothing.
    if (this.begun && this.quiet >= suppressedAfterTicks) {
      this.owed += this.quiet
      this.sinceGap = 0
    }
    this.begun = true
    this.quiet = 0
    this.sinceGap += 1
    const late = came - 1
    const paid = Math.min(late, this.owed)
    this.owed -= paid
    this.leftOut = Math.max(0, this.leftOut - (late - paid))
    if (this.sinceGap === settledAfterTicks) {
      this.leftOut += this.owed
      this.owed = 0
    }
    if (this.sinceGap === forgottenAfterTicks) this.leftOut = 0
  }
}
