import type { AgentKeyAction } from './key-pad.ts'
import type { LastWords, LastWordsDeps } from './last-words.ts'
import type { Transcript } from './turn-log.ts'
import type { TurnState } from './turn-state.ts'

/**
 * What a key of the caller's telephone makes the agent do. Whatever it is about to say gives way to it, and so does a turn
 * of the caller's that is under way: who presses a key has said what they want. Once the call is about to end, keys do
 * nothing any more. An agent that takes no turns says nothing that it is told to say, so it can only be hung up.
 */
export interface KeyActionsDeps extends LastWordsDeps {
  readonly lastWords: LastWords
  readonly state: () => TurnState
}

export class KeyActions {
  private readonly deps: KeyActionsDeps
  /** What the engine has the agent say to every caller: no reply. */
  private readonly routine: readonly string[]
  /** The reply that is to be said again once its words are known; null: none. */
  private again: number | null = null

  constructor(deps: KeyActionsDeps) {
    const { apology, noInput } = deps.call.settings
    this.deps = deps
    this.routine = [apology, noInput.farewell, ...noInput.checkIns]
  }

  /** Final words of the agent's. Of a reply that was interrupted, or taken up, the whole is kept, where it was told. */
  said({ text, corrects = '', follows = '' }: Transcript): void {
    const { parts, effects } = this.deps
    const { replies } = parts
    const newest = corrects === '' ? text : corrects
    const whole = follows === '' ? newest : `${follows} ${newest}`
    // Cut once more before it was all made, it is known from when it was told first.
    const isKnown = follows !== '' && replies.last.startsWith(whole)
    const isRoutine = this.routine.some((each) => each.startsWith(whole))
    replies.tell(text === '' || isKnown || isRoutine ? null : whole)
    const isDue = this.again === replies.number
    this.again = null
    // The agent is in the middle of telling it.
    if (isDue) effects.arm('repeat', 0, () => this.sayAgain())
  }

  perform(action: AgentKeyAction): void {
    const { over, parts, call, lastWords } = this.deps
    if (over() || parts.leaving !== null) return
    if (action.do === 'hang_up') return lastWords.hangUp('agent', action.say)
    if (call.turnDetection === 'none') return
    // They are there: nobody asks them, or hangs up since they say nothing.
    parts.waiting.callerSpoke()
    this.again = null
    if (action.do === 'interrupt') this.interrupt()
    else if (action.do === 'say') this.say(action.text)
    else this.repeat()
  }

  private interrupt(): void {
    const { state, parts } = this.deps
    parts.replies.dropped = true
    switch (state()) {
      case 'overlap':
        return parts.overlap.decide('interruption')
      case 'agent_speaking':
        return this.cut()
      case 'opening':
      case 'thinking':
        return this.drop()
      default:
        return
    }
  }

  /** The words of a reply are known once all of it has been made. */
  private repeat(): void {
    const { call, parts } = this.deps
    const { replies } = parts
    if (call.playout.active && !replies.told) this.again = replies.number
    else if (replies.last !== '') this.say(replies.last)
  }

  private sayAgain(): void {
    const { state, parts } = this.deps
    const isCallers = ['caller_speaking', 'endpointing', 'thinking'].includes(state())
    if (!isCallers && parts.leaving === null && parts.replies.last !== '') this.say(parts.replies.last)
  }

  private say(text: string): void {
    const { call, state, parts, dispatch } = this.deps
    this.makeRoom()
    // What comes so soon behind a reply is no late part of it.
    call.playout.announce()
    if (call.session.send({ type: 'say', text }) !== 'sent') return dispatch('reply_empty')
    if (state() === 'listening') parts.waiting.begin()
  }

  private makeRoom(): void {
    const { state, parts, effects, dispatch } = this.deps
    switch (state()) {
      case 'overlap':
        parts.overlap.decide('ignored')
        return this.cut()
      case 'agent_speaking':
        return this.cut()
      case 'caller_speaking':
      case 'endpointing':
        parts.endedBy = 'key'
        dispatch('turn_limit')
        return effects.finishTurn('abandoned')
      case 'thinking':
        return effects.finishTurn('abandoned')
      default:
        return
    }
  }

  /** What sounds is heard no more. */
  private cut(): void {
    this.deps.effects.perform('flush_playout')
    this.deps.dispatch('playout_done')
  }

  /** What has not sounded yet never will. */
  private drop(): void {
    const { call, effects, dispatch } = this.deps
    call.session.send({ type: 'turn_resumed', forGood: true })
    effects.finishTurn('abandoned')
    dispatch('reply_empty')
  }
}
