import type { HangupCause } from './leg.ts'

/** What a call needs of the PBX it came from; the Stasis application and the bare media port each give one. */
export interface PbxSide {
  /** A channel of this call other than the caller's has entered the application. */
  channelEntered(channelId: string): void
  /** Takes down everything that was made for the call. Idempotent, bounded in time, and safe during set-up. */
  release(cause: HangupCause): Promise<void>
}
