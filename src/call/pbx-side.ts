import type { Onward } from './dialplan-place.ts'
import type { FilePlaybackEvent, FilePlayer } from './file-player.ts'
import type { HangupCause } from './leg.ts'

/** What a call needs of the PBX it came from; the Stasis application and the bare media port each give one. */
export interface PbxSide {
  /** The file path to the caller's ear; null where the PBX has none. */
  readonly files: FilePlayer | null
  /** Asterisk's name of the codec of the caller's channel; null where it cannot be known. Never throws. */
  callerCodec(): Promise<string | null>
  /** A channel of this call other than the caller's has entered the application. */
  channelEntered(channelId: string): void
  /** Does the call's media run over this channel now? */
  carriesMedia(channelId: string): boolean
  /** What became of a stretch of audio that `files` plays. */
  playbackEvent(playbackId: string, event: FilePlaybackEvent): void
  /** The caller is not heard: makes Asterisk send, where that is known to help. */
  kick(): void
  /**
   * The media path was lost: makes another, whose leg arrives like the first one. False where that cannot be, or the
   * caller has gone; never throws.
   */
  reopenMedia(): Promise<boolean>
  /**
   * Takes down everything that was made for the call. Idempotent, bounded in time, and safe during set-up.
   *
   * @param onward where the caller goes on, where the cause lets them; left out: behind `Stasis()`
   */
  release(cause: HangupCause, onward?: Onward): Promise<void>
}
