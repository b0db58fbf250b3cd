import type { Readiness } from '#agent/provider.ts'
import type { AudioFrame } from '#audio/format.ts'
import { silentLog } from '#base/log.ts'
import type { CallWorld } from '#call/call-plan.ts'
import type { Onward } from '#call/dialplan-place.ts'
import type { FilePlaybackEvent, FilePlayer } from '#call/file-player.ts'
import type { HangupCause } from '#call/leg.ts'
import type { LineEcho, LineSound } from '#call/line-echo.ts'
import type { CallFacts, CallObserver, CallStep, TurnRecord } from '#call/observer.ts'
import { Pacer } from '#call/pacer.ts'
import type { PbxSide } from '#call/pbx-side.ts'
import { ProviderUse } from '#call/provider-use.ts'
import { SessionStore } from '#call/session-store.ts'
import type { SpeechDetector, SpeechDetectorSession, SpeechEvent } from '#call/speech-detector.ts'
import type { TurnSettings } from '#call/turn-settings.ts'
import { ManualClock } from './manual-clock.ts'

/** Writes down what a call tells the world. */
export class RecordingObserver implements CallObserver {
  readonly steps: CallStep[] = []
  readonly details: (string | undefined)[] = []
  readonly gates: boolean[] = []
  readonly interruptions: string[] = []
  readonly bargeIns: { verdict: string; reactionMs: number; pausedMs: number }[] = []
  readonly gatesExpired: string[] = []
  repliesTakenUp = 0
  readonly turns: TurnRecord[] = []
  readonly transcripts: string[] = []
  readonly faults: string[] = []
  readonly facts: CallFacts[] = []
  readonly alignments: { path: string; needless: readonly string[] }[] = []
  readonly oneWays: string[] = []
  readonly fallbacks: string[] = []
  readonly quotas: string[] = []
  restarts = 0

  step(_callId: string, step: CallStep, _sinceStartMs: number, detail?: string): void {
    this.steps.push(step)
    this.details.push(detail)
  }
  gate(closed: boolean): void {
    this.gates.push(closed)
  }
  interrupted(_callId: string, what: string, heardMs: number): void {
    this.interruptions.push(`${what} after ${heardMs} ms`)
  }
  bargeIn(_callId: string, verdict: string, reactionMs: number, pausedMs: number): void {
    this.bargeIns.push({ verdict, reactionMs, pausedMs })
  }
  takenUp(): void {
    this.repliesTakenUp += 1
  }
  gateExpired(_callId: string, reason: string): void {
    this.gatesExpired.push(reason)
  }
  turn(_callId: string, _provider: string, turn: TurnRecord): void {
    this.turns.push({ ...turn })
  }
  transcript(_callId: string, side: string, text: string): void {
    this.transcripts.push(`${side}: ${text}`)
  }
  fault(_callId: string, _provider: string, code: string): void {
    this.faults.push(code)
  }
  alignment(_callId: string, path: string, needless: readonly string[]): void {
    this.alignments.push({ path, needless })
  }
  oneWay(_callId: string, kind: string): void {
    this.oneWays.push(kind)
  }
  fellBack(_callId: string, reason: string): void {
    this.fallbacks.push(reason)
  }
  restarted(): void {
    this.restarts += 1
  }
  quotaReached(provider: string, fallback: string | null): void {
    this.quotas.push(`${provider} -> ${fallback}`)
  }
  finished(facts: CallFacts): void {
    this.facts.push(facts)
  }
}

/** An echo when the test says so. */
export class FakeEcho implements LineEcho {
  echo = false
  /** Where it is no echo: the line's noise. */
  silent = false
  onsetMs = 0
  framesSent = 0
  framesHeard = 0

  sent(): void {
    this.framesSent += 1
  }

  heard(): void {
    this.framesHeard += 1
  }

  clean(frame: AudioFrame): AudioFrame {
    return frame
  }

  soundOf(): LineSound {
    return this.echo ? 'echo' : this.silent ? 'silence' : 'other'
  }
}

/** A detector that hears speech when the test says so. */
export class FakeDetector implements SpeechDetector {
  opened = 0
  capacity = 100
  pushed = 0
  answer: 'sent' | 'full' = 'sent'
  ready = true
  quietForMs = 0
  raised = false
  private listener: (event: SpeechEvent) => void = () => {}

  readiness(): Readiness {
    return this.ready ? { ready: true } : { ready: false, reason: 'loading' }
  }

  open(_sampleRateHz: number, listener: (event: SpeechEvent) => void): SpeechDetectorSession | null {
    if (this.opened >= this.capacity) return null
    this.opened += 1
    this.listener = listener
    let closed = false
    return {
      push: () => {
        this.pushed += 1
        return this.answer
      },
      quietMs: () => this.quietForMs,
      unjudgedMs: () => 0,
      agentSpeaks: (speaks) => {
        this.raised = speaks
      },
      close: () => {
        if (!closed) this.opened -= 1
        closed = true
      },
    }
  }

  speech(type: SpeechEvent['type'], agoMs = 0): void {
    this.listener({ type, agoMs })
  }
}

/** The PBX side of a call in memory. */
export class FakePbx implements PbxSide {
  readonly released: HangupCause[] = []
  readonly places: Onward[] = []
  releases = true
  files: FilePlayer | null = null
  codec: string | null = 'ulaw'
  kicks = 0
  reopenings = 0
  /** What becomes of a lost media path. */
  reopen: () => Promise<boolean> = () => Promise.resolve(false)
  readonly playbacks: string[] = []

  channelEntered(): void {}

  callerCodec(): Promise<string | null> {
    return Promise.resolve(this.codec)
  }

  carriesMedia(channelId: string): boolean {
    return channelId.includes('-media-')
  }

  playbackEvent(playbackId: string, event: FilePlaybackEvent): void {
    this.playbacks.push(`${playbackId} ${event}`)
  }

  kick(): void {
    this.kicks += 1
  }

  reopenMedia(): Promise<boolean> {
    this.reopenings += 1
    return this.reopen()
  }

  release(cause: HangupCause, onward: Onward = 'next'): Promise<void> {
    this.released.push(cause)
    this.places.push(onward)
    return this.releases ? Promise.resolve() : new Promise(() => {})
  }
}

export interface FakeWorld extends CallWorld {
  readonly clock: ManualClock
  readonly detector: FakeDetector
  readonly observer: RecordingObserver
  readonly errors: string[]
}

export function fakeWorld(): FakeWorld {
  const clock = new ManualClock()
  const errors: string[] = []
  return {
    clock,
    log: { ...silentLog, error: (message) => errors.push(message) },
    pacer: new Pacer(clock),
    store: new SessionStore(),
    use: new ProviderUse(clock),
    detector: new FakeDetector(),
    observer: new RecordingObserver(),
    turnEndModel: null,
    overlapModel: null,
    createEcho: () => new FakeEcho(),
    errors,
  }
}

/** Round numbers that a test can add up in its head. */
export const turnSettings: TurnSettings = {
  warmUpMs: 40,
  greetingWarmUpMs: 20,
  endpointing: { stop: 'silence', silenceMs: 600, minSilenceMs: 300, maxSilenceMs: 1500, doneProbability: 0.5 },
  turnMaxMs: 30_000,
  bargeIn: {
    enabled: true,
    start: 'vad',
    minMs: 250,
    minWords: 2,
    onOverlap: 'none',
    pauseAfterMs: 200,
    pauseMaxMs: 200,
    initialProtectionMs: 400,
    greetingProtectionMs: 1000,
    cooldownMs: 500,
    guardMs: 300,
    echoDetection: false,
    confirm: true,
    backchannels: [],
  },
  overlookedVoices: true,
  mute: [],
  noInput: { afterMs: 0, checkIns: ['Are you there?', 'Hello?'], farewell: 'Goodbye.' },
  apology: 'I am sorry.',
  failureNotice: '',
  machineTalkTurns: 0,
  farewell: 'Time is up.',
  farewellMaxMs: 5000,
}
