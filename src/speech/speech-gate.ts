import type { Milliseconds } from '#base/clock.ts'

/**
 * Probabilities to speech started and stopped, for one call: pure arithmetic, no time but the audio's own.
 *
 * Hysteresis: speech begins when the probability has stood at or above the threshold for `minSpeechMs` (a click is
 * shorter); within speech only values below the lower, negative threshold count as silence, and `minSilenceMs` of them
 * in a row end it. Values between the two leave things as they are.
 */
export interface SpeechGateConfig {
  readonly sampleRateHz: number
  /** 0 to 1. */
  readonly threshold: number
  readonly minSpeechMs: Milliseconds
  readonly minSilenceMs: Milliseconds
}

export type SpeechGateEvent =
  /** The speech began `agoMs` before the newest audio. */
  | { readonly type: 'speech_started'; readonly agoMs: Milliseconds }
  /** The speech ended `agoMs` before the newest audio. */
  | { readonly type: 'speech_stopped'; readonly agoMs: Milliseconds }

/** As Silero's own iterator has it. */
const negativeThresholdDistance = 0.15

export class SpeechGate {
  private threshold = 1
  private negativeThreshold = 1
  private readonly minSpeechSamples: number
  private readonly minSilenceSamples: number
  private readonly samplesPerMs: number
  private speakingNow = false
  /** Where a candidate for speech began; −1 when there is none. */
  private speechFrom = -1
  /** Where the quiet began that lasts until now, a candidate for silence within speech; −1 while the voice is heard. */
  private quietFrom = 0
  /** The latest window was quiet itself, not between the two thresholds. */
  private latestQuiet = true
  private previousEnd = 0

  constructor(config: SpeechGateConfig) {
    this.setThreshold(config.threshold)
    this.samplesPerMs = config.sampleRateHz / 1000
    this.minSpeechSamples = config.minSpeechMs * this.samplesPerMs
    this.minSilenceSamples = config.minSilenceMs * this.samplesPerMs
  }

  /** From the next window on; speech under way goes on until it falls below the new one's lower threshold. */
  setThreshold(threshold: number): void {
    this.threshold = threshold
    this.negativeThreshold = Math.max(threshold - negativeThresholdDistance, 0.01)
  }

  get speaking(): boolean {
    return this.speakingNow
  }

  /**
   * One window's verdict.
   * @param endSample the window's end, in samples since the beginning; it only grows
   * @param newestSample the newest audio there is, when more has come since that window
   */
  push(probability: number, endSample: number, newestSample = endSample): SpeechGateEvent | null {
    const windowStart = this.previousEnd
    this.previousEnd = endSample
    this.latestQuiet = probability < this.negativeThreshold
    if (probability >= this.threshold) this.quietFrom = -1
    else if (this.latestQuiet && this.quietFrom < 0) this.quietFrom = windowStart
    return this.speakingNow
      ? this.whileSpeaking(endSample, newestSample)
      : this.whileSilent(probability, windowStart, endSample, newestSample)
  }

  /**
   * How long the voice has been quiet, up to the newest audio; 0 while it is heard. It is known within speech, long
   * before `minSilenceMs` make a stop of it, and goes on after the stop.
   * Verdicts come a little later than audio: what isn't judged yet is taken for quiet behind a quiet window only.
   */
  quietMs(newestSample: number): Milliseconds {
    if (this.quietFrom < 0) return 0
    const until = this.latestQuiet ? Math.max(newestSample, this.previousEnd) : this.previousEnd
    return (until - this.quietFrom) / this.samplesPerMs
  }

  /** How much there is behind the last window that was judged. */
  unjudgedMs(newestSample: number): Milliseconds {
    return Math.max(0, newestSample - this.previousEnd) / this.samplesPerMs
  }

  /** Forgets speech under way, without an event: what was heard is known to be no speech of the caller's. */
  reset(): void {
    this.speakingNow = false
    this.speechFrom = -1
    this.quietFrom = this.previousEnd
  }

  private whileSilent(probability: number, start: number, end: number, newest: number): SpeechGateEvent | null {
    if (probability >= this.threshold) {
      if (this.speechFrom < 0) this.speechFrom = start
    } else if (probability < this.negativeThreshold) {
      this.speechFrom = -1
    }
    if (this.speechFrom < 0 || end - this.speechFrom < this.minSpeechSamples) return null
    const agoMs = (newest - this.speechFrom) / this.samplesPerMs
    this.speakingNow = true
    this.speechFrom = -1
    return { type: 'speech_started', agoMs }
  }

  private whileSpeaking(end: number, newest: number): SpeechGateEvent | null {
    if (this.quietFrom < 0 || end - this.quietFrom < this.minSilenceSamples) return null
    const agoMs = (newest - this.quietFrom) / this.samplesPerMs
    this.speakingNow = false
    return { type: 'speech_stopped', agoMs }
  }
}
