import { msToSamples } from '#audio/format.ts'
import { SampleRing } from '#audio/sample-ring.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'

/**
 * The caller's newest audio: a turn is known to have begun some time after it has, and what was said until then is cut
 * from here. The only place of the turns where audio waits; it is overwritten and never grows.
 */
/** Audio before the detector's own first window of speech: no first syllable is lost. */
const beforeMs: Milliseconds = 300

export class LookBack {
  private readonly clock: Clock
  private readonly sampleRateHz: number
  private readonly ring: SampleRing
  /** When the gate opened with nobody speaking: what was before is the reply and its echo. */
  private quietOpeningMs = Number.NEGATIVE_INFINITY
  /** What was said while the caller was muted is nobody's to hear. */
  private unmutedMs = Number.NEGATIVE_INFINITY

  constructor(clock: Clock, sampleRateHz: number, durationMs: Milliseconds) {
    this.clock = clock
    this.sampleRateHz = sampleRateHz
    this.ring = new SampleRing(msToSamples(durationMs, sampleRateHz))
  }

  push(samples: Int16Array): void {
    this.ring.push(samples)
  }

  /** The gate has opened. Who speaks already gets the moment before their first window too, which it has kept shut out. */
  opened(inSpeech: boolean): void {
    this.quietOpeningMs = inSpeech ? Number.NEGATIVE_INFINITY : this.clock.now()
  }

  unmuted(): void {
    this.unmutedMs = this.clock.now()
  }

  newest(durationMs: Milliseconds): Int16Array<ArrayBuffer> {
    return this.ring.newest(msToSamples(durationMs, this.sampleRateHz))
  }

  /** A turn from a little before its first window on, which was so long ago. */
  turn(agoMs: Milliseconds): Int16Array<ArrayBuffer> {
    const now = this.clock.now()
    const wantedMs = Math.max(agoMs, Math.min(agoMs + beforeMs, now - this.quietOpeningMs))
    return this.newest(Math.min(wantedMs, now - this.unmutedMs))
  }
}
