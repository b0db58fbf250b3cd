import type { Milliseconds } from '#base/clock.ts'
import type { BargeInSettings } from './barge-in.ts'
import type { EndpointingSettings } from './endpointing.ts'
import type { NoInputSettings } from './no-input.ts'
import type { MutePolicy } from './turn-policies.ts'

/** What the configuration says about the turns of every call. */
export interface TurnSettings {
  readonly warmUpMs: Milliseconds
  readonly greetingWarmUpMs: Milliseconds
  readonly endpointing: EndpointingSettings
  readonly turnMaxMs: Milliseconds
  readonly bargeIn: BargeInSettings
  /** A voice that the detector does not hear and the judge of overlaps does is one. */
  readonly overlookedVoices: boolean
  readonly mute: readonly MutePolicy[]
  readonly noInput: NoInputSettings
  /** Spoken when the agent could not answer a turn. */
  readonly apology: string
  /** Spoken when the agent cannot answer in this call any more; empty: the call is given up without a word. */
  readonly failureNotice: string
  /** So many turns in a row that repeat make the caller a machine; 0: never. */
  readonly machineTalkTurns: number
  /** Spoken where a limit ends the call; empty: it ends without a word. */
  readonly farewell: string
  /** The last words of an agent that leaves are heard in full, for so long at most. */
  readonly farewellMaxMs: Milliseconds
}
