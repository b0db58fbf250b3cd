import { msToSamples, type SampleRateHz, samplesPerFrame } from '#audio/format.ts'
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
  private readonly sampleRateHz: SampleRateHz
  private readonly ring: SampleRing
  /** When the gate opened with nobody speaking: what was before is the reply and its echo. */
  private quietOpeningMs = Number.NEGATIVE_INFINITY
  /** What is said meanwhile is nobody's to hear: silence is kept in its place. */
  muted = false
  private readonly silence: Int16Array
  /** Since the agent was last given a frame as it came: what is older it has, or was not to have. */
  private sinceGivenSamples = 0

  constructor(clock: Clock, sampleRateHz: SampleRateHz, durationMs: Milliseconds) {
    this.clock = clock
    this.sampleRateHz = sampleRateHz
    this.ring = new SampleRing(msToSamples(durationMs, sampleRateHz))
    this.silence = new Int16Array(samplesPerFrame(sampleRateHz))
  }

  /** A frame, or what came before there was a call to speak in. @param given the agent gets it at once */
  push(samples: Int16Array, given: boolean): void {
    this.ring.push(this.muted ? this.silence : samples)
    this.sinceGivenSamples = given ? 0 : this.sinceGivenSamples + samples.length
  }

  /** The gate has opened. Who speaks already gets the moment before their first window too, which it has kept shut out. */
  opened(inSpeech: boolean): void {
    this.quietOpeningMs = inSpeech ? Number.NEGATIVE_INFINITY : this.clock.now()
  }

  newest(durationMs: Milliseconds): Int16Array<ArrayBuffer> {
    return this.ring.newest(msToSamples(durationMs, this.sampleRateHz))
  }

  /** A turn from a little before its first window on, which was so long ago. */
  turn(agoMs: Milliseconds): Int16Array<ArrayBuffer> {
    const sinceOpeningMs = this.clock.now() - this.quietOpeningMs
    const wantedMs = Math.max(agoMs, Math.min(agoMs + beforeMs, sinceOpeningMs))
    return this.newest(wantedMs)
  }

  /** The part of that turn which the agent has not been given: its lead may reach into the turn before. */
  notGiven(agoMs: Milliseconds): Int16Array<ArrayBuffer> {
    const turn = this.turn(agoMs)
    return turn.subarray(Math.max(0, turn.length - this.sinceGivenSamples))
  }
}
