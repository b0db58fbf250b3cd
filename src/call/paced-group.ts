import { ptimeMs } from '#audio/format.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { PacedWriter, PacerCounters } from './pacer.ts'

/** 100 ms: the most that may be ahead inside Asterisk. */
const framesOwedMax = 5

/**
 * Writers that are due at the same moments, origin + n × 20 ms. Each tick stands at an absolute deadline, so lateness
 * never adds up: a tick that comes late owes the frames it missed, and pays them at once up to `framesOwedMax`; beyond
 * that the time is lost and counted, because a burst would only queue up in Asterisk as delay.
 */
export class PacedGroup {
  /** How long its latest tick has worked; 0 while it has no writer. */
  workMs: Milliseconds = 0
  private readonly clock: Clock
  private readonly counters: PacerCounters
  private readonly ticked: (group: PacedGroup, lagMs: Milliseconds) => void
  /** Null: left during the tick that is under way. */
  private readonly writers: (PacedWriter | null)[] = []
  private ticking = false
  private timer: Disposable | null = null
  private originMs = 0
  private framesDone = 0

  /** @param counters are shared @param ticked is told how late each tick began */
  constructor(clock: Clock, counters: PacerCounters, ticked: (group: PacedGroup, lagMs: Milliseconds) => void) {
    this.clock = clock
    this.counters = counters
    this.ticked = ticked
  }

  get size(): number {
    return this.writers.filter((writer) => writer !== null).length
  }

  /** @param waitMs where it is the first: its first frame is due so long after now; 0: in 20 ms */
  add(writer: PacedWriter, waitMs: Milliseconds): Disposable {
    this.writers.push(writer)
    if (this.timer === null) {
      if (waitMs > 0) this.timer = this.clock.after(waitMs, () => this.beginWithTick())
      else this.begin(this.clock.now())
    }
    return { [Symbol.dispose]: () => this.remove(writer) }
  }

  private begin(originMs: Milliseconds): void {
    this.originMs = originMs
    this.framesDone = 0
    this.timer = this.clock.every(ptimeMs, (now) => this.tick(now))
  }

  /** Who waits for the group's time has waited for its first frame: with another 20 ms it would be a gap of 40. */
  private beginWithTick(): void {
    const now = this.clock.now()
    this.begin(now - ptimeMs)
    this.tick(now)
  }

  private remove(writer: PacedWriter): void {
    const index = this.writers.indexOf(writer)
    if (index < 0) return
    // The places of the others must stay while they are walked through.
    if (this.ticking) this.writers[index] = null
    else this.writers.splice(index, 1)
    this.stopIfEmpty()
  }

  private stopIfEmpty(): void {
    if (this.writers.some((writer) => writer !== null)) return
    this.timer?.[Symbol.dispose]()
    this.timer = null
    this.workMs = 0
  }

  private tick(nowMs: Milliseconds): void {
    // Half a frame of rounding: a timer that fires a fraction early is on time.
    const framesDue = Math.floor((nowMs - this.originMs) / ptimeMs + 0.5)
    let owed = framesDue - this.framesDone
    if (owed <= 0) return
    const dueMs = this.originMs + (this.framesDone + 1) * ptimeMs
    this.counters.ticks += 1
    if (owed > 1) this.counters.lateTicks += 1
    this.framesDone = framesDue
    this.ticking = true
    if (owed > framesOwedMax) {
      const skipped = owed - framesOwedMax
      this.counters.framesSkipped += skipped
      owed = framesOwedMax
      for (let index = this.writers.length - 1; index >= 0; index -= 1) this.writers[index]?.skipFrames?.(skipped)
    }
    // Backwards: who joins during a tick has written its first frame already.
    for (let index = this.writers.length - 1; index >= 0; index -= 1) this.writers[index]?.writeFrames(owed, nowMs)
    this.ticking = false
    for (let index = this.writers.length - 1; index >= 0; index -= 1) {
      if (this.writers[index] === null) this.writers.splice(index, 1)
    }
    this.workMs = this.timer === null ? 0 : this.clock.now() - nowMs
    this.ticked(this, Math.max(0, nowMs - dueMs))
  }
}
