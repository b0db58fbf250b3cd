/** What speech over the agent's sounds like; `speech/` tells it, with a model. */
export interface OverlapScore {
  /** Each 0 to 1; their sum is 1. */
  readonly interruption: number
  readonly backchannel: number
  readonly noise: number
}

export interface OverlapListener {
  /** A new overlap: `past` is the newest caller audio, whose speech began `agoMs` before its end. */
  begin(past: Int16Array, agoMs: number): void
  /** One frame more; synchronous. */
  push(samples: Int16Array): void
  /** By what was heard so far; null before there is enough. The object is reused. */
  readonly score: OverlapScore | null
}

export interface OverlapModel {
  open(sampleRateHz: number): OverlapListener | null
}
