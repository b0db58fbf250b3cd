import type { Milliseconds } from '#base/clock.ts'
import { type OverlapVerdict, overlapVerdicts } from './barge-in.ts'

/** What became of one stretch of speech over the agent's. */
export interface OverlapRecord {
  /** Since the call began. */
  readonly startedMs: Milliseconds
  readonly durationMs: Milliseconds
  /** For how long it silenced the agent without interrupting it. */
  readonly pausedMs: Milliseconds
  readonly verdict: OverlapVerdict
}

/** A call longer than this many of them keeps the newest. */
const overlapsMax = 200

const zeros = () => Object.fromEntries(overlapVerdicts.map((verdict) => [verdict, 0])) as Record<OverlapVerdict, number>

/** Of a call in which nobody spoke over the agent. */
export const noOverlaps: Readonly<Record<OverlapVerdict, number>> = zeros()

export class OverlapLog {
  private readonly counting = zeros()
  private readonly records: OverlapRecord[] = []

  get counts(): Readonly<Record<OverlapVerdict, number>> {
    return this.counting
  }

  add(record: OverlapRecord): void {
    this.counting[record.verdict] += 1
    this.records.push(record)
    if (this.records.length > overlapsMax) this.records.shift()
  }

  get all(): readonly OverlapRecord[] {
    return this.records
  }
}
