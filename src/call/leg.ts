import type { AudioFormat, AudioFrame } from '#audio/format.ts'

/**
 * The audio path between the engine and one Asterisk channel. AudioSocket is the first door;
 * the others come behind this same contract, and `test/contract/leg.ts` holds them all to it.
 */

/** Why a leg or a call ended: the one closed list. It is a metric label and a field of the call's record. */
export const hangupCauses = [
  /** The caller hung up, or left the engine's care (a transfer made in the dialplan). */
  'caller',
  /** The agent said its farewell and ended the call. */
  'agent',
  /** The media connection broke or went silent while the caller was still there. */
  'media_lost',
  /** Setting the call up failed: Asterisk refused, or a step took too long. */
  'setup_failed',
  /** The provider could not be opened, or failed for good. */
  'provider_failed',
  /** The peer broke the protocol. */
  'protocol_error',
  /** The configured longest duration of a call was reached. */
  'time_limit',
  /** The engine is stopping and the drain limit has passed. */
  'shutdown',
  /** A bug in the engine: this call ended, the others go on. */
  'internal_error',
] as const
export type HangupCause = (typeof hangupCauses)[number]

export type LegEvent =
  /** A plain synchronous call per frame; the frame is a view that is reused afterwards. */
  | { readonly type: 'audio'; readonly frame: AudioFrame }
  | { readonly type: 'dtmf'; readonly digit: string }
  /** Always the last event, exactly once. */
  | { readonly type: 'ended'; readonly cause: HangupCause }

/** `full`: the far side does not read, the frame was dropped and counted. */
export type Sent = 'sent' | 'full' | 'closed'

export interface Leg {
  readonly format: AudioFormat
  onEvent(listener: (event: LegEvent) => void): void
  /** Never throws, never blocks. */
  write(frame: AudioFrame): Sent
  /** Idempotent; resolves when the far side has gone or the closing deadline has passed. */
  close(cause: HangupCause): Promise<void>
}
