import { heardText, type SpokenPiece } from '#agent/heard-text.ts'
import { History } from '#agent/history.ts'
import type { ChatMessage } from '#agent/provider.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'

/**
 * What was said in a call: the caller's turns, and of the agent's sentences those that were heard. It is what a new session
 * is told. The server cuts its own memory by its own judgement; it has no message to be told how much was heard.
 */
export interface DialogueTeller {
  /**
   * Final words; those of the agent are told anew where less of them was heard. `atMs`: when they were said; `corrects`:
   * what was told before, whose place they take.
   */
  tell(side: 'caller' | 'agent', text: string, atMs: Milliseconds, corrects?: string): void
}

interface Piece extends SpokenPiece {
  text: string
  durationMs: Milliseconds
  /** All of its sound has come. */
  whole: boolean
}

const firstMsPerLetter = 65

export class Dialogue {
  private readonly clock: Clock
  private readonly teller: DialogueTeller
  private readonly history = new History('')
  /** What sounds, or is about to, since the last reply was heard to its end. */
  private pieces: Piece[] = []
  /** Of `pieces`, those of replies that are complete. */
  private toldPieces = 0
  /** When the newest reply began. */
  private beganMs: Milliseconds = 0
  private msPerLetter = firstMsPerLetter

  constructor(clock: Clock, teller: DialogueTeller) {
    this.clock = clock
    this.teller = teller
  }

  callerSaid(text: string, atMs: Milliseconds): void {
    this.history.user(text)
    this.teller.tell('caller', text, atMs)
  }

  /** The caller's newest words, where nothing has answered them: a new session is asked with them. */
  takeBackCaller(): string {
    return this.history.takeBackUser()
  }

  /** The caller's newest words, whatever was said since. */
  get callersLast(): string {
    return this.history.lastUser
  }

  /** Words that were told before. */
  putBackCaller(text: string): void {
    this.history.user(text)
  }

  /** A sentence of the agent's: its sound follows. */
  sentence(text: string): void {
    const last = this.pieces.at(-1)
    // Its sound comes with that of the next one.
    if (last?.whole === false && last.durationMs === 0) {
      last.text = `${last.text} ${text}`.trim()
      return
    }
    this.endPiece()
    if (this.toldPieces === this.pieces.length) this.beganMs = this.clock.now()
    this.pieces.push({ text, durationMs: 0, whole: false })
  }

  audio(durationMs: Milliseconds): void {
    const last = this.pieces.at(-1)
    if (last === undefined || last.whole) this.pieces.push({ text: '', durationMs, whole: false })
    else last.durationMs += durationMs
  }

  /** Of the reply that is being made no sound has come, and none will: nobody has heard it. */
  unsay(): void {
    const last = this.pieces.at(-1)
    if (last?.whole === false && last.durationMs === 0) this.pieces.pop()
  }

  /** A reply is complete. */
  replyDone(): void {
    this.unsay()
    this.endPiece()
    const text = wordsOf(this.pieces.slice(this.toldPieces))
    this.toldPieces = this.pieces.length
    if (text !== '') this.teller.tell('agent', text, this.beganMs)
  }

  /** No more of a reply will come. @returns of the words that were told, those whose sound has not come, by its pace */
  replyCut(): string {
    const last = this.pieces.at(-1)
    if (last === undefined || last.whole) return ''
    const wholeMs = Math.max(last.durationMs, last.text.length * this.msPerLetter)
    const said = heardText([{ text: last.text, durationMs: wholeMs }], last.durationMs)
    const rest = last.text.slice(said.length).trim()
    this.pieces[this.pieces.length - 1] = { text: said, durationMs: last.durationMs, whole: true }
    this.replyDone()
    return rest
  }

  /** All of it has been heard. */
  heard(): void {
    this.history.assistant(wordsOf(this.pieces))
    this.forget()
  }

  /** Only so much of it has. */
  cut(heardMs: Milliseconds): void {
    const text = heardText(
      this.pieces.filter((piece) => piece.durationMs > 0),
      heardMs,
    ).trim()
    const known = this.pieces.length > 0
    const told = wordsOf(this.pieces.slice(0, this.toldPieces))
    this.history.assistant(text)
    this.forget()
    if (!known) return
    if (told === '') this.teller.tell('agent', text, this.beganMs)
    else this.teller.tell('agent', text, this.beganMs, told)
  }

  /** Nobody has heard any of it. */
  forget(): void {
    this.pieces = []
    this.toldPieces = 0
  }

  /** What a new session is told, what sounds included: it will have been heard. */
  carryOver(): readonly ChatMessage[] {
    const sounding = wordsOf(this.pieces.filter((piece) => piece.durationMs > 0))
    const before = this.history.forModel()
    return sounding === '' ? before : [...before, { role: 'assistant', content: sounding }]
  }

  private endPiece(): void {
    const last = this.pieces.at(-1)
    if (last === undefined || last.whole) return
    last.whole = true
    if (last.text !== '' && last.durationMs > 0)
      this.msPerLetter += 0.3 * (last.durationMs / last.text.length - this.msPerLetter)
  }
}

function wordsOf(pieces: readonly SpokenPiece[]): string {
  return pieces
    .map(({ text }) => text)
    .filter((text) => text !== '')
    .join(' ')
}
