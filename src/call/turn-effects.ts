import type { AudioFrame, SampleRateHz } from '#audio/format.ts'
import type { Milliseconds } from '#base/clock.ts'
import type { OverlapVerdict } from './barge-in.ts'
import type { AfterReply } from './caller-voice.ts'
import type { CoordinatorDeps } from './coordinator-deps.ts'
import type { TurnRecord } from './observer.ts'
import type { TurnParts } from './turn-parts.ts'
import type { TurnEffect, TurnEvent } from './turn-state.ts'

/** Performs the effects of the turn table on the agent session, the playout, the gate and the timers of one call. */
type TimerName = 'turn' | 'guard' | 'greeting' | 'leaving' | 'repeat'

export class TurnEffects {
  private readonly deps: CoordinatorDeps
  private readonly parts: TurnParts
  private readonly sampleRateHz: SampleRateHz
  private readonly dispatch: (event: TurnEvent) => void
  private readonly turnAudio: { type: 'audio'; frame: AudioFrame }
  private timers: Partial<Record<TimerName, Disposable>> = {}
  /** The one that ended last in this reply. */
  private lastOverlap: { readonly endedMs: Milliseconds; readonly verdict: OverlapVerdict } | null = null

  constructor(
    deps: CoordinatorDeps,
    parts: TurnParts,
    sampleRateHz: SampleRateHz,
    dispatch: (event: TurnEvent) => void,
  ) {
    this.deps = deps
    this.parts = parts
    this.sampleRateHz = sampleRateHz
    this.dispatch = dispatch
    this.turnAudio = { type: 'audio', frame: { sampleRateHz, samples: new Int16Array(0) } }
  }

  perform(effect: TurnEffect): void {
    const { session, playout, settings, clock } = this.deps
    switch (effect) {
      case 'start_turn':
        return this.startTurn()
      case 'continue_turn':
        session.send({ type: 'speech_started', agoMs: clock.now() - this.parts.voice.startedMs })
        return
      case 'resume_turn':
        this.parts.turns.resumed(this.parts.voice.startedMs)
        session.send({ type: 'turn_resumed' })
        session.send({ type: 'speech_started', agoMs: clock.now() - this.parts.voice.startedMs })
        this.armTurnLimit()
        return
      case 'start_endpointing':
        session.send({ type: 'speech_stopped' })
        if (this.deps.turnDetection !== 'provider')
          this.parts.pause.begin(this.turnStartedMs, this.parts.voice.stoppedMs, this.turnSoFar())
        return
      case 'stop_endpointing':
        return this.parts.pause.end()
      case 'commit_turn':
        return this.commitTurn()
      case 'start_playout':
        this.disarm('greeting')
        // The new reason first: between the two the gate must not open.
        this.parts.gate.close('agent_speaking')
        this.parts.gate.open('opening')
        this.agentSpeaks()
        this.parts.replies.begins(clock.now())
        playout.begin(this.parts.replies.greeting === 'pending' ? settings.greetingWarmUpMs : settings.warmUpMs)
        return
      case 'start_overlap':
        this.parts.voice.unjudged = false
        return this.parts.overlap.begin(
          clock.now() - this.parts.voice.startedMs,
          this.parts.replies.protectedUntilMs(settings.bargeIn),
        )
      case 'pause_overlap':
        return this.parts.overlap.stopped(this.parts.voice.stoppedAgoMs)
      case 'continue_overlap':
        return this.parts.overlap.resumed(clock.now() - this.parts.voice.startedMs)
      case 'end_overlap':
        return this.endOverlap()
      case 'flush_playout':
        return this.interrupt()
      case 'start_guard':
        return this.startGuard()
      case 'stop_guard':
        return this.disarm('guard')
      case 'open_gate':
        this.disarm('greeting')
        if (this.parts.replies.greeting === 'pending') this.parts.replies.greeting = 'over'
        this.parts.lookBack.opened(this.parts.voice.speaking)
        return this.parts.gate.openFloor()
      case 'start_waiting':
        return this.startWaiting()
      case 'stop_waiting':
        return this.parts.waiting.end()
      case 'stop_everything':
        for (const timer of Object.values(this.timers)) timer[Symbol.dispose]()
        this.timers = {}
        this.parts.pause.end()
        this.parts.waiting.end()
        if (this.parts.overlap.active) this.endOverlap()
        if (this.parts.replies.greeting === 'sounding') this.greetingOver()
        this.finishTurn('abandoned')
        return this.parts.gate.openAll()
    }
  }

  // ── the caller's turn ─────────────────────────────────────────────────────────────────────────────────────────

  private startTurn(): void {
    const { session, clock, turnDetection } = this.deps
    // A turn that got an empty reply is still open.
    this.finishTurn('abandoned')
    this.parts.waiting.stay()
    this.parts.turns.begin(this.parts.voice.startedMs)
    const agoMs = clock.now() - this.parts.voice.startedMs
    if (turnDetection === 'engine') {
      this.turnAudio.frame = { sampleRateHz: this.sampleRateHz, samples: this.parts.lookBack.notGiven(agoMs) }
      session.send(this.turnAudio)
    }
    session.send({ type: 'speech_started', agoMs })
    this.armTurnLimit()
  }

  /** The recogniser's, of what is being said now. */
  callerWords(text: string): void {
    this.parts.overlap.words(text)
    this.parts.pause.heard(text)
  }

  private turnSoFar(): Int16Array {
    if (!this.parts.pause.asksModel) return new Int16Array(0)
    return this.parts.lookBack.turn(this.deps.clock.now() - this.turnStartedMs)
  }

  private get turnStartedMs(): Milliseconds {
    return this.parts.turns.startedMs ?? this.parts.voice.startedMs
  }

  private commitTurn(): void {
    const { clock, session, turnDetection } = this.deps
    this.disarm('turn')
    this.parts.replies.turnCommitted()
    // A turn that is cut at its longest duration, or by the agent: the caller has spoken until now.
    if (this.parts.voice.speaking) {
      this.parts.voice.stoppedMs = clock.now()
      this.parts.voice.startedMs = clock.now()
    }
    const { endedBy } = this.parts
    this.parts.turns.committed(this.parts.voice.stoppedMs, clock.now(), endedBy)
    this.parts.endedBy = 'limit'
    // One that finds the turns itself would answer, and in a call that is about to end nobody is answered any more.
    const isTold = turnDetection !== 'provider' || (endedBy === 'limit' && this.parts.leaving === null)
    const forGood = this.parts.replies.dropped ? { forGood: true } : {}
    if (isTold) session.send({ type: 'turn_committed', ...forGood })
  }

  private armTurnLimit(): void {
    this.arm('turn', this.deps.settings.turnMaxMs, () => {
      this.parts.endedBy = 'limit'
      this.dispatch('turn_limit')
    })
  }

  // ── speech over the agent's ───────────────────────────────────────────────────────────────────────────────────

  /** The overlap has an end, by a verdict, or since the reply or the call was over first. */
  private endOverlap(): void {
    const { callId, callStartedMs, observer } = this.deps
    const { onsetMs, durationMs, pausedMs, reactionMs, verdict } = this.parts.overlap.end()
    this.parts.voice.echoing = verdict === 'echo' && this.parts.voice.speaking
    this.parts.voice.startedMs = onsetMs
    this.lastOverlap = { endedMs: onsetMs + durationMs, verdict }
    this.parts.overlaps.add({ startedMs: onsetMs - callStartedMs, durationMs, pausedMs, verdict })
    observer.bargeIn(callId, verdict, reactionMs, pausedMs)
  }

  private interrupt(): void {
    const { playout, session, observer, clock, callId } = this.deps
    const heardMs = playout.flush()
    this.agentFallsSilent()
    observer.interrupted(callId, this.parts.replies.greeting === 'sounding' ? 'greeting' : 'reply', heardMs)
    // Who was about to be left for their silence is there after all: it is no farewell any more.
    const forGood = this.parts.replies.interrupted(clock.now()) || this.parts.waiting.leaving
    session.send({ type: 'interrupted', heardMs, ...(forGood ? { forGood } : {}) })
    this.parts.waiting.callerSpoke()
    if (this.parts.replies.greeting === 'sounding') this.greetingOver()
    else this.finishTurn('interrupted')
  }

  private agentSpeaks(): void {
    const { detection, turnDetection, settings } = this.deps
    detection?.agentSpeaks(true)
    // From now on it is our detector that tells who speaks: what the agent heard before was the turn that it answers.
    if (turnDetection === 'provider') this.parts.voice.speaking = false
    this.parts.voice.replyBegins()
    this.lastOverlap = null
    if (settings.mute.includes('reply')) this.mute('muted_reply', true)
    if (this.parts.replies.greeting === 'pending' && settings.mute.includes('greeting'))
      this.mute('muted_greeting', true)
  }

  private agentFallsSilent(): void {
    const { detection, turnDetection } = this.deps
    detection?.agentSpeaks(false)
    if (turnDetection === 'provider') this.parts.voice.speaking = this.parts.voice.agentHears
    this.mute('muted_reply', false)
    this.mute('muted_greeting', false)
  }

  /** To the agent, who is speaking falls silent where listening ends, and begins to speak where it begins again. */
  mute(reason: 'muted_greeting' | 'muted_reply' | 'muted_tool' | 'muted_leaving', muted: boolean): void {
    const { gate, lookBack, voice } = this.parts
    const was = gate.muted
    if (muted) gate.close(reason, () => this.deps.guarded(() => this.mute(reason, false)))
    else gate.open(reason)
    if (gate.muted === was) return
    lookBack.muted = !was
    if (!voice.speaking) return
    if (was) voice.startedMs = this.deps.clock.now()
    else voice.stoppedMs = this.deps.clock.now()
    this.dispatch(was ? 'speech_started' : 'speech_stopped')
  }

  // ── after a reply ─────────────────────────────────────────────────────────────────────────────────────────────

  private startGuard(): void {
    this.parts.voice.replyEnded(this.lastOverlap)
    this.agentFallsSilent()
    this.arm('guard', this.deps.settings.bargeIn.guardMs, () => this.guardOver())
  }

  /** The floor is the caller's. Who speaks already is no silence, and is not left. */
  private startWaiting(): void {
    const { waiting, leaving, voice, gate } = this.parts
    if (leaving !== null) return
    const speaks = voice.speaking && !voice.echoing && !gate.muted
    if (waiting.leaving && !speaks) this.deps.hangUp('no_input')
    else waiting.begin()
  }

  private guardOver(): void {
    // One that finds the turns itself has heard all of it, and says what it was.
    const after: AfterReply = this.deps.turnDetection === 'engine' ? this.parts.voice.guardOver() : 'nobody'
    if (after === 'speaking' && !this.parts.gate.muted) this.dispatch('guard_over_in_speech')
    else this.dispatch(after === 'has_spoken' ? 'guard_over_after_speech' : 'guard_over')
  }

  greetingOver(): void {
    this.parts.replies.greeting = 'over'
    this.deps.greetingFinished()
  }

  finishTurn(outcome: TurnRecord['outcome']): void {
    const replied = outcome === 'answered' || outcome === 'interrupted' || this.parts.replies.brokeOff
    const turn = this.parts.turns.finish(outcome, replied ? this.deps.playout.heardMs : undefined)
    if (turn === null) return
    if (outcome !== 'abandoned' && outcome !== 'no_words') this.parts.waiting.callerSpoke()
    this.deps.observer.turn(this.deps.callId, this.deps.providerName, turn)
  }

  arm(name: TimerName, durationMs: Milliseconds, action: () => void): void {
    this.disarm(name)
    this.timers[name] = this.deps.clock.after(Math.max(0, durationMs), () => this.deps.guarded(action))
  }

  private disarm(name: TimerName): void {
    this.timers[name]?.[Symbol.dispose]()
    delete this.timers[name]
  }
}
