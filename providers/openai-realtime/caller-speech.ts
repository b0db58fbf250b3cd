import type { AgentEvent } from '#agent/provider.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Conversation } from './conversation.ts'
import type { Sendable } from './link.ts'
import type { ReplyMaker } from './reply-maker.ts'
import type { Sounding } from './sounding.ts'

/**
 * What the server hears as the caller's speech, one stretch at a time, where it finds the turns. What it hears over a reply
 * may be a cough or the reply's echo: the engine's coordinator says whether it was an interruption, before or after the
 * server has made an item of it and begun to answer. Until then the answer is held back; of a veto nothing remains.
 *
 * A reply that sounds to its end without a word from the coordinator leaves the server its own.
 */
export interface CallerSpeechDeps {
  readonly clock: Clock
  readonly conversation: Conversation
  readonly sounding: Sounding
  readonly replies: ReplyMaker
  /** The server breaks a reply off by itself when it hears the caller. */
  readonly interruptsItself: boolean
  readonly emit: (event: AgentEvent) => void
  readonly send: (event: Sendable) => boolean
  /** Runs it when whoever is at work now has finished, unless something else has been ordered by then. */
  readonly later: (action: () => void) => void
}

interface Speech {
  /** It began while a reply sounded, and the coordinator has a word on it. */
  over: boolean
  /** `vetoed`: it was no interruption. The word may change while the speech goes on: "mm-hm, but …". */
  verdict: 'open' | 'vetoed' | 'confirmed'
  stoppedMs: Milliseconds | null
  /** Its item, once it is one. */
  itemId: string | null
  /** The server could make no answer, since it was still making another. */
  unanswered: boolean
  /** The server has answered it, and the answer is or was held. */
  answered: boolean
}

export class CallerSpeech {
  private readonly deps: CallerSpeechDeps
  private speech: Speech | null = null
  /** It goes on. */
  sounds = false

  constructor(deps: CallerSpeechDeps) {
    this.deps = deps
  }

  /** The reply that was being made has been dropped already where none of it had sounded. */
  started(): void {
    const { sounding, interruptsItself, emit, replies } = this.deps
    // The answer to what was said before it has not been wanted until now.
    replies.dropHeld()
    const over = sounding.active && !interruptsItself
    this.sounds = true
    this.speech = {
      over,
      verdict: over ? 'open' : 'confirmed',
      stoppedMs: null,
      itemId: null,
      unanswered: false,
      answered: false,
    }
    emit({ type: 'speech_started' })
  }

  stopped(): void {
    const { clock, emit, replies } = this.deps
    const { speech } = this
    this.sounds = false
    if (speech !== null) speech.stoppedMs = clock.now()
    emit({ type: 'speech_stopped' })
    if (speech !== null && !speech.over) replies.expect()
  }

  committed(itemId: string, previousItemId: string | null): void {
    const { clock, conversation, replies } = this.deps
    const { speech } = this
    conversation.add(itemId, 'user', previousItemId, speech?.stoppedMs ?? clock.now())
    if (speech === null) return
    speech.itemId = itemId
    speech.unanswered = replies.isMaking
    if (speech.over && speech.verdict === 'vetoed') this.takeBack(itemId)
    else if (!speech.over && speech.unanswered) replies.request({ kind: 'turn' })
  }

  /** The server answers what it has heard last. @returns what is to become of that */
  answer(): 'live' | 'held' | 'dropped' {
    const { speech } = this
    if (speech === null || speech.itemId === null || !speech.over) return 'live'
    if (speech.verdict === 'vetoed') return 'dropped'
    if (speech.verdict !== 'open') return 'live'
    speech.answered = true
    return 'held'
  }

  /** It was no interruption: what the server has made of it is taken back. */
  vetoed(): void {
    const { speech } = this
    if (speech === null || !speech.over || speech.verdict === 'vetoed') return
    speech.verdict = 'vetoed'
    this.deps.replies.dropHeld()
    if (speech.itemId !== null) this.takeBack(speech.itemId)
  }

  /** The reply that it was spoken over has been heard to its end, or has been broken off by it: it is the caller's turn. */
  believed(interrupts: boolean): void {
    const { replies, later } = this.deps
    const { speech } = this
    if (speech === null || !speech.over || (speech.verdict === 'vetoed' && !interrupts)) return
    speech.over = false
    speech.verdict = 'confirmed'
    if (speech.itemId === null) return
    // Its answer had to make way for another reply, which knew of it.
    if (speech.answered && !replies.holds && !speech.unanswered) return
    replies.expect()
    later(() => {
      if (replies.holds) replies.release()
      else if (speech.unanswered && this.speech === speech) replies.request({ kind: 'turn' })
    })
  }

  /** The session is gone, and what the caller was saying to it. */
  lost(): void {
    const { speech, sounds } = this
    const { emit, replies } = this.deps
    const waits = speech?.over === true && speech.itemId !== null && speech.verdict === 'open'
    // Its answer was held and is gone: if it was meant, it is asked for anew.
    if (waits) speech.unanswered = true
    else this.speech = null
    this.sounds = false
    if (sounds) emit({ type: 'speech_stopped' })
    // What has not become an item is in no conversation, and the turn before is not to be answered in its place.
    if (speech !== null && !speech.over && speech.itemId === null) replies.expect({ kind: 'missed' })
  }

  /** Another session knows the item by another id, or not at all. @param ids keyed by: the id before */
  rename(ids: ReadonlyMap<string, string>): void {
    const { speech } = this
    if (speech !== null && speech.itemId !== null) speech.itemId = ids.get(speech.itemId) ?? speech.itemId
  }

  private takeBack(itemId: string): void {
    this.deps.send({ type: 'conversation.item.delete', item_id: itemId })
    this.deps.conversation.remove(itemId)
  }
}
