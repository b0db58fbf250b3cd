import type { TurnDetection } from '#agent/provider.ts'
import { Coordinator } from '#call/coordinator.ts'
import { Pacer } from '#call/pacer.ts'
import { Playout } from '#call/playout.ts'
import type { TurnSettings } from '#call/turn-settings.ts'
import type { TurnState } from '#call/turn-state.ts'
import { WarmUp } from '#call/warm-up.ts'
import { FakeAgentSession } from '../../fakes/agent.ts'
import { FakeEcho, RecordingObserver, turnSettings } from '../../fakes/call-world.ts'
import { playoutSettings } from '../../fakes/calls.ts'
import { FakeLeg } from '../../fakes/leg.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'
import { FakeOverlapModel, FakeTurnEnd } from '../../fakes/turn-models.ts'

/** What is beside it: by default nothing. */
export interface BenchParts {
  readonly turnEnd?: boolean
  readonly judge?: boolean
  readonly words?: boolean
  readonly echo?: boolean
}

/** A coordinator with a real playout and pacer, a fake agent behind it and the test as its detector. */
export class Bench {
  readonly clock = new ManualClock()
  readonly leg = new FakeLeg(8000)
  readonly session = new FakeAgentSession()
  readonly observer = new RecordingObserver()
  readonly marks: string[] = []
  readonly playout: Playout
  readonly coordinator: Coordinator
  readonly pacing: Disposable
  readonly turnEnd: FakeTurnEnd | null
  readonly judge: FakeOverlapModel | null
  readonly echo = new FakeEcho()
  /** Questions for words that are not answered yet. */
  readonly wordsAsked: ((words: string | null) => void)[] = []
  /** How much of the line each of all questions showed. */
  readonly wordsShownMs: number[] = []
  private frames = 0

  constructor(settings: Partial<TurnSettings> = {}, turnDetection: TurnDetection = 'engine', parts: BenchParts = {}) {
    this.turnEnd = parts.turnEnd === true ? new FakeTurnEnd() : null
    this.judge = parts.judge === true ? new FakeOverlapModel() : null

    this.playout = new Playout(
      8000,
      {
        replyStarted: () => this.coordinator.replyStarted(),
        replyDone: () => this.coordinator.replyDone(),
        stuck: () => {},
        fellBack: () => this.marks.push('fell_back'),
      },
      playoutSettings,
      new WarmUp(200),
      null,
    )
    this.playout.setLeg(this.leg)
    this.pacing = new Pacer(this.clock).add(this.playout)
    this.coordinator = new Coordinator(
      {
        callId: 'call-1',
        callStartedMs: this.clock.now(),
        detection: {
          push: () => 'sent',
          quietMs: () => this.quietMs(),
          unjudgedMs: () => this.unjudgedMs,
          agentSpeaks: (speaks) => this.marks.push(speaks ? 'raised' : 'lowered'),
          close: () => {},
        },
        providerName: 'fake',
        language: 'en',
        turnEndModel: this.turnEnd,
        overlapModel: this.judge,
        wordsIn: parts.words === true ? (samples, signal) => this.writeDown(samples, signal) : null,
        echo: parts.echo === true ? this.echo : null,
        clock: this.clock,
        session: this.session,
        turnDetection,
        playout: this.playout,
        settings: { ...turnSettings, ...settings },
        observer: this.observer,
        guarded: (action) => action(),
        gateChanged: (closed) => this.marks.push(closed ? 'gate_closed' : 'gate_opened'),
        greetingStarted: () => this.marks.push('greeting_started'),
        greetingFinished: () => this.marks.push('greeting_finished'),
        hangUp: (cause) => this.marks.push(cause === 'provider_failed' ? 'failed' : cause),
      },
      8000,
    )
    this.session.onEvent((event) => this.coordinator.agent(event))
  }

  get state(): TurnState {
    return this.coordinator.turnState
  }

  /** Time passes, and the caller's line brings a frame each 20 ms: frame n holds nothing but n. */
  pass(durationMs: number): void {
    for (let passed = 0; passed < durationMs; passed += 20) {
      this.clock.advance(Math.min(20, durationMs - passed))
      this.arrive(20)
    }
  }

  /** Frames that come at once. */
  arrive(durationMs: number): void {
    for (let arrived = 0; arrived < durationMs; arrived += 20) {
      this.frames += 1
      const samples = new Int16Array(160).fill(this.frames)
      this.coordinator.callerAudio({ sampleRateHz: 8000, samples })
    }
  }

  private writeDown(samples: Int16Array, signal: AbortSignal): Promise<string | null> {
    this.wordsShownMs.push(samples.length / 8)
    return new Promise((resolve) => {
      this.wordsAsked.push(resolve)
      signal.addEventListener('abort', () => resolve(null))
    })
  }

  /** The number of the caller's newest frame. */
  get newestFrame(): number {
    return this.frames
  }

  /** As a detector knows it: since when the voice has been quiet; null while it sounds. */
  quietSinceMs: number | null = null

  /** How much of the line the detector has not judged yet. */
  unjudgedMs = 0

  private quietMs(): number {
    return this.quietSinceMs === null ? 0 : this.clock.now() - this.quietSinceMs
  }

  started(agoMs = 0): void {
    this.quietSinceMs = null
    this.coordinator.speech({ type: 'speech_started', agoMs })
  }

  stopped(agoMs = 0): void {
    this.coordinator.speech({ type: 'speech_stopped', agoMs })
  }

  /** The whole of a reply arrives at once, as from a quick provider. */
  reply(durationMs: number): void {
    this.session.emit({ type: 'reply_started' })
    this.session.reply(durationMs)
    this.session.emit({ type: 'reply_done' })
  }

  fault(): void {
    this.session.emit({ type: 'fault', code: 'unreachable', message: 'gone', retryable: true })
  }

  /** Greeted with 200 ms of audio; the guard is over and the caller may speak. */
  listen(): this {
    this.coordinator.begin('Hello.')
    this.reply(200)
    this.clock.advance(520)
    this.session.taken()
    return this
  }

  /** The caller has said something for 1 s and is silent for the 600 ms that end the turn. */
  think(): this {
    this.listen()
    this.started()
    this.clock.advance(1000)
    this.stopped()
    this.clock.advance(600)
    this.session.taken()
    return this
  }

  /** A reply of 3 s sounds; its first frame has just left. */
  answer(): this {
    this.think()
    this.reply(3000)
    // To the next tick of the pacer, which is when the first frame leaves.
    while (this.playout.heardMs === 0) this.clock.advance(1)
    return this
  }
}

/** An agent that finds the turns itself, greeted; nobody speaks, and who does may interrupt at once. */
export function greetedRealtime(detection: TurnDetection = 'provider'): Bench {
  const bench = new Bench({ bargeIn: { ...turnSettings.bargeIn, initialProtectionMs: 0 } }, detection)
  bench.coordinator.begin('Hello.')
  bench.reply(200)
  bench.pass(600)
  bench.session.taken()
  return bench
}
