import type { AudioFormat, AudioFrame } from '#audio/format.ts'

/**
 * The audio path between the engine and one Asterisk channel. AudioSocket is the first door;
 * the others come behind this same contract, and `test/contract/leg.ts` holds them all to it.
 */

/** The three doors that Asterisk has for audio, by their names in the configuration. */
export const transports = ['audiosocket', 'externalmedia', 'websocket'] as const
export type Transport = (typeof transports)[number]

/** Why a leg or a call ended: the one closed list. It is a metric label and a field of the call's record. */
export const hangupCauses = [
  /** The caller hung up, or left the engine's care (a transfer made by somebody else). */
  'caller',
  /** The agent said its farewell and ended the call. */
  'agent',
  /** The agent sent the caller to another place in the dialplan. */
  'transferred',
  /** Nobody spoke, through all check-ins and the farewell. */
  'no_input',
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
  /** The caller is a machine that talks in a circle with the agent. */
  'machine_talk',
  /** The engine is stopping and the drain limit has passed. */
  'shutdown',
  /** A bug in the engine: this call ended, the others go on. */
  'internal_error',
] as const
export type HangupCause = (typeof hangupCauses)[number]

export type LegEvent =
  /**
   * A plain synchronous call per frame; the frame is a view that is reused afterwards. `madeUp`: nothing of it came from
   * the far side, it stands for what was lost or not sent.
   */
  | { readonly type: 'audio'; readonly frame: AudioFrame; readonly madeUp?: boolean }
  | { readonly type: 'dtmf'; readonly digit: string }
  /** Always the last event, exactly once. */
  | { readonly type: 'ended'; readonly cause: HangupCause }

/**
 * `full`: the far side does not read, the frame was dropped and counted. `shed`: it was silent, and left out since the far
 * side has enough to play; its time has passed all the same.
 */
export type Sent = 'sent' | 'shed' | 'full' | 'closed'

/** What became of the frames of the far side; a stream that cannot lose or reorder leaves it at zero. */
export interface LegStats {
  /** Frames whose time came and that never arrived. */
  lost: number
  /** Frames that arrived after their time, and were not heard. */
  late: number
  duplicates: number
  /** Frames that arrived behind a later one, and were put back in order. */
  reordered: number
  /** Frames made up in place of missing ones. */
  concealed: number
  /** How long a frame waits in the jitter buffer now. */
  delayMs: number
  /** By how much the sender's clock ran ahead of ours, where its stream tells; null where its frames alone do. */
  driftMs: number | null
}

export const noLegStats = (): LegStats => ({
  lost: 0,
  late: 0,
  duplicates: 0,
  reordered: 0,
  concealed: 0,
  delayMs: 0,
  driftMs: null,
})

export interface Leg {
  readonly format: AudioFormat
  readonly stats: Readonly<LegStats>
  /** What was written and the far side has yet to play, as far as it tells; 0 where it has no queue of its own. */
  readonly aheadMs: number
  onEvent(listener: (event: LegEvent) => void): void
  /** Never throws, never blocks. */
  write(frame: AudioFrame): Sent
  /** Drops what was written and has not been played by the far side, where it can be reached. */
  flush(): void
  /** Idempotent; resolves when the far side has gone or the closing deadline has passed. */
  close(cause: HangupCause): Promise<void>
}
