import type { Milliseconds } from '#base/clock.ts'

/** What is counted of the playout of one call. */
export interface PlayoutCounters {
  /** All frames offered to a leg, silence included. */
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
