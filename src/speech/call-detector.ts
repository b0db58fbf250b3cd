import { Resampler } from '#audio/resample.ts'
import type { Milliseconds } from '#base/clock.ts'
import type { SpeechDetector as CallDetector, SpeechDetectorSession, SpeechEvent } from '#call/speech-detector.ts'
import type { SpeechDetector } from './detector.ts'
import { SpeechGate } from './speech-gate.ts'

/** What turns probabilities into speech that starts and stops; one setting for all calls of a configuration. */
export interface SpeechSettings {
  readonly threshold: number
  /** The threshold while the agent speaks. */
  readonly raisedThreshold: number
  readonly minSpeechMs: Milliseconds
  readonly minSilenceMs: Milliseconds
}

/** Joins a detector, which knows windows, and a gate for each call, which knows speech, to what a call asks for. */
export function createCallDetector(detector: SpeechDetector, settings: SpeechSettings): CallDetector {
  return {
    readiness: () => detector.readiness,
    open(sampleRateHz, listener) {
      // The model knows two rates; a wider leg is heard at the better of them.
      const heardHz = sampleRateHz === 8000 ? 8000 : 16000
      const resampler = sampleRateHz === heardHz ? null : new Resampler(sampleRateHz, heardHz)
      const { threshold, raisedThreshold, minSpeechMs, minSilenceMs } = settings
      const gate = new SpeechGate({ sampleRateHz: heardHz, threshold, minSpeechMs, minSilenceMs })
      let pushed = 0
      const session = detector.open(heardHz, (probability, endSample) => {
        const event: SpeechEvent | null = gate.push(probability, endSample, Math.max(pushed, endSample))
        if (event !== null) listener(event)
      })
      if (session === null) return null
      const opened: SpeechDetectorSession = {
        push(samples) {
          const heard = resampler === null ? samples : resampler.process(samples)
          pushed += heard.length
          return session.push(heard)
        },
        quietMs: () => gate.quietMs(pushed),
        unjudgedMs: () => gate.unjudgedMs(pushed),
        agentSpeaks: (speaks) => gate.setThreshold(speaks ? raisedThreshold : threshold),
        close: () => session.close(),
      }
      return opened
    },
  }
}
