import type { SessionOf, TurnDetection } from '#agent/provider.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { DialplanPlace } from './dialplan-place.ts'
import type { HangupCause } from './leg.ts'
import type { LineEcho } from './line-echo.ts'
import type { CallObserver } from './observer.ts'
import type { OverlapModel } from './overlap-model.ts'
import type { Playout } from './playout.ts'
import type { SpeechDetectorSession } from './speech-detector.ts'
import type { TurnEndModel } from './turn-end-model.ts'
import type { TurnSettings } from './turn-settings.ts'

/** What the coordinator of one call is given: whom it hears, what it may do, and what it is told to be like. */
export interface CoordinatorDeps {
  readonly callId: string
  /** When the call began, on the clock. */
  readonly callStartedMs: Milliseconds
  /** Null where nobody listens for speech in this call. */
  readonly detection: SpeechDetectorSession | null
  readonly providerName: string
  readonly language: string
  readonly clock: Clock
  readonly session: SessionOf<'agent'>
  readonly turnDetection: TurnDetection
  readonly playout: Playout
  readonly settings: TurnSettings
  /** What can be asked of sound and words; null where it is not there. */
  readonly turnEndModel: TurnEndModel | null
  readonly overlapModel: OverlapModel | null
  readonly wordsIn: ((samples: Int16Array<ArrayBuffer>, signal: AbortSignal) => Promise<string | null>) | null
  readonly echo: LineEcho | null
  readonly observer: CallObserver
  /** Runs what a timer brings: a bug in it ends this call only. */
  readonly guarded: (action: () => void) => void
  readonly gateChanged: (closed: boolean) => void
  readonly greetingStarted: () => void
  readonly greetingFinished: () => void
  /** The agent failed for good or is done, or nobody has spoken for too long. `place`: where the caller goes on. */
  readonly hangUp: (cause: HangupCause, place?: DialplanPlace | null) => void
}
