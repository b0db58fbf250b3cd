import type { AudioFrame } from '#audio/format.ts'
import type { Milliseconds } from '#base/clock.ts'

export type LineSound = 'echo' | 'silence' | 'other'

/** Whether what comes from the caller's line is the agent's own voice, back from a loudspeaker or a hybrid. */
export interface LineEcho {
  /** A frame that has left for the caller, silence included; the samples are copied. On the audio path. */
  sent(samples: Int16Array): void
  /** A frame from the caller; the samples are copied. On the audio path. */
  heard(samples: Int16Array): void
  /** The frame that was heard last, without the echo in it, as far as that is known; a view that is reused. */
  clean(frame: AudioFrame): AudioFrame
  /** What the caller's newest audio is, at most so much of it: the agent's own voice, the line's noise, or a sound. */
  soundOf(newestMs: Milliseconds): LineSound
  /** Where it has just become more than that: how long ago. */
  readonly onsetMs: Milliseconds
}
