import { ptimeMs } from '#audio/format.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'

/**
 * One timer for all calls. Each tick stands at an absolute deadline, so lateness never adds up: a tick that comes late
 * owes the frames it missed, and pays them at once up to `framesOwedMax`; beyond that the time is lost and counted,
 * because a burst would only queue up in Asterisk as delay.
 */
export interface PacedWriter {
  /** Writes this many frames now: 1, or a few when the tick was late. */
  writeFrames(count: number, nowMs: Milliseconds): void
  /** So many frame times were given up, before those that are written now; all writers are told before any writes. */
  skipFrames?(count: number): void
}

/** 100 ms: the most that may be ahead inside Asterisk. */
const framesOwedMax = 5

export interface PacerCounters {
  ticks: number
  /** Ticks that owed more than one frame. */
  lateTicks: number
  /** Frame times that were given up, per tick and not per call. */
  framesSkipped: number
}

export class Pacer {
  readonly counters: PacerCounters = { ticks: 0, lateTicks: 0, framesSkipped: 0 }
  private readonly clock: Clock
  private readonly observe: (lagMs: Milliseconds, latenessMs: Milliseconds) => void
  /** Null: left during the tick that is under way. */
  private readonly writers: (PacedWriter | null)[] = []
  private ticking = false
  private timer: Disposable | null = null
  private originMs = 0
  private framesDone = 0

  /** `observe`: how late each tick began, and how late its last frame had left. */
  constructor(clock: Clock, observe: (lagMs: Milliseconds, latenessMs: Milliseconds) => void = () => {}) {
    this.clock = clock
    this.observe = observe
  }

  get size(): number {
    return this.writers.filter((writer) => writer !== null).length
  }

  add(writer: PacedWriter): Disposable {
    this.writers.push(writer)
    if (this.timer === null) {
      this.originMs = this.clock.now()
      this.framesDone = 0
      this.timer = this.clock.every(ptimeMs, (now) => this.tick(now))
    }
    return { [Symbol.dispose]: () => this.remove(writer) }
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
    this.observe(Math.max(0, nowMs - dueMs), Math.max(0, this.clock.now() - dueMs))
  }
}
