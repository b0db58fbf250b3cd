import type { Accepted, Readiness } from '#agent/provider.ts'
import type { Milliseconds } from '#base/clock.ts'

/** Speech detection as a call sees it; `speech/` does it, with a model or by energy. */
export type SpeechEvent =
  /** The voice began `agoMs` before the newest sample that was pushed. */
  | { readonly type: 'speech_started'; readonly agoMs: Milliseconds }
  /** The voice ended `agoMs` before the newest sample that was pushed. */
  | { readonly type: 'speech_stopped'; readonly agoMs: Milliseconds }

export interface SpeechDetectorSession {
  /** A plain synchronous call per frame; the samples are copied. `full` is counted by the caller. */
  push(samples: Int16Array): Accepted
  /** How long the voice has been quiet up to the newest sample; 0 while it speaks. Known before `speech_stopped` is. */
  quietMs(): Milliseconds
  /** How much of what was pushed is not judged yet. */
  unjudgedMs(): Milliseconds
  /** While the agent speaks more is asked of a sound to be speech: it may come back from a loudspeaker. */
  agentSpeaks(speaks: boolean): void
  close(): void
}

export interface SpeechDetector {
  /** Whether calls can be served; /health says the same. */
  readiness(): Readiness
  /** Null when no further call can be served. */
  open(sampleRateHz: number, listener: (event: SpeechEvent) => void): SpeechDetectorSession | null
}
