import type { DialplanPlace } from './dialplan-place.ts'
import type { HangupCause } from './leg.ts'

/** How a call ends once the agent's last words have been heard. */
export interface Leaving {
  readonly cause: HangupCause
  /** Where the caller goes on; null: nowhere, or where the configuration says for this cause. */
  readonly place: DialplanPlace | null
}
