import type { Milliseconds } from '#base/clock.ts'

/** Something that went wrong with the agent in a call, whether it was noticed by the caller or not. */
export interface IncidentRecord {
  /** Since the call began. */
  readonly atMs: Milliseconds
  readonly code: string
}

/** A call with more of them has told enough. */
const incidentsMax = 40

/** What went wrong with the agent of one call, in order: the first ones. */
export class IncidentLog {
  readonly all: IncidentRecord[] = []

  add(atMs: Milliseconds, code: string): void {
    if (this.all.length < incidentsMax) this.all.push({ atMs, code })
  }
}
