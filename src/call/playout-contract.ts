import type { Milliseconds } from '#base/clock.ts'

/** What a playout is told, what it tells, and what is counted of it. */

export interface PlayoutListener {
  /** The first frame of the reply has left. */
  replyStarted(): void
  /** Its last frame has left; not called after a flush. */
  replyDone(): void
  /** A reply is there and the leg has taken nothing of it for `fallback_timeout_ms`. */
  stuck(): void
  /** The rest of a reply takes the file path; the reason is a metric label. */
  fellBack(reason: FallbackReason): void
}

/** `no_audio`: the provider was silent for `fallback_timeout_ms`; `leg_stuck`: so was the leg; `leg_lost`: it is gone. */
export const fallbackReasons = ['no_audio', 'leg_stuck', 'leg_lost'] as const
export type FallbackReason = (typeof fallbackReasons)[number]

/** How a reply is held back while somebody speaks over it. */
export const holds = ['none', 'ducked', 'paused'] as const
export type Hold = (typeof holds)[number]

export interface PlayoutSettings {
  readonly mode: 'stream' | 'file'
  readonly lowWatermarkMs: Milliseconds
  readonly graceMs: Milliseconds
  readonly fallbackMs: Milliseconds
  /** What a ducked reply is multiplied by, 0 to 1. */
  readonly duckGain: number
}

/** What is counted of the playout of one call. */
export interface PlayoutCounters {
  /** All frames that a leg took, silence included. */
  frames: number
  /** Frames the leg refused since its peer does not read; frames of a reply are offered again. */
  full: number
  /** Times a reply ran dry and went on. */
  underruns: number
  /** Chunks refused since the queue held its maximum. */
  overruns: number
  fallbacks: number
  /** Replies, or parts of them, that the PBX could not play from a file. */
  filesFailed: number
  /** Frames of replies sent with less than the low watermark behind them while more was to come. */
  lowFrames: number
  /** The most that was ever queued. */
  depthMaxMs: Milliseconds
}

export const noPlayoutCounters = (): PlayoutCounters => ({
  frames: 0,
  full: 0,
  underruns: 0,
  overruns: 0,
  fallbacks: 0,
  filesFailed: 0,
  lowFrames: 0,
  depthMaxMs: 0,
})
