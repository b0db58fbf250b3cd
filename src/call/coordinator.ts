import type { AgentEvent, SessionOf, TurnDetection } from '#agent/provider.ts'
import { type AudioFrame, msToSamples, ptimeMs, type SampleRateHz } from '#audio/format.ts'
import { SampleRing } from '#audio/sample-ring.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import { Gate } from './gate.ts'
import type { CallObserver, TurnRecord } from './observer.ts'
import type { Playout } from './playout.ts'
import type { SpeechEvent } from './speech-detector.ts'
import { TurnLog } from './turn-log.ts'
import type { TurnSettings } from './turn-settings.ts'
import { nextTurn, type TurnEffect, type TurnEvent, type TurnState } from './turn-state.ts'

/**
 * Runs the turn table of one call: events of the speech detector, of the agent and of the playout go in, effects come
 * out on the agent session, the playout and the gate. It decides nothing by itself but when a timer is due.
 *
 * Where audio may wait here: the look-back ring only. A frame that passes the open gate goes to the agent at once.
 */

export interface CoordinatorDeps {
  readonly callId: string
  /** When the call began, on the clock. */
  readonly callStartedMs: Milliseconds
  /** How long the caller's voice has been quiet; a pause is known to the detector before it is an event. */
  readonly quietMs: () => Milliseconds
  readonly providerName: string
  readonly clock: Clock
  readonly session: SessionOf<'agent'>
  readonly turnDetection: TurnDetection
  readonly playout: Playout
  readonly settings: TurnSettings
  readonly observer: CallObserver
  /** Runs what a timer brings: a bug in it ends this call only. */
  readonly guarded: (action: () => void) => void
  readonly gateChanged: (closed: boolean) => void
  readonly greetingStarted: () => void
  readonly greetingFinished: () => void
  /** The agent failed for good. */
  readonly failed: () => void
}

/** Audio before the detector's own first window of speech: no first syllable is lost. */
const lookBackMs = 300
const ringMs = 4000
/** A greeting that has not sounded by then is given up, so that the caller can speak. */
const greetingTimeoutMs = 5000
/** Turns in a row that the agent may fail to answer before the call is given up. */
const faultsMax = 3

export class Coordinator {
  readonly turns: TurnLog
  bargeIns = 0
  falseInterruptions = 0
  faults = 0
  private readonly deps: CoordinatorDeps
  private readonly gate: Gate
  private readonly ring: SampleRing
  private readonly sampleRateHz: SampleRateHz
  private readonly audioInput: { type: 'audio'; frame: AudioFrame }
  private state: TurnState = 'opening'
  private greeting: 'pending' | 'sounding' | 'over' = 'pending'
  private timers: Partial<Record<'silence' | 'turn' | 'barge_in' | 'guard' | 'greeting', Disposable>> = {}
  private speaking = false
  private speechStartedMs = 0
  private speechStoppedMs = 0
  private replyStartedMs = 0
  private interruptedMs = Number.NEGATIVE_INFINITY
  /** When the gate opened with nobody speaking: what was before is the reply and its echo. */
  private quietOpeningMs = Number.NEGATIVE_INFINITY
  private faultsInRow = 0
  /** The reply that sounds, or will, is the apology for one that failed. */
  private apologising = false
  /** The reply that sounds broke off: what there is of it is still heard. */
  private replyFaulted = false

  constructor(deps: CoordinatorDeps, sampleRateHz: SampleRateHz) {
    this.deps = deps
    this.sampleRateHz = sampleRateHz
    this.ring = new SampleRing(msToSamples(ringMs, sampleRateHz))
    this.audioInput = { type: 'audio', frame: { sampleRateHz, samples: new Int16Array(0) } }
    if (deps.turnDetection === 'none') this.greeting = 'over'
    this.turns = new TurnLog(deps.callStartedMs)
    this.gate = new Gate(deps.gateChanged)
  }

  get turnState(): TurnState {
    return this.state
  }

  get gateClosed(): boolean {
    return this.gate.closed
  }

  /** Both ways of the audio path are open: greet, or listen at once where there is no greeting. */
  begin(greeting: string): void {
    if (this.deps.turnDetection === 'none') return
    this.gate.close('opening')
    if (greeting === '') return this.dispatch('reply_empty')
    this.arm('greeting', greetingTimeoutMs, () => this.dispatch('reply_empty'))
    this.deps.session.send({ type: 'say', text: greeting })
  }

  /** One frame from the caller; on the audio path. */
  callerAudio(frame: AudioFrame): void {
    this.ring.push(frame.samples)
    if (!this.streaming) return
    this.audioInput.frame = frame
    this.deps.session.send(this.audioInput)
  }

  /**
   * An agent that finds the turns itself hears all that passes the gate. Where our detector finds them, it hears turns
   * only, each with a little of what was before; so the guard time after a reply stays unheard.
   */
  private get streaming(): boolean {
    if (this.deps.turnDetection !== 'engine') return !this.gate.closed
    return this.state === 'caller_speaking' || this.state === 'endpointing' || this.state === 'thinking'
  }

  speech(event: SpeechEvent): void {
    const now = this.deps.clock.now()
    if (event.type === 'speech_started') {
      this.speaking = true
      this.speechStartedMs = now - event.agoMs
      this.dispatch('speech_started')
    } else {
      this.speaking = false
      this.speechStoppedMs = now - event.agoMs
      this.dispatch('speech_stopped')
    }
  }

  agent(event: AgentEvent): void {
    switch (event.type) {
      case 'audio':
        return this.agentAudio(event.frame)
      case 'reply_done':
        if (this.deps.playout.active) this.deps.playout.end()
        else this.dispatch('reply_empty')
        return
      case 'nothing_heard':
        this.finishTurn('no_words')
        return this.dispatch('reply_empty')
      case 'transcript':
        this.turns.text(event.side, event.text, event.final)
        if (event.final) this.deps.observer.transcript(this.deps.callId, event.side, event.text)
        return
      case 'stage':
        return this.turns.stage(event.stage, event.durationMs)
      case 'fault':
        return this.fault()
      case 'speech_started':
        return this.speech({ type: 'speech_started', agoMs: 0 })
      case 'speech_stopped':
        return this.speech({ type: 'speech_stopped', agoMs: 0 })
      case 'reply_started':
        return this.deps.playout.announce()
      case 'closed':
        return
    }
  }

  /** Called by playout when a reply's first frame has left. */
  replyStarted(): void {
    this.replyStartedMs = this.deps.clock.now()
    if (this.greeting === 'pending') {
      this.greeting = 'sounding'
      this.deps.greetingStarted()
    } else {
      this.turns.replyStarted(this.replyStartedMs - this.speechStoppedMs)
    }
  }

  /** Called by playout when a reply's last frame has left. */
  replyDone(): void {
    if (this.state === 'ended') return
    if (this.greeting === 'sounding') this.greetingOver()
    else this.finishTurn(this.replyFaulted ? 'fault' : 'answered')
    if (!this.apologising && !this.replyFaulted) this.faultsInRow = 0
    this.replyFaulted = false
    this.dispatch('playout_done')
  }

  end(): void {
    this.dispatch('call_ended')
  }

  private agentAudio(frame: AudioFrame): void {
    if (this.deps.turnDetection === 'none') {
      if (!this.deps.playout.active) this.deps.playout.begin(this.deps.settings.warmUpMs)
      return this.deps.playout.push(frame.samples)
    }
    if (this.state !== 'agent_speaking' && this.state !== 'overlap') this.dispatch('reply_audio')
    // Read anew: the dispatch may have changed it. Audio of a reply that was given up has nowhere to go.
    const state: TurnState = this.state
    if (state === 'agent_speaking' || state === 'overlap') this.deps.playout.push(frame.samples)
  }

  private fault(): void {
    this.faults += 1
    this.faultsInRow += 1
    if (this.state === 'ended') return
    if (this.faultsInRow >= faultsMax || this.greeting === 'pending') return this.deps.failed()
    if (this.deps.playout.active) {
      this.replyFaulted = true
      return this.deps.playout.end()
    }
    if (this.state !== 'thinking') return
    this.finishTurn('fault')
    this.apologising = true
    if (this.deps.session.send({ type: 'say', text: this.deps.settings.apology }) !== 'sent')
      this.dispatch('reply_empty')
  }

  private dispatch(event: TurnEvent): void {
    const transition = nextTurn(this.state, event)
    if (transition === null) return
    this.state = transition.state
    for (const effect of transition.effects) this.perform(effect)
    // Who speaks already when the floor is theirs has no new onset to be noticed by. Not so when the agent begins: a line
    // that never falls silent, with a radio on it, would never let it finish.
    if (transition.state === 'listening' && this.speaking) this.dispatch('speech_started')
  }

  private perform(effect: TurnEffect): void {
    const { session, playout, settings, observer, clock } = this.deps
    switch (effect) {
      case 'start_turn':
        return this.startTurn()
      case 'continue_turn':
        session.send({ type: 'speech_started', agoMs: clock.now() - this.speechStartedMs })
        return
      case 'resume_turn':
        this.turns.resumed(this.speechStartedMs)
        session.send({ type: 'turn_resumed' })
        session.send({ type: 'speech_started', agoMs: clock.now() - this.speechStartedMs })
        this.armTurnLimit()
        return
      case 'start_silence_limit':
        session.send({ type: 'speech_stopped' })
        this.arm('silence', settings.endSilenceMs - (clock.now() - this.speechStoppedMs), () =>
          this.dispatch('silence_limit'),
        )
        return
      case 'stop_silence_limit':
        return this.disarm('silence')
      case 'commit_turn':
        this.disarm('turn')
        this.apologising = false
        // A turn that is cut at its longest duration: the caller has spoken until now.
        if (this.speaking) {
          this.speechStoppedMs = clock.now()
          this.speechStartedMs = clock.now()
        }
        this.turns.committed(this.speechStoppedMs, clock.now())
        session.send({ type: 'turn_committed' })
        return
      case 'start_playout':
        this.disarm('greeting')
        // The new reason first: between the two the gate must not open.
        this.gate.close('agent_speaking')
        this.gate.open('opening')
        this.replyFaulted = false
        this.replyStartedMs = clock.now()
        playout.begin(this.greeting === 'pending' ? settings.greetingWarmUpMs : settings.warmUpMs)
        return
      case 'start_barge_in_limit':
        return this.startBargeInLimit()
      case 'stop_barge_in_limit':
        return this.disarm('barge_in')
      case 'note_false_interruption':
        this.falseInterruptions += 1
        observer.bargeIn('false_interruption', clock.now() - this.speechStartedMs)
        return
      case 'flush_playout':
        return this.interrupt()
      case 'start_guard':
        this.arm('guard', settings.bargeIn.guardMs, () =>
          this.dispatch(this.speaking ? 'guard_over_in_speech' : 'guard_over'),
        )
        return
      case 'stop_guard':
        return this.disarm('guard')
      case 'open_gate':
        this.disarm('greeting')
        if (this.greeting === 'pending') this.greeting = 'over'
        // Who speaks already gets the moment before their first window too, also where the gate kept it from the agent.
        this.quietOpeningMs = this.speaking ? Number.NEGATIVE_INFINITY : clock.now()
        return this.gate.openAll()
      case 'stop_everything':
        for (const timer of Object.values(this.timers)) timer[Symbol.dispose]()
        this.timers = {}
        if (this.greeting === 'sounding') this.greetingOver()
        this.finishTurn('abandoned')
        return this.gate.openAll()
    }
  }

  private startTurn(): void {
    const { session, clock } = this.deps
    // A turn that got an empty reply is still open.
    this.finishTurn('abandoned')
    this.turns.begin(this.speechStartedMs)
    const agoMs = clock.now() - this.speechStartedMs
    if (this.deps.turnDetection === 'engine') this.replay(agoMs)
    session.send({ type: 'speech_started', agoMs })
    this.armTurnLimit()
  }

  /** The agent hears the turn from a little before its first window on, so that no first syllable is lost. */
  private replay(agoMs: Milliseconds): void {
    const sinceOpenMs = this.deps.clock.now() - this.quietOpeningMs
    const pastMs = Math.max(agoMs, Math.min(agoMs + lookBackMs, sinceOpenMs))
    const samples = this.ring.newest(msToSamples(pastMs, this.sampleRateHz))
    this.audioInput.frame = { sampleRateHz: this.sampleRateHz, samples }
    this.deps.session.send(this.audioInput)
  }

  private armTurnLimit(): void {
    this.arm('turn', this.deps.settings.turnMaxMs, () => this.dispatch('turn_limit'))
  }

  private startBargeInLimit(): void {
    const { bargeIn } = this.deps.settings
    if (!bargeIn.enabled) return
    const protectionMs = this.greeting === 'sounding' ? bargeIn.greetingProtectionMs : bargeIn.initialProtectionMs
    const dueMs = Math.max(
      this.speechStartedMs + bargeIn.minMs,
      this.replyStartedMs + protectionMs,
      this.interruptedMs + bargeIn.cooldownMs,
    )
    this.arm('barge_in', dueMs - this.deps.clock.now(), () => this.confirmBargeIn())
  }

  /**
   * The end of a sound is only an event some time after it: what counts is how long the voice has sounded until now.
   * A pause is waited out: it becomes `speech_stopped`, or the voice goes on.
   */
  private confirmBargeIn(): void {
    const quietMs = this.deps.quietMs()
    const spokenMs = this.deps.clock.now() - this.speechStartedMs - quietMs
    const missingMs = this.deps.settings.bargeIn.minMs - spokenMs
    if (missingMs <= 0) return this.dispatch('barge_in_confirmed')
    this.arm('barge_in', Math.max(missingMs, ptimeMs), () => this.confirmBargeIn())
  }

  private interrupt(): void {
    const { playout, session, observer, clock } = this.deps
    this.disarm('barge_in')
    const heardMs = playout.flush()
    this.bargeIns += 1
    observer.bargeIn('interruption', clock.now() - this.speechStartedMs)
    observer.interrupted(this.deps.callId, this.greeting === 'sounding' ? 'greeting' : 'reply', heardMs)
    this.interruptedMs = clock.now()
    session.send({ type: 'interrupted', heardMs })
    if (this.greeting === 'sounding') this.greetingOver()
    else this.finishTurn('interrupted')
  }

  private greetingOver(): void {
    this.greeting = 'over'
    this.deps.greetingFinished()
  }

  private finishTurn(outcome: TurnRecord['outcome']): void {
    const replied = outcome === 'answered' || outcome === 'interrupted' || this.replyFaulted
    const turn = this.turns.finish(outcome, replied ? this.deps.playout.heardMs : undefined)
    if (turn !== null) this.deps.observer.turn(this.deps.callId, this.deps.providerName, turn)
  }

  private arm(name: keyof typeof this.timers, durationMs: Milliseconds, action: () => void): void {
    this.disarm(name)
    this.timers[name] = this.deps.clock.after(Math.max(0, durationMs), () => this.deps.guarded(action))
  }

  private disarm(name: keyof typeof this.timers): void {
    this.timers[name]?.[Symbol.dispose]()
    delete this.timers[name]
  }
}
