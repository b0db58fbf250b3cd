import type { AgentEvent } from '#agent/provider.ts'
import { type AudioFrame, wireRatesHz } from '#audio/format.ts'
import type { Milliseconds } from '#base/clock.ts'
import {
  admittedDetail,
  type CallPlan,
  type CallWorld,
  detectionOf,
  onwardOf,
  planFacts,
  wordsOf,
} from './call-plan.ts'
import { CallSession } from './call-session.ts'
import { type CallState, type CallStateEvent, nextCallState } from './call-state.ts'
import { closePart, logBug } from './closing.ts'
import { Coordinator } from './coordinator.ts'
import type { DialplanPlace } from './dialplan-place.ts'
import { EarlyCaller } from './early-caller.ts'
import { IncidentLog } from './incident-log.ts'
import { KeyPad } from './key-pad.ts'
import type { HangupCause, Leg, Transport } from './leg.ts'
import type { LineEcho } from './line-echo.ts'
import { MediaPath, noAudio } from './media-path.ts'
import { MediaRescue } from './media-rescue.ts'
import { MediaWatch } from './media-watch.ts'
import type { Caller, CallFacts, CallStep } from './observer.ts'
import type { PbxSide } from './pbx-side.ts'
import type { SpeechDetectorSession, SpeechEvent } from './speech-detector.ts'
import { type Hearing, heard, noTurns } from './turn-facts.ts'
import type { TurnState } from './turn-state.ts'

/**
 * One call from admission to its record: it joins a leg and an agent session, owns both, and closes both. The door it
 * came through (ARI or the dialplan) says when the channel is answered and bridged, and hands in how to release it.
 * Leg, agent session and bridge come up side by side and `meet`; it may end at any moment, by anyone: `end` runs once.
 */
export class Call {
  readonly id: string
  private readonly plan: CallPlan
  private readonly world: CallWorld
  private readonly startedMs: Milliseconds
  private readonly startedWallMs: Milliseconds
  private readonly steps: Partial<Record<CallStep, Milliseconds>> = {}
  private readonly timeLimit: Disposable
  private state: CallState = 'ringing'
  private media: MediaPath | null = null
  private rescue: MediaRescue | null = null
  private detection: SpeechDetectorSession | null = null
  private echo: LineEcho | null = null
  private readonly session: CallSession
  private coordinator: Coordinator | null = null
  private ending: Promise<void> | null = null
  /** Null once the coordinator is there. */
  private early: EarlyCaller | null
  private readonly watch: MediaWatch
  /** Why the call ends behind the reply that sounds. */
  private endAfterReply: HangupCause | null = null
  private readonly incidents = new IncidentLog()
  private detectorFull = 0
  private readonly keyPad: KeyPad
  /** Admits: the call is in the store when this returns, and its agent session is being opened. */
  constructor(plan: CallPlan, world: CallWorld) {
    this.plan = plan
    this.world = world
    this.id = plan.id
    this.startedMs = world.clock.now()
    this.startedWallMs = world.clock.wallNow()
    this.early = new EarlyCaller(world.clock, wireRatesHz[plan.wire])
    world.store.add(this)
    this.step('admitted', admittedDetail(plan))
    this.watch = new MediaWatch(plan, world)
    const transfer = (place: DialplanPlace) => void (plan.origin === 'ari' && this.end('transferred', place))
    this.keyPad = new KeyPad({ actions: plan.keys, transfer })
    this.timeLimit = world.clock.after(plan.callMaxMs, () => this.timeUp())
    this.session = this.createSession()
    this.session.open()
  }

  get ended(): boolean {
    return this.state === 'draining' || this.state === 'ended'
  }

  get caller(): Caller {
    return this.plan.caller
  }

  get pbx(): PbxSide {
    return this.plan.pbx
  }

  get transport(): Transport {
    return this.plan.transport
  }

  get turnState(): TurnState {
    return this.coordinator?.turnState ?? 'opening'
  }

  get gateClosed(): boolean {
    return this.coordinator?.gateClosed ?? false
  }

  get hearing(): Hearing {
    return this.coordinator?.hearing ?? heard
  }

  /** The media has come: it brings digits, too, where its transport has them. */
  get hasMedia(): boolean {
    return this.media !== null
  }

  /** The caller has pressed a key. */
  digit(digit: string): void {
    this.coordinator?.callerActs()
    this.keyPad.press(digit)
  }

  answered(): void {
    if (this.move('answered')) this.step('answered')
  }

  bridged(): void {
    if (!this.move('bridged')) return
    this.step('bridged')
    this.meet()
  }

  /** A media connection is there: the first, or one that follows a lost one. */
  attachLeg(leg: Leg): 'attached' | 'refused' {
    if (this.ended || leg.format.sampleRateHz !== wireRatesHz[this.plan.wire]) return 'refused'
    if (this.rescue !== null) return this.rescue.attach(leg)
    if (!this.openDetection()) {
      // Ended before it was paced: a writer added now would never leave the pacer.
      leg.onEvent(() => {})
      void leg.close('setup_failed')
      return 'attached'
    }
    const { plan, world } = this
    // An agent that takes no turns has no replies either: what it says is one endless stream.
    const hasReplies = plan.provider.turnDetection !== 'none'
    const media = new MediaPath(
      {
        clock: world.clock,
        pacer: world.pacer,
        sampleRateHz: leg.format.sampleRateHz,
        playout: hasReplies ? plan.playout : { ...plan.playout, mode: 'stream' },
        warmUp: plan.warmUp,
        files: hasReplies ? plan.pbx.files : null,
      },
      {
        frame: (frame) => this.onFrame(frame),
        digit: (digit) => this.digit(digit),
        legEnded: (cause) => this.legEnded(cause),
        broke: (thrown) => this.broke(thrown),
        replyStarted: () => this.coordinator?.replyStarted(),
        replyDone: () => {
          this.coordinator?.replyDone()
          if (this.endAfterReply !== null) void this.end(this.endAfterReply)
        },
        stuck: () => this.watch.note('agent_not_sent'),
        fellBack: (reason) => world.observer.fellBack(this.id, reason),
      },
      leg,
    )
    this.media = media
    if (this.detection !== null && plan.turns.bargeIn.echoDetection) this.watchEcho(media)
    this.rescue = new MediaRescue({
      clock: world.clock,
      media,
      reopen: () => plan.pbx.reopenMedia(),
      detach: () => void this.bounded('leg', () => media.detach('media_lost')),
      gaveUp: () => this.endWithoutMedia(),
    })
    this.meet()
    return 'attached'
  }

  /** Asterisk has taken the media channel away, or its connection ended while the caller was still there. */
  mediaLost(): void {
    // Asterisk tells the end of the channel and of its connection, each in its own time: the loss is one.
    if (this.ended || this.endAfterReply !== null || this.rescue?.underWay === true) return
    const { plan, world, rescue } = this
    if (plan.origin !== 'ari' || this.state !== 'bridged' || rescue?.begin() !== true) {
      this.endWithoutMedia()
      return
    }
    world.observer.restarted(this.id)
  }

  /** What is left of a reply still reaches the caller by the other way, before the call ends. */
  private endWithoutMedia(): void {
    if (this.media?.playout.takeTheFilePath() === true) this.endAfterReply = 'media_lost'
    else void this.end('media_lost')
  }

  /** Idempotent; resolves when nothing of the call is left. `place`: where the caller goes on, where the cause lets them. */
  end(cause: HangupCause, place: DialplanPlace | null = null): Promise<void> {
    if (this.ending === null) {
      // Set first: closing the parts raises events that end the call, and it must end only once.
      const cleaned = Promise.withResolvers<void>()
      this.ending = cleaned.promise
      void this.close(cause, place).then(cleaned.resolve)
    }
    return this.ending
  }

  private createSession(): CallSession {
    return new CallSession(this.plan, this.world, {
      ended: () => this.ended,
      opened: () => this.meet(),
      event: (event) => this.guarded(() => this.onAgent(event)),
      failed: (code, message) => {
        this.fault(code, message)
        void this.end('provider_failed')
      },
    })
  }

  private timeUp(): void {
    const { coordinator, plan } = this
    if (coordinator === null) return void this.end('time_limit')
    this.guarded(() => coordinator.limitReached('time_limit', plan.onLimit === 'farewell' ? plan.turns.farewell : ''))
  }

  /** False, with the call ending, where the provider needs speech detection and there is none. */
  private openDetection(): boolean {
    const opened = detectionOf(this.plan, this.world.detector, (event) => this.guarded(() => this.onSpeech(event)))
    if (opened === 'missing') {
      this.world.log.error('no speech detection for this call', { call: this.id })
      void this.end('setup_failed')
      return false
    }
    this.detection = opened
    return true
  }

  /** Goes on once the bridge, the leg and the session are all there. */
  private meet(): void {
    const { media, plan, world } = this
    const session = this.session.current
    if (this.state !== 'bridged' || media === null) return
    if (this.steps.media_open === undefined) {
      this.step('media_open')
      if (media.framesIn > 0) this.step('first_caller_audio')
      this.watch.begin(media)
    }
    if (session === null || this.coordinator !== null) return
    this.coordinator = new Coordinator(
      {
        callId: this.id,
        callStartedMs: this.startedMs,
        detection: this.detection,
        providerName: plan.provider.name,
        language: plan.language,
        clock: world.clock,
        session,
        turnDetection: plan.provider.turnDetection,
        playout: media.playout,
        settings: plan.turns,
        turnEndModel: world.turnEndModel,
        overlapModel: world.overlapModel,
        wordsIn: wordsOf(plan),
        echo: this.echo,
        observer: world.observer,
        guarded: (action) => this.guarded(action),
        gateChanged: (closed) => {
          this.step(closed ? 'gate_closed' : 'gate_opened')
          world.observer.gate(closed)
        },
        greetingStarted: () => this.step('greeting_started'),
        greetingFinished: () => this.step('greeting_finished'),
        hangUp: (cause, place) => void this.end(cause, place),
      },
      wireRatesHz[plan.wire],
    )
    const { coordinator, early } = this
    this.early = null
    this.guarded(() => {
      coordinator.begin(plan.greeting, early)
      this.keyPad.ready((action) => this.guarded(() => coordinator.key(action)))
    })
  }

  private watchEcho(media: MediaPath): void {
    this.echo = this.world.createEcho(wireRatesHz[this.plan.wire])
    media.playout.line.sent = (samples) => this.echo?.sent(samples)
  }

  /** The path of every frame: nothing is made here. */
  private onFrame(frame: AudioFrame): void {
    if (this.ended) return
    this.echo?.heard(frame.samples)
    // The agent's own voice is out of it, once it is known how it comes back.
    const heard = this.echo?.clean(frame) ?? frame
    if (this.detection?.push(heard.samples) === 'full') this.detectorFull += 1
    this.early?.frame(heard.samples)
    if (this.steps.first_caller_audio === undefined) {
      if (this.steps.media_open === undefined) return
      this.step('first_caller_audio')
    }
    this.coordinator?.callerAudio(heard)
  }

  private legEnded(cause: HangupCause): void {
    if (this.ended) return
    // With ARI the caller's hang-up arrives as an event: a media connection that ends by itself was lost.
    if (this.plan.origin === 'ari' && (cause === 'caller' || cause === 'media_lost')) return this.mediaLost()
    void this.end(cause)
  }

  private onSpeech(event: SpeechEvent): void {
    this.early?.speech(event)
    this.coordinator?.speech(event)
  }

  private onAgent(event: AgentEvent): void {
    if (event.type === 'fault' || event.type === 'incident') this.fault(event.code, event.message)
    if (event.type === 'closed' && !this.ended) return void this.end('provider_failed')
    this.coordinator?.agent(event)
  }

  private fault(code: string, message: string): void {
    this.incidents.add(this.world.clock.now() - this.startedMs, code)
    this.world.observer.fault(this.id, this.plan.provider.name, code, message)
  }

  private async close(cause: HangupCause, place: DialplanPlace | null): Promise<void> {
    const { world, plan } = this
    this.move('end')
    this.step('hangup', cause)
    this.timeLimit[Symbol.dispose]()
    this.guarded(() => this.coordinator?.end())
    this.session.giveUp()
    this.guarded(() => this.detection?.close())
    this.watch.end()
    this.rescue?.end()
    await Promise.all([
      this.bounded('leg', () => this.media?.close(cause)),
      this.bounded('session', () => this.session.close()),
      this.bounded('channel', () => plan.pbx.release(cause, onwardOf(plan, cause, place))),
    ])
    this.move('cleaned')
    this.step('cleaned')
    world.store.remove(this)
    world.observer.finished(this.facts(cause))
  }

  private bounded(part: string, close: () => Promise<void> | undefined): Promise<void> {
    return closePart({ clock: this.world.clock, log: this.world.log, call: this.id, part }, close)
  }

  /** A bug ends this call, and no other. */
  private guarded(action: () => void): void {
    try {
      action()
    } catch (thrown) {
      this.broke(thrown)
    }
    // A reply that the caller cuts off has no end of its own.
    if (this.endAfterReply !== null && this.media?.playout.active !== true) void this.end(this.endAfterReply)
  }

  private broke(thrown: unknown): void {
    logBug(this.world.log, this.id, thrown)
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
    const { plan, world, coordinator } = this
    return {
      callId: this.id,
      ...planFacts(plan),
      startedWallMs: this.startedWallMs,
      durationMs: world.clock.now() - this.startedMs,
      sessionMs: this.session.openMs,
      usage: this.session.usage.all,
      cause,
      steps: this.steps,
      ...(coordinator?.facts ?? noTurns),
      incidents: this.incidents.all,
      digits: this.keyPad.pressed,
      oneWay: this.watch.found,
      audio: this.media?.facts(this.detectorFull) ?? noAudio,
    }
  }
}
