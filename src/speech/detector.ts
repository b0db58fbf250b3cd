import type { Readiness } from '#agent/provider.ts'
import type { DetectionRateHz } from './detection-memory.ts'

/**
 * Who says how likely it is that somebody speaks, window by window. Two implementations: `detection.ts` (Silero in a
 * worker) and `energy-detector.ts` (plain arithmetic, for machines where ONNX Runtime can't load).
 */
export interface SpeechDetector {
  /** Begins loading in the background; idempotent, never throws. */
  start(): void
  readonly readiness: Readiness
  /** @returns null when all places are taken, or the detector isn't ready */
  open(sampleRateHz: DetectionRateHz, listener: DetectionListener): DetectionSession | null
  close(): Promise<void>
  readonly stats: DetectionStats
}

/**
 * @param probability of speech in one window of 32 ms, 0 to 1
 * @param endSample how many samples had been pushed at the end of that window, those dropped when full included
 */
export type DetectionListener = (probability: number, endSample: number) => void

export interface DetectionSession {
  /** Any number of samples; they are copied. `full`: the detector is behind by half a second, these were dropped. */
  push(samples: Int16Array): 'sent' | 'full'
  /** No verdict comes after this. Idempotent. */
  close(): void
}

export interface DetectionStats {
  readonly open: number
  readonly windows: number
  readonly droppedWindows: number
  readonly restarts: number
}
