import type { Milliseconds } from '#base/clock.ts'
import type { SpeechDetector as CallDetector, SpeechDetectorSession, SpeechEvent } from '#call/speech-detector.ts'
import type { SpeechDetector } from './detector.ts'
import { SpeechGate } from './speech-gate.ts'

/** What turns probabilities into speech that starts and stops; one setting for all calls of a configuration. */
export interface SpeechSettings {
  readonly threshold: number
  readonly minSpeechMs: Milliseconds
  readonly minSilenceMs: Milliseconds
}

/** Joins a detector, which knows windows, and a gate for each call, which knows speech, to what a call asks for. */
export function createCallDetector(detector: SpeechDetector, settings: SpeechSettings): CallDetector {
  return {
    readiness: () => detector.readiness,
    open(sampleRateHz, listener) {
      if (sampleRateHz !== 8000 && sampleRateHz !== 16000) return null
      const gate = new SpeechGate({ sampleRateHz, ...settings })
      let pushed = 0
      const session = detector.open(sampleRateHz, (probability, endSample) => {
        const event: SpeechEvent | null = gate.push(probability, endSample, Math.max(pushed, endSample))
        if (event !== null) listener(event)
      })
      if (session === null) return null
      const opened: SpeechDetectorSession = {
        push(samples) {
          pushed += samples.length
          return session.push(samples)
        },
        quietMs: () => gate.quietMs(pushed),
        close: () => session.close(),
      }
      return opened
    },
  }
}
