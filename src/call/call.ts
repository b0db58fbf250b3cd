import type { AgentEvent, Provider, SessionOf } from '#agent/provider.ts'
import type { SampleRateHz } from '#audio/format.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import { messageOf } from '#base/result.ts'
import { type CallState, type CallStateEvent, nextCallState } from './call-state.ts'
import { Coordinator, type TurnSettings } from './coordinator.ts'
import type { HangupCause, Leg, LegEvent } from './leg.ts'
import type { Caller, CallFacts, CallObserver, CallOrigin, CallStep } from './observer.ts'
import type { Pacer } from './pacer.ts'
import type { PbxSide } from './pbx-side.ts'
import { Playout } from './playout.ts'
import type { SessionStore } from './session-store.ts'
import type { SpeechDetector, SpeechDetectorSession, SpeechEvent } from './speech-detector.ts'
import type { TurnState } from './turn-state.ts'

/**
 * One call from admission to its record: it joins a leg and an agent session, owns both, and closes both. The door it
 * came through (ARI or the dialplan) says when the channel is answered and bridged, and hands in how to release it.
 *
 * The leg, the agent session and the bridge come up side by side, in any order; `mediaOpen` is where they meet. The
 * call may end at any moment of that, by anyone, any number of times: `end` runs once.
 */
export interface CallPlan extends CallTerms {
  readonly id: string
  readonly caller: Caller
  readonly origin: CallOrigin
  readonly pbx: PbxSide
}

/** What the configuration says about every call. */
export interface CallTerms {
  readonly provider: Provider<'agent'>
  readonly sampleRateHz: SampleRateHz
  readonly language: string
  readonly prompt: string
  readonly greeting: string
  readonly callMaxMs: Milliseconds
  readonly turns: TurnSettings
}

export interface CallWorld {
  readonly clock: Clock
  readonly log: Log
  readonly pacer: Pacer
  readonly store: SessionStore
  readonly detector: SpeechDetector
  readonly observer: CallObserver
}

/** A part that does not close by then is left behind, loudly: the caller's line and the count must not wait for it. */
const closingMaxMs = 4000
/** A provider that has opened no session by then has failed: the caller hears only silence meanwhile. */
const openingMaxMs = 10_000

export class Call {
  readonly id: string
  private readonly plan: CallPlan
  private readonly world: CallWorld
  private readonly startedMs: Milliseconds
  private readonly startedWallMs: Milliseconds
  private readonly steps: Partial<Record<CallStep, Milliseconds>> = {}
  private readonly abort = new AbortController()
  private readonly timeLimit: Disposable
  private state: CallState = 'ringing'
  private leg: Leg | null = null
  private playout: Playout | null = null
  private pacing: Disposable | null = null
  private detection: SpeechDetectorSession | null = null
  private session: SessionOf<'agent'> | null = null
  private opening: Promise<void>
  private coordinator: Coordinator | null = null
  private ending: Promise<void> | null = null
  private speechSinceMs: Milliseconds | null = null
  private framesIn = 0
  private detectorFull = 0
  private digits = 0

  /** Admits: the call is in the store when this returns, and its agent session is being opened. */
  constructor(plan: CallPlan, world: CallWorld) {
    this.plan = plan
    this.world = world
    this.id = plan.id
    this.startedMs = world.clock.now()
    this.startedWallMs = world.clock.wallNow()
    world.store.add(this)
    this.step('admitted', admittedDetail(plan))
    this.timeLimit = world.clock.after(plan.callMaxMs, () => this.end('time_limit'))
    this.opening = this.openSession()
  }

  get ended(): boolean {
    return this.state === 'draining' || this.state === 'ended'
  }

  get pbx(): PbxSide {
    return this.plan.pbx
  }

  get origin(): CallOrigin {
    return this.plan.origin
  }

  get turnState(): TurnState {
    return this.coordinator?.turnState ?? 'opening'
  }

  get gateClosed(): boolean {
    return this.coordinator?.gateClosed ?? false
  }

  answered(): void {
    if (this.move('answered')) this.step('answered')
  }

  bridged(): void {
    if (!this.move('bridged')) return
    this.step('bridged')
    this.meet()
  }

  /** The media connection is there. From now on a frame leaves every 20 ms, silence first. */
  attachLeg(leg: Leg): 'attached' | 'refused' {
    if (this.ended || this.leg !== null) return 'refused'
    this.leg = leg
    const playout = new Playout(leg, {
      replyStarted: () => this.coordinator?.replyStarted(),
      replyDone: () => this.coordinator?.replyDone(),
    })
    this.playout = playout
    // The two paths of every frame: guarded by hand, so that no closure is made for each.
    leg.onEvent((event) => {
      try {
        this.onLeg(event)
      } catch (thrown) {
        this.broke(thrown)
      }
    })
    this.detection = this.world.detector.open(leg.format.sampleRateHz, (event) =>
      this.guarded(() => this.onSpeech(event)),
    )
    if (this.detection === null && this.plan.provider.turnDetection === 'engine') {
      this.world.log.error('no speech detection for this call', { call: this.id })
      void this.end('setup_failed')
      // Ended before it was paced: a writer added now would never leave the pacer.
      return 'attached'
    }
    this.pacing = this.world.pacer.add({
      writeFrames: (count) => {
        try {
          playout.writeFrames(count)
        } catch (thrown) {
          this.broke(thrown)
        }
      },
    })
    playout.writeFrames(1)
    this.meet()
    return 'attached'
  }

  /** Idempotent; resolves when nothing of the call is left. */
  end(cause: HangupCause): Promise<void> {
    if (this.ending === null) {
      // Set first: closing the parts raises events that end the call, and it must end only once.
      const cleaned = Promise.withResolvers<void>()
      this.ending = cleaned.promise
      void this.close(cause).then(cleaned.resolve)
    }
    return this.ending
  }

  private async openSession(): Promise<void> {
    const { plan, world } = this
    const limit = world.clock.after(openingMaxMs, () => {
      world.observer.fault(this.id, plan.provider.name, 'open_timeout', `no session within ${openingMaxMs} ms`)
      void this.end('provider_failed')
    })
    try {
      const session = await plan.provider.open({
        callId: plan.id,
        sampleRateHz: plan.sampleRateHz,
        language: plan.language,
        prompt: plan.prompt,
        greeting: plan.greeting,
        signal: this.abort.signal,
        clock: world.clock,
      })
      world.store.providerSessions += 1
      if (this.ended) return await this.closeSession(session)
      this.session = session
      session.onEvent((event) => this.guarded(() => this.onAgent(event)))
      this.meet()
    } catch (thrown) {
      if (this.ended) return
      world.observer.fault(this.id, plan.provider.name, 'open_failed', messageOf(thrown))
      void this.end('provider_failed')
    } finally {
      limit[Symbol.dispose]()
    }
  }

  private async closeSession(session: SessionOf<'agent'>): Promise<void> {
    await session.close()
    this.world.store.providerSessions -= 1
  }

  /** Goes on once the bridge, the leg and the session are all there. */
  private meet(): void {
    const { session, playout, leg, plan, world } = this
    if (this.state !== 'bridged' || playout === null || leg === null) return
    if (this.steps.media_open === undefined) this.step('media_open')
    if (session === null || this.coordinator !== null) return
    this.coordinator = new Coordinator(
      {
        callId: this.id,
        callStartedMs: this.startedMs,
        quietMs: () => this.detection?.quietMs() ?? 0,
        providerName: plan.provider.name,
        clock: world.clock,
        session,
        turnDetection: plan.provider.turnDetection,
        playout,
        settings: plan.turns,
        observer: world.observer,
        guarded: (action) => this.guarded(action),
        gateChanged: (closed) => {
          this.step(closed ? 'gate_closed' : 'gate_opened')
          world.observer.gate(closed)
        },
        greetingStarted: () => this.step('greeting_started'),
        greetingFinished: () => this.step('greeting_finished'),
        failed: () => void this.end('provider_failed'),
      },
      leg.format.sampleRateHz,
    )
    const { speechSinceMs } = this
    this.guarded(() => {
      if (speechSinceMs !== null) {
        this.coordinator?.speech({ type: 'speech_started', agoMs: world.clock.now() - speechSinceMs })
      }
      this.coordinator?.begin(plan.greeting)
    })
  }

  private onLeg(event: LegEvent): void {
    if (this.ended) return
    switch (event.type) {
      case 'audio':
        this.detectorPush(event.frame.samples)
        if (this.framesIn === 0 && this.steps.media_open === undefined) return
        if (this.framesIn === 0) this.step('first_caller_audio')
        this.framesIn += 1
        return this.coordinator?.callerAudio(event.frame)
      case 'dtmf':
        this.digits += 1
        return
      case 'ended':
        // With ARI the caller's hang-up arrives as an event: a media connection that ends by itself was lost.
        void this.end(event.cause === 'caller' && this.plan.origin === 'ari' ? 'media_lost' : event.cause)
        return
    }
  }

  private onSpeech(event: SpeechEvent): void {
    // Kept for a coordinator that is not there yet: the caller may speak while the agent's session is being opened.
    this.speechSinceMs = event.type === 'speech_started' ? this.world.clock.now() - event.agoMs : null
    this.coordinator?.speech(event)
  }

  private detectorPush(samples: Int16Array): void {
    if (this.detection !== null && this.detection.push(samples) === 'full') this.detectorFull += 1
  }

  private onAgent(event: AgentEvent): void {
    if (event.type === 'fault') {
      this.world.observer.fault(this.id, this.plan.provider.name, event.code, event.message)
    }
    if (event.type === 'closed' && !this.ended) {
      void this.end('provider_failed')
      return
    }
    this.coordinator?.agent(event)
  }

  private async close(cause: HangupCause): Promise<void> {
    const { world, plan } = this
    this.move('end')
    this.step('hangup', cause)
    this.timeLimit[Symbol.dispose]()
    this.guarded(() => this.coordinator?.end())
    this.abort.abort()
    this.guarded(() => this.detection?.close())
    this.pacing?.[Symbol.dispose]()
    await Promise.all([
      this.bounded('leg', () => this.leg?.close(cause)),
      this.bounded('session', () => (this.session === null ? this.opening : this.closeSession(this.session))),
      this.bounded('channel', () => plan.pbx.release(cause)),
    ])
    this.move('cleaned')
    this.step('cleaned')
    world.store.remove(this)
    world.observer.finished(this.facts(cause))
  }

  private async bounded(part: string, close: () => Promise<void> | undefined): Promise<void> {
    const { clock, log } = this.world
    const done = new AbortController()
    const late = clock.sleep(closingMaxMs, done.signal).then(() => {
      if (!done.signal.aborted) log.error('a part of the call did not close in time', { call: this.id, part })
    })
    const closed = Promise.try(close).catch((thrown) =>
      log.error('a part of the call failed to close', { call: this.id, part, why: messageOf(thrown) }),
    )
    await Promise.race([closed, late])
    done.abort()
  }

  /** A bug ends this call, and no other. */
  private guarded(action: () => void): void {
    try {
      action()
    } catch (thrown) {
      this.broke(thrown)
    }
  }

  private broke(thrown: unknown): void {
    this.world.log.error('a fault of the engine ends the call', {
      call: this.id,
      why: messageOf(thrown),
      where: thrown instanceof Error ? (thrown.stack ?? '').split('\n').slice(0, 4).join(' | ') : '',
    })
    void this.end('internal_error')
  }

  private move(event: CallStateEvent): boolean {
    const next = nextCallState(this.state, event)
    if (next === null) return false
    this.state = next
    return true
  }

  private step(step: CallStep, detail?: string): void {
    const sinceStartMs = this.world.clock.now() - this.startedMs
    const again = this.steps[step] !== undefined
    this.steps[step] ??= sinceStartMs
    this.world.observer.step(this.id, step, sinceStartMs, again ? 'again' : detail)
  }

  private facts(cause: HangupCause): CallFacts {
    const { plan, world, coordinator, playout } = this
    return {
      callId: this.id,
      caller: plan.caller,
      provider: plan.provider.name,
      origin: plan.origin,
      transport: 'audiosocket',
      startedWallMs: this.startedWallMs,
      durationMs: world.clock.now() - this.startedMs,
      cause,
      steps: this.steps,
      turns: coordinator?.turns.all ?? [],
      turnsDropped: coordinator?.turns.dropped ?? 0,
      bargeIns: coordinator?.bargeIns ?? 0,
      falseInterruptions: coordinator?.falseInterruptions ?? 0,
      faults: coordinator?.faults ?? 0,
      digits: this.digits,
      audio: {
        framesIn: this.framesIn,
        framesOut: playout?.counters.frames ?? 0,
        framesRefused: playout?.counters.full ?? 0,
        underruns: playout?.counters.underruns ?? 0,
        overruns: playout?.counters.overruns ?? 0,
        detectorFull: this.detectorFull,
      },
    }
  }
}

/** Who called and who answers; the number is what an operator looks a call up by. */
function admittedDetail({ caller, provider, origin }: CallPlan): string {
  const from = caller.number === '' ? '' : `, from ${caller.number}`
  const to = caller.dialled === '' ? '' : ` to ${caller.dialled}`
  return `provider ${provider.name}, ${origin}${from}${to}`
}
