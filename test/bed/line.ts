import type { SampleRateHz } from '#audio/format.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'

/**
 * A telephone line, as whoever holds the receiver has it: a frame is heard and a frame is said every 20 ms. One kind runs
 * through a real Asterisk (`reactive-caller.ts`), another on a simulated clock; a `Caller` cannot tell which.
 */
export interface Line {
  readonly clock: Clock
  readonly sampleRateHz: SampleRateHz
  /** Who holds the receiver; set once, before the line is open. */
  use(user: LineUser): void
  /** Presses these keys, one after the other. */
  press(digits: string): Promise<void>
  /** Idempotent. */
  hangUp(): void
}

export interface LineUser {
  /** A frame has come; the samples are a view that is reused. */
  hear(samples: Int16Array, atMs: Milliseconds): void
  /** Fills the frame that goes out now; it comes zeroed. */
  speak(samples: Int16Array, atMs: Milliseconds): void
  /** Whoever hung up: the last call. */
  ended(): void
}
