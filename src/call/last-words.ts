import type { Departure } from '#agent/provider.ts'
import type { CoordinatorDeps } from './coordinator-deps.ts'
import type { Leaving } from './leaving.ts'
import type { HangupCause } from './leg.ts'
import type { TurnEffects } from './turn-effects.ts'
import type { TurnParts } from './turn-parts.ts'
import type { TurnEvent } from './turn-state.ts'

/**
 * How a call ends behind the last words of its agent: those that it says by its own will, the notice that it can answer
 * no more, the farewell where a limit is reached. From the first of them on nobody interrupts, no turn is answered, and
 * nobody is asked whether they are still there. What is said, and what is waited for, lasts `farewellMaxMs` at most.
 */
export interface LastWordsDeps {
  readonly call: CoordinatorDeps
  readonly parts: TurnParts
  readonly effects: TurnEffects
  readonly dispatch: (event: TurnEvent) => void
  /** The call has ended. */
  readonly over: () => boolean
}

export class LastWords {
  private readonly deps: LastWordsDeps
  /** What is said once the reply that sounds has been heard; null: nothing more. */
  private farewell: string | null = null

  constructor(deps: LastWordsDeps) {
    this.deps = deps
  }

  /** The agent leaves: what it has said until now is heard. */
  leave(how: Departure): void {
    if (this.under) return
    const isTransfer = how.kind === 'transfer'
    this.begin({ cause: isTransfer ? 'transferred' : 'agent', place: isTransfer ? how.to : null })
    if (!this.deps.call.playout.active) this.go()
  }

  /** The agent can answer no more: the caller is told, and goes where the configuration says. */
  giveUp(): void {
    const { playout, settings } = this.deps.call
    this.deps.effects.finishTurn('fault')
    // Who was about to be left for their silence is not told.
    if (this.deps.parts.waiting.leaving) this.endWith('no_input', '', false)
    else this.endWith('provider_failed', settings.failureNotice, false)
    // Of what sounds no more will come.
    playout.end()
  }

  /** What was to be said last broke off: what has come of it is heard. */
  brokeOff(): void {
    if (this.deps.call.playout.active) this.deps.call.playout.end()
    else this.go()
  }

  /**
   * A limit is reached: a reply that sounds is heard to its end, then the farewell, then the call ends. Who speaks has
   * been cut, and is not answered.
   *
   * @param say empty: it ends without a word
   */
  limitReached(cause: HangupCause, say: string): void {
    this.endWith(cause, say, false)
  }

  /** The same at once: what sounds is heard no more. */
  hangUp(cause: HangupCause, say: string): void {
    this.endWith(cause, say, true)
  }

  private endWith(cause: HangupCause, say: string, cuts: boolean): void {
    const { playout, settings, turnDetection, hangUp } = this.deps.call
    if (this.under) return
    // Such an agent says nothing that it is told to say.
    if (turnDetection === 'none') return hangUp(cause)
    this.begin({ cause, place: null })
    this.deps.dispatch('turn_limit')
    this.farewell = say
    if (!playout.active) return this.sayFarewell()
    if (cuts) return this.cutReply()
    this.deps.effects.arm('leaving', settings.farewellMaxMs, () => this.cutReply())
  }

  /** What sounded has been heard, or nothing will come. */
  heard(): void {
    if (this.farewell === null) this.go()
    else this.sayFarewell()
  }

  /** Ends the call now, where it is about to end. */
  go(): void {
    const { leaving } = this.deps.parts
    if (leaving !== null && !this.deps.over()) this.deps.call.hangUp(leaving.cause, leaving.place)
  }

  private get under(): boolean {
    return this.deps.over() || this.deps.parts.leaving !== null
  }

  private begin(leaving: Leaving): void {
    const { parts, effects, call } = this.deps
    // Whatever it would have become: it interrupts no more.
    if (parts.overlap.active) parts.overlap.decide('ignored')
    parts.leaving = leaving
    parts.waiting.end()
    parts.waiting.stay()
    effects.mute('muted_leaving', true)
    effects.arm('leaving', call.settings.farewellMaxMs, () => this.go())
  }

  private sayFarewell(): void {
    const { call, effects } = this.deps
    const text = this.farewell ?? ''
    this.farewell = null
    if (this.deps.over()) return
    effects.finishTurn('abandoned')
    // What comes so soon behind a reply is no late part of it.
    if (text !== '') call.playout.announce()
    if (text === '' || call.session.send({ type: 'say', text }) !== 'sent') return this.go()
    effects.arm('leaving', call.settings.farewellMaxMs, () => this.go())
  }

  /** A reply that does not come to its end: what is left of it is not heard. */
  private cutReply(): void {
    const { call, parts, effects, dispatch } = this.deps
    const heardMs = call.playout.flush()
    call.session.send({ type: 'interrupted', heardMs })
    if (parts.replies.greeting === 'sounding') effects.greetingOver()
    else effects.finishTurn('interrupted')
    dispatch('playout_done')
    this.sayFarewell()
  }
}
