import { ptimeMs } from '#audio/format.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import { PacedGroup } from './paced-group.ts'

/**
 * The 20 ms clock of all calls. Up to 16 of them are due together; with more, there are five groups whose ticks lie 4 ms
 * apart. Two hundred frames written in one go take two milliseconds, in which nobody is heard, and the last caller's
 * frame has waited for all the others'.
 */
export interface PacedWriter {
  /** Writes this many frames now: 1, or a few when the tick was late. */
  writeFrames(count: number, nowMs: Milliseconds): void
  /** So many frame times were given up, before those that are written now; all of a group are told before any writes. */
  skipFrames?(count: number): void
}

/** Each further timer wakes the process fifty times a second, which a few calls are not worth. */
const groupFull = 16
const groupCount = 5
const apartMs: Milliseconds = ptimeMs / groupCount

export interface PacerCounters {
  /** Of all groups. */
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
  private readonly groups: readonly PacedGroup[]
  /** When the first writer came, after there was none: the groups' times are counted from there. */
  private originMs = 0

  /**
   * `observe`, once in 20 ms: how late a tick began, and how late the last of all frames would have left had all groups
   * been due together. That is the sum of their work, and says how full the event loop is.
   */
  constructor(clock: Clock, observe: (lagMs: Milliseconds, latenessMs: Milliseconds) => void = () => {}) {
    this.clock = clock
    this.observe = observe
    const ticked = (group: PacedGroup, lagMs: Milliseconds) => this.ticked(group, lagMs)
    this.groups = Array.from({ length: groupCount }, () => new PacedGroup(clock, this.counters, ticked))
  }

  get size(): number {
    return this.groups.reduce((sum, group) => sum + group.size, 0)
  }

  add(writer: PacedWriter): Disposable {
    const now = this.clock.now()
    if (this.size === 0) this.originMs = now
    const sizes = this.groups.map((group) => group.size)
    const roomy = sizes.findIndex((size) => size < groupFull)
    const index = roomy >= 0 ? roomy : sizes.indexOf(Math.min(...sizes))
    // From now to the next moment of its own.
    const behindMs = (now - this.originMs - index * apartMs) % ptimeMs
    return (this.groups[index] as PacedGroup).add(writer, behindMs > 0 ? ptimeMs - behindMs : -behindMs)
  }

  private ticked(group: PacedGroup, lagMs: Milliseconds): void {
    if (this.groups.find(({ size }) => size > 0) !== group) return
    this.observe(
      lagMs,
      this.groups.reduce((sum, { workMs }) => sum + workMs, lagMs),
    )
  }
}
