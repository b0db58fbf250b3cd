import type { AgentEvent } from '#agent/provider.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Ask } from './asking.ts'
import type { CallerEar } from './caller-ear.ts'
import type { Dialogue } from './dialogue.ts'
import type { Replies } from './replies.ts'

/**
 * What the server hears as the caller's speech. What it hears over a reply may be a cough or the reply's echo: the
 * engine's coordinator says whether it was an interruption. The server has broken its reply off by then, as it always
 * does; what has come of it goes on sounding, and after a veto the rest of its words is asked for. Words and answer of such
 * speech are held until there is a verdict; of a veto nothing remains here.
 *
 * A reply that sounds to its end without a word from the coordinator leaves the server its own.
 */
export interface CallerTurnDeps {
  readonly clock: Clock
  readonly ear: CallerEar
  readonly dialogue: Dialogue
  readonly replies: Replies
  /** Something sounds, or is about to. */
  readonly sounding: () => boolean
  readonly emit: (event: AgentEvent) => void
  /** Runs it when whoever is at work now has finished, unless something else has been ordered by then. */
  readonly later: (action: () => void) => void
  /** Nobody knows what the caller has said. */
  readonly missed: () => void
  /** No words by so long after the voice: there were none. */
  readonly wordsMaxMs: Milliseconds
}

interface Speech {
  /** It began while a reply sounded, and the coordinator has a word on it. */
  over: boolean
  /** `vetoed`: it was no interruption. The word may change while the speech goes on: "mm-hm, but …". */
  verdict: 'open' | 'vetoed' | 'confirmed'
  /** Null: they have not come. */
  words: string | null
  /** When the voice fell silent. */
  stoppedMs: Milliseconds
  /** The answer to it has begun. */
  answered: boolean
  /** Nobody wants an answer to it any more: the caller has gone on. */
  void: boolean
  /** The session that heard it is gone. */
  lost: boolean
  /** What was waiting for its answer when it began. */
  readonly waiting: Ask | null
}

const lookEveryMs: Milliseconds = 250
/** The line has been quiet for so long: whoever spoke is silent, if only for a moment. */
const pauseMs: Milliseconds = 1000
/** On a line that is never quiet, nothing was said where there are no words by then. */
const turnMaxMs: Milliseconds = 60_000

export class CallerTurn {
  private readonly deps: CallerTurnDeps
  private speech: Speech | null = null
  /** The server has not said that it is over. */
  private goesOn = false
  /** To the engine the caller speaks. */
  private sounds = false
  private startedMs: Milliseconds = 0
  private timer: Disposable | null = null

  constructor(deps: CallerTurnDeps) {
    this.deps = deps
  }

  /** Nobody speaks, as far as is known. */
  get silent(): boolean {
    return !this.goesOn
  }

  /** The server hears them in a turn of their own: that it is lost would be told. */
  get isHeard(): boolean {
    return this.goesOn && this.speech?.over === false
  }

  /** The server is to answer what it has heard, and has not begun to. */
  get answerDue(): boolean {
    return this.speech !== null && this.speech.words !== null && !this.speech.answered
  }

  /** @param waiting what was waiting for its answer until now */
  started(waiting: Ask | null): void {
    this.speech = newSpeech(this.deps.sounding(), waiting)
    this.goesOn = true
    this.startedMs = this.deps.clock.now()
    this.end()
    this.timer = this.deps.clock.every(lookEveryMs, () => this.look())
    // Said again where it was said before: over a reply it counts anew.
    this.sounds = false
    this.begins()
  }

  /** The turn is over, and this was said. */
  said(words: string): void {
    const { speech } = this
    this.stopped()
    if (speech === null || speech.words !== null) {
      // Nothing was heard of its beginning.
      this.speech = newSpeech(false, null)
    }
    const current = this.speech as Speech
    current.words = words
    current.stoppedMs = this.deps.clock.now() - this.deps.ear.quietMs
    if (!current.over || current.verdict === 'confirmed') this.take(current)
  }

  /** What is to become of the reply that begins now. */
  fateOfReply(): 'live' | 'held' | 'dropped' {
    const { speech } = this
    if (speech === null || speech.words === null || speech.answered) return 'live'
    speech.answered = true
    if (speech.void) return 'dropped'
    if (!speech.over || speech.verdict === 'confirmed') return 'live'
    return speech.verdict === 'open' ? 'held' : 'dropped'
  }

  /** The caller has gone on before it was answered. */
  voided(): void {
    if (this.speech !== null && !this.speech.over) this.speech.void = true
  }

  /** It was no interruption. */
  vetoed(): void {
    const { speech } = this
    if (speech === null || !speech.over || speech.verdict === 'vetoed') return
    speech.verdict = 'vetoed'
    this.deps.replies.dropHeld()
  }

  /** The reply that it was spoken over has been heard to its end, or has been broken off by it: it is the caller's turn. */
  believed(interrupts: boolean): void {
    const { speech } = this
    if (speech === null || !speech.over || (speech.verdict === 'vetoed' && !interrupts)) return
    speech.over = false
    speech.verdict = 'confirmed'
    const { later, missed } = this.deps
    if (speech.words !== null) later(() => this.take(speech))
    else if (speech.lost && interrupts) later(missed)
  }

  /** The session is gone, and what the caller was saying to it. @returns whether nobody will know what that was */
  lost(): boolean {
    const { speech } = this
    const missed = this.isHeard
    // What was said over a reply may still be a turn: if it is, another session is asked.
    if (speech?.over === true && speech.verdict === 'open') {
      speech.lost = true
      speech.answered = false
    } else this.speech = null
    this.stopped()
    return missed
  }

  /** They have spoken, and only the engine's detector knows: to the engine that was a turn. */
  unheard(): void {
    this.begins()
    this.pauses()
  }

  end(): void {
    this.timer?.[Symbol.dispose]()
    this.timer = null
  }

  private take(speech: Speech): void {
    const { dialogue, replies } = this.deps
    if (this.speech !== speech || speech.words === null) return
    dialogue.callerSaid(speech.words, speech.stoppedMs)
    if (replies.holds) replies.release()
    else if (speech.lost) replies.askAnew({ kind: 'turn' })
    else if (!speech.answered) replies.expect({ kind: 'turn' })
  }

  private stopped(): void {
    this.end()
    this.goesOn = false
    this.pauses()
  }

  private begins(): void {
    if (this.sounds) return
    this.sounds = true
    this.deps.emit({ type: 'speech_started' })
  }

  private pauses(): void {
    if (!this.sounds) return
    this.sounds = false
    this.deps.emit({ type: 'speech_stopped', agoMs: this.deps.ear.quietMs })
  }

  /** The server says nothing of pauses, and nothing at all of a sound without words, which is no turn. */
  private look(): void {
    const { clock, ear, wordsMaxMs } = this.deps
    const { quietMs } = ear
    if (quietMs >= wordsMaxMs || clock.now() - this.startedMs >= turnMaxMs) this.wordless()
    else if (quietMs >= pauseMs) this.pauses()
    else if (quietMs < lookEveryMs) this.begins()
  }

  private wordless(): void {
    const { replies, emit } = this.deps
    const { speech } = this
    this.stopped()
    if (speech?.over === true || replies.making) return
    // The server has forgotten the turn before for a cough.
    if (speech !== null && speech.waiting !== null) replies.askAnew(speech.waiting)
    else emit({ type: 'nothing_heard' })
  }
}

function newSpeech(over: boolean, waiting: Ask | null): Speech {
  const verdict = over ? 'open' : 'confirmed'
  return { over, verdict, words: null, stoppedMs: 0, answered: false, void: false, lost: false, waiting }
}
