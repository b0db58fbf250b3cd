import type { AgentEvent, Fault } from '#agent/provider.ts'
import type { AudioFrame, SampleRateHz } from '#audio/format.ts'
import type { Milliseconds } from '#base/clock.ts'
import { judgesSound, type OverlapVerdict } from './barge-in.ts'
import type { CoordinatorDeps } from './coordinator-deps.ts'
import type { EarlyCaller } from './early-caller.ts'
import type { TurnEnder } from './endpointing.ts'
import { KeyActions } from './key-actions.ts'
import type { AgentKeyAction } from './key-pad.ts'
import { LastWords } from './last-words.ts'
import type { HangupCause } from './leg.ts'
import { isMachineTalk } from './machine-talk.ts'
import type { OverlapLog } from './overlap-log.ts'
import { betweenReplies, type Overlooks } from './overlooked-voice.ts'
import type { SpeechEvent } from './speech-detector.ts'
import { TurnEffects } from './turn-effects.ts'
import type { Hearing, TurnFacts } from './turn-facts.ts'
import type { TurnLog } from './turn-log.ts'
import { createTurnParts, type TurnParts } from './turn-parts.ts'
import { nextTurn, type TurnEvent, type TurnState } from './turn-state.ts'

/**
 * Runs the turn table of one call: events of the speech detector, of the agent and of the playout go in, effects come
 * out on the agent session, the playout and the gate. It decides nothing by itself: what speech over the agent's is,
 * `barge-in.ts` decides; which pause ends a turn, `endpointing.ts`; what is done in silence, `no-input.ts`.
 *
 * An agent that finds the turns itself (`provider`) hears all the time, and its events drive the table while it is
 * silent. While it speaks our detector does, where there is one and the configuration wants it: the agent's own
 * `speech_started` is then one more piece of evidence.
 *
 * Where audio may wait here: the look-back ring only. A frame that passes the open gate goes to the agent at once.
 */

/** A greeting that has not sounded by then is given up, so that the caller can speak. */
const greetingTimeoutMs = 5000

export class Coordinator {
  private readonly deps: CoordinatorDeps
  private readonly parts: TurnParts
  private readonly effects: TurnEffects
  private readonly lastWords: LastWords
  private readonly keys: KeyActions
  private readonly sampleRateHz: SampleRateHz
  private readonly audioInput: { type: 'audio'; frame: AudioFrame }
  private state: TurnState = 'opening'

  constructor(deps: CoordinatorDeps, sampleRateHz: SampleRateHz) {
    this.deps = deps
    this.sampleRateHz = sampleRateHz
    this.parts = createTurnParts(deps, sampleRateHz, {
      overlap: (verdict) => this.overlapDecided(verdict),
      turnOver: (by) => this.turnOver(by),
      overlooked: (event) => deps.guarded(() => this.voiced(event)),
    })
    const dispatch = (event: TurnEvent) => this.dispatch(event)
    this.effects = new TurnEffects(deps, this.parts, sampleRateHz, dispatch)
    const over = () => this.state === 'ended'
    const ending = { call: deps, parts: this.parts, effects: this.effects, dispatch, over }
    this.lastWords = new LastWords(ending)
    this.keys = new KeyActions({ ...ending, lastWords: this.lastWords, state: () => this.state })
    this.audioInput = { type: 'audio', frame: { sampleRateHz, samples: new Int16Array(0) } }
    if (deps.turnDetection === 'none') this.parts.replies.greeting = 'over'
  }

  get turns(): TurnLog {
    return this.parts.turns
  }

  get overlaps(): OverlapLog {
    return this.parts.overlaps
  }

  /** What is told of the turns when the call is over. */
  get facts(): TurnFacts {
    const { turns, overlaps, replies } = this.parts
    return {
      turns: turns.all,
      turnsDropped: turns.dropped,
      spokenCharacters: turns.spokenCharacters,
      overlapCounts: overlaps.counts,
      overlaps: overlaps.all,
      faults: replies.faults,
    }
  }

  get turnState(): TurnState {
    return this.state
  }

  get gateClosed(): boolean {
    return this.parts.gate.closed
  }

  get hearing(): Hearing {
    const { gate } = this.parts
    const listens = this.deps.turnDetection === 'provider' ? this.streaming : !gate.closed
    return { listens, gateReasons: gate.reasons }
  }

  /**
   * Both ways of the audio path are open: greet, or listen at once where there is no greeting.
   * @param early what was said before there was a coordinator
   */
  begin(greeting: string, early: EarlyCaller | null = null): void {
    if (early !== null) this.parts.lookBack.push(early.samples, false)
    const speaksForMs = early?.speaksForMs ?? null
    this.parts.talk.greeting = greeting
    if (speaksForMs !== null) this.speech({ type: 'speech_started', agoMs: speaksForMs })
    if (this.deps.turnDetection === 'none') return
    this.parts.gate.close('opening')
    if (greeting === '') return this.dispatch('reply_empty')
    this.effects.arm('greeting', greetingTimeoutMs, () => this.dispatch('reply_empty'))
    this.deps.session.send({ type: 'say', text: greeting })
  }

  /** One frame from the caller; on the audio path. */
  callerAudio(frame: AudioFrame): void {
    const { streaming } = this
    this.parts.lookBack.push(frame.samples, streaming)
    this.parts.overlap.frame(frame.samples)
    this.parts.overlooked?.frame(frame.samples, this.overlooks)
    if (!streaming) return
    this.audioInput.frame = frame
    this.deps.session.send(this.audioInput)
  }

  /**
   * An agent that finds the turns itself hears all that is not muted, while it speaks as well. Where our detector finds
   * them, it hears turns only, each with a little of what was before; so the guard time after a reply stays unheard.
   */
  private get streaming(): boolean {
    const { turnDetection } = this.deps
    if (turnDetection === 'none') return !this.parts.gate.closed
    if (this.parts.gate.muted) return false
    if (turnDetection === 'provider') return this.state !== 'opening'
    return this.state === 'caller_speaking' || this.state === 'endpointing' || this.state === 'thinking'
  }

  /** While the agent speaks, over whose speech is decided here: by our detector, or by the agent's own events alone. */
  private get judged(): boolean {
    return this.deps.turnDetection === 'engine' || (this.deps.detection !== null && this.deps.settings.bargeIn.confirm)
  }

  /** Nobody is heard, and somebody might have been overlooked. */
  private get overlooks(): Overlooks {
    const { voice, gate } = this.parts
    if (voice.detectorHears || gate.muted) return null
    if (this.state === 'agent_speaking') return this.judged && judgesSound(this.deps.settings.bargeIn) ? 'reply' : null
    // Where nobody can tell a voice from the reply's echo, what follows a reply at once may be that.
    if (this.state === 'guarding' && this.deps.echo === null) return null
    return this.deps.turnDetection === 'engine' && betweenReplies.includes(this.state) ? 'silence' : null
  }

  private get agentSounds(): boolean {
    return this.state === 'agent_speaking' || this.state === 'overlap'
  }

  /** From our detector. */
  speech(event: SpeechEvent): void {
    const { overlooked } = this.parts
    const known = overlooked?.speaking === true
    overlooked?.handOver()
    if (known && event.type === 'speech_started') return this.parts.voice.detected(event)
    this.voiced(event)
  }

  private voiced(event: SpeechEvent): void {
    const { turnDetection, session } = this.deps
    this.parts.voice.detected(event)
    const counts = turnDetection === 'engine' || (this.judged && this.agentSounds)
    if (counts) this.heard(event)
    else if (turnDetection === 'provider' && this.streaming)
      session.send({ type: 'caller_sounds', sounds: event.type === 'speech_started' })
  }

  private heard(event: SpeechEvent): void {
    const before = this.unheard
    this.parts.voice.heard(event, this.agentSounds ? 'reply' : this.state === 'guarding' ? 'guard' : 'silence')
    const unheard = event.type === 'speech_started' ? this.unheard : before
    if (!unheard) this.dispatch(event.type)
  }

  /** Not taken for the caller's: what is muted, and what is the agent's own voice. */
  private get unheard(): boolean {
    return this.parts.gate.muted || this.parts.voice.echoing
  }

  agent(event: AgentEvent): void {
    switch (event.type) {
      case 'audio':
        return this.agentAudio(event.frame)
      case 'reply_done':
        if (this.deps.playout.active) this.deps.playout.end()
        else this.replyEmpty()
        return
      case 'nothing_heard':
        // One that finds the turns itself has not said that this one is over.
        if (this.state === 'endpointing') this.agentTakesTurn()
        this.effects.finishTurn('no_words')
        return this.replyEmpty()
      case 'transcript':
        // Words of an earlier turn say nothing of what is being said now.
        if (event.side === 'caller' && (event.spokenAtMs ?? Number.POSITIVE_INFINITY) >= this.parts.voice.startedMs)
          this.effects.callerWords(event.text)
        if (event.side === 'agent' && event.final) this.keys.said(event)
        this.parts.turns.text(event)
        if (event.final) this.deps.observer.transcript(this.deps.callId, event.side, event.text)
        return
      case 'stage':
        return this.parts.turns.stage(event.stage, event.durationMs)
      case 'fault':
        return this.fault(event)
      case 'leave':
        return this.lastWords.leave(event.how)
      case 'speech_started':
        return this.agentHeard('speech_started', 0)
      case 'speech_stopped':
        return this.agentHeard('speech_stopped', event.agoMs ?? 0)
      case 'turn_end':
        return this.parts.pause.providerSays(event.done)
      case 'reply_started':
        this.agentTakesTurn()
        return this.deps.playout.announce()
      case 'tool':
        return this.tool(event.running)
      case 'taken_up':
        return this.deps.observer.takenUp(this.deps.callId)
      case 'usage':
      case 'incident':
      case 'closed':
        return
    }
  }

  /** Called by playout when a reply's first frame has left. */
  replyStarted(): void {
    const now = this.deps.clock.now()
    const engineMs = this.parts.replies.sounds(now)
    if (this.parts.replies.greeting !== 'pending')
      return this.parts.turns.replyStarted(now - this.parts.voice.stoppedMs, engineMs)
    this.parts.replies.greeting = 'sounding'
    this.deps.greetingStarted()
  }

  /** Called by playout when a reply's last frame has left. */
  replyDone(): void {
    if (this.state === 'ended') return
    if (this.parts.replies.greeting === 'sounding') this.effects.greetingOver()
    else this.effects.finishTurn(this.parts.replies.brokeOff ? 'fault' : 'answered')
    this.parts.replies.ends()
    if (this.deps.turnDetection !== 'none') this.deps.session.send({ type: 'reply_heard' })
    this.dispatch('playout_done')
    this.lastWords.heard()
    const { machineTalkTurns: max, farewell } = this.deps.settings
    if (isMachineTalk({ ...this.parts.talk, turns: this.turns.all }, max)) this.limitReached('machine_talk', farewell)
  }

  /** The caller does something that a machine does not: what they have said until now is no sign of one. */
  callerActs(): void {
    this.parts.talk.sinceMs = this.deps.clock.now() - this.deps.callStartedMs
  }

  /** The caller has pressed a key that is bound to something. */
  key(action: AgentKeyAction): void {
    this.keys.perform(action)
  }

  /** A limit is reached: the agent says so and the call ends with this cause. Empty: it says nothing. */
  limitReached(cause: HangupCause, say: string): void {
    this.lastWords.limitReached(cause, say)
  }

  end(): void {
    this.dispatch('call_ended')
  }

  // ── what the agent says of itself ─────────────────────────────────────────────────────────────────────────────

  private agentAudio(frame: AudioFrame): void {
    const { playout, settings, clock, turnDetection } = this.deps
    if (frame.sampleRateHz !== this.sampleRateHz) {
      throw new Error(`a provider sent audio of ${frame.sampleRateHz} Hz to a leg of ${this.sampleRateHz} Hz`)
    }
    if (turnDetection === 'none') {
      if (!playout.active) playout.begin(settings.warmUpMs)
      return playout.push(frame.samples)
    }
    this.agentTakesTurn()
    if (this.state !== 'agent_speaking' && this.state !== 'overlap') {
      this.parts.replies.arrives(clock.now())
      this.dispatch('reply_audio')
    }
    // Read anew: the dispatch may have changed it. Audio of a reply that was given up has nowhere to go.
    const state: TurnState = this.state
    if (state === 'agent_speaking' || state === 'overlap') playout.push(frame.samples)
  }

  /** An agent that finds the turns itself answers when it likes. */
  private agentTakesTurn(): void {
    if (this.deps.turnDetection !== 'provider') return
    this.parts.endedBy = 'provider'
    this.dispatch('agent_took_turn')
  }

  /** The agent's own detector. While it speaks, ours decides what that means, where there is one. */
  private agentHeard(type: 'speech_started' | 'speech_stopped', agoMs: Milliseconds): void {
    const { voice } = this.parts
    voice.agentHears = type === 'speech_started'
    if (this.agentSounds && this.judged) return this.agentHeardOver(type)
    const sounded = this.agentSounds
    this.heard({ type, agoMs })
    if (sounded && this.parts.voice.agentHears && this.deps.settings.bargeIn.enabled)
      this.parts.overlap.decide('interruption')
  }

  /** While it speaks, where our detector has the last word. */
  private agentHeardOver(type: 'speech_started' | 'speech_stopped'): void {
    const { voice } = this.parts
    if (this.state !== 'agent_speaking') return
    if (type === 'speech_started') {
      // Whoever went on just before the reply began has no new onset over it.
      if (voice.unjudged && voice.detectorHears)
        this.heard({ type, agoMs: this.deps.clock.now() - voice.detectorStartedMs })
      return
    }
    // Of what it has heard to its end, and we have heard nothing: it was no speech.
    if (!voice.unjudged) this.noInterruption()
    voice.unjudged = false
  }

  private tool(running: boolean): void {
    if (running) this.parts.waiting.end()
    if (running) this.callerActs()
    if (this.deps.settings.mute.includes('tool')) this.effects.mute('muted_tool', running)
    if (!running && this.state === 'listening') this.parts.waiting.begin()
  }

  private replyEmpty(): void {
    const silent = this.state === 'listening' && this.parts.leaving === null
    this.dispatch('reply_empty')
    if (this.parts.waiting.leaving && this.state !== 'ended') this.deps.hangUp('no_input')
    // What was to be said in silence was nothing: that silence goes on.
    if (silent && this.state === 'listening') this.parts.waiting.begin()
    this.lastWords.heard()
  }

  private fault({ final }: Fault): void {
    const { playout, session, settings, hangUp } = this.deps
    const givesUp = this.parts.replies.fault() || final === true
    if (this.state === 'ended') return
    if (this.parts.leaving !== null) return this.lastWords.brokeOff()
    if (givesUp) return this.lastWords.giveUp()
    if (this.parts.waiting.leaving) return playout.active ? playout.end() : hangUp('no_input')
    if (playout.active) {
      this.parts.replies.brokeOff = true
      return playout.end()
    }
    // One that finds the turns itself has not said that it takes this one.
    if (this.state === 'endpointing') this.agentTakesTurn()
    // What was to be said in silence will not be: that silence goes on.
    if (this.state === 'listening') this.parts.waiting.begin()
    if (this.state !== 'thinking') return
    this.effects.finishTurn('fault')
    this.parts.replies.apologise()
    if (session.send({ type: 'say', text: settings.apology }) !== 'sent') this.dispatch('reply_empty')
  }

  // ── the table ─────────────────────────────────────────────────────────────────────────────────────────────────

  private dispatch(event: TurnEvent): void {
    const transition = nextTurn(this.state, event)
    if (transition === null) return
    this.state = transition.state
    for (const effect of transition.effects) this.effects.perform(effect)
    // Who speaks already when the floor is theirs has no new onset to be noticed by. Not so when the agent begins: a line
    // that never falls silent, with a radio on it, would never let it finish.
    if (transition.state === 'listening' && this.parts.voice.speaking && !this.unheard) this.dispatch('speech_started')
  }

  private turnOver(by: TurnEnder): void {
    this.parts.endedBy = by
    this.dispatch('end_of_turn')
  }

  private overlapDecided(verdict: OverlapVerdict): void {
    const { voice, gate } = this.parts
    // Who has been muted meanwhile has said what is heard of them.
    if (verdict === 'interruption' && this.parts.leaving === null)
      return this.dispatch(voice.speaking && !gate.muted ? 'interruption' : 'interruption_over')
    this.noInterruption()
    this.dispatch('no_interruption')
  }

  private noInterruption(): void {
    if (this.deps.turnDetection === 'provider') this.deps.session.send({ type: 'not_interrupted' })
  }
}
