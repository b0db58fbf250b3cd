import type { GateReason } from './gate.ts'
import type { CallFacts } from './observer.ts'
import { noOverlaps } from './overlap-log.ts'

export type TurnFacts = Pick<
  CallFacts,
  'turns' | 'turnsDropped' | 'spokenCharacters' | 'overlapCounts' | 'overlaps' | 'faults'
>
/** Of a call that ended before anybody could speak. */
export const noTurns: TurnFacts = {
  turns: [],
  turnsDropped: 0,
  spokenCharacters: 0,
  overlapCounts: noOverlaps,
  overlaps: [],
  faults: 0,
}

export interface Hearing {
  /** The agent hears the caller now; one that finds the turns itself also while it speaks. */
  readonly listens: boolean
  readonly gateReasons: readonly GateReason[]
}
/** Before there is an agent to listen. */
export const heard: Hearing = { listens: true, gateReasons: [] }
