import type { Milliseconds } from '#base/clock.ts'

/**
 * What a voice over the agent's voice is, heard so far: a caller who cuts in, one who only says "mm-hm", or no speech
 * at all. The call asks, `speech/overlap.ts` listens. It knows sounds and no languages, so that it has an answer a
 * quarter of a second after the onset, when no recogniser has a word yet; `overlap-verdict.ts` joins it with the words.
 */

/** Probabilities, together 1. By the sound so far: they move while the voice goes on, and settle when it is quiet. */
export interface OverlapScore {
  /** A caller who wants the turn: "stop", "no", "I want to …". */
  readonly interruption: number
  /** A caller who listens: "mm-hm", "yeah", "ja". */
  readonly backchannel: number
  /** A cough, a laugh, a click, a door. */
  readonly noise: number
}

/** What it is shown of the line before the onset: its noise, and a soft beginning. */
export const lineBeforeMs: Milliseconds = 300

/** The ear for one leg; one overlap after the other. All calls are synchronous, and none after `begin` allocates. */
export interface OverlapListener {
  /**
   * A new overlap; what was heard of the one before is forgotten.
   * @param past the newest of the caller's audio, as it came from the leg: ≥ `agoMs` + 150 ms where there is so much
   * @param agoMs how long before the end of `past` the voice began, in milliseconds; off by ±100 ms does no harm
   */
  begin(past: Int16Array, agoMs: number): void
  /** What came next, however long: the score is the same whatever the size of a frame. */
  push(samples: Int16Array): void
  /** Null until 120 ms of the voice were heard, and before the first `begin`. The object is reused. */
  readonly score: OverlapScore | null
}

export interface OverlapModel {
  /**
   * @param sampleRateHz 8,000 to 48,000; what lies above 4 kHz isn't heard
   * @returns null where that rate can't be heard
   */
  open(sampleRateHz: number): OverlapListener | null
}
