import type { Milliseconds } from '#base/clock.ts'
import type { SpokenPiece } from './heard-text.ts'
import type { AgentEvent, CallContext } from './provider.ts'
import { SentenceSplitter } from './sentences.ts'

/**
 * What is left to be said of a reply that somebody broke off. Where that turns out to have been nobody (a cough, a door:
 * the turn held no word), or somebody who listens ("yeah"), the agent takes it up again, from the sentence that it was
 * in: whoever was about to hear the rest is still there.
 */
export interface Remainder {
  /** The sentences that were heard to their end. */
  readonly heard: string
  /** The sentences from the one that was cut on. */
  readonly rest: readonly string[]
}

/** Of a piece of which no more than this was missing nothing was: its end is silence. */
const endMs: Milliseconds = 200
/** A line that breaks off the same reply again and again hears no more of it. */
const timesMax = 2
/** Nor does one that keeps breaking in before any of it sounds. */
const triesMax = 6
const endsSentence = /[.!?…。！？]["')\]]?$/
const sentenceEnd = /(?<=[.!?…。！？]["')\]]?)\s+/

/**
 * @param pieces whose audio was made whole
 * @param pending those behind them, which the voice had been given
 * @returns null where all was heard
 */
export function remainderOf(
  pieces: readonly SpokenPiece[],
  pending: readonly string[],
  heardMs: Milliseconds,
): Remainder | null {
  const heard: string[] = []
  const rest: string[] = []
  let leftMs = heardMs
  for (const { text, durationMs } of pieces) {
    if (rest.length === 0 && leftMs >= durationMs - endMs) heard.push(text)
    else if (rest.length === 0) {
      const { before, after } = cutAt(text, Math.max(0, leftMs) / durationMs)
      heard.push(...before)
      rest.push(...after)
    } else rest.push(text)
    leftMs -= durationMs
  }
  rest.push(...pending)
  if (rest.length === 0) return null
  // Pieces may end at a comma: what is said again begins with a sentence.
  while (heard.length > 0 && !endsSentence.test(heard.at(-1) ?? '')) rest.unshift(heard.pop() ?? '')
  return { heard: heard.join(' '), rest }
}

/** The sentences of a piece that end within this share of it, and the others. */
function cutAt(text: string, share: number): { readonly before: string[]; readonly after: string[] } {
  const splitter = new SentenceSplitter()
  const sentences = [...splitter.push(text)]
  const last = splitter.flush()
  if (last !== null) sentences.push(last)
  const characters = sentences.reduce((sum, { length }) => sum + length, 0)
  let end = 0
  const cut = sentences.findIndex((sentence) => {
    end += sentence.length
    return end > share * characters
  })
  return cut < 0 ? { before: sentences, after: [] } : { before: sentences.slice(0, cut), after: sentences.slice(cut) }
}

/** The newest reply of a call, as far as it was broken off and may be taken up. */
export class BrokenReply {
  /** Of the reply that is said now: what was heard before it was taken up, and the whole sentences among it. */
  private heard = ''
  private before = ''
  /** What was said each time before it was taken up; empty: nothing. */
  private over: string[] = []
  private tries = 0
  private remainder: Remainder | 'unfinished' | null = null
  private voiceFailed = false
  private readonly context: Pick<CallContext, 'isListening' | 'language'>

  constructor(context: Pick<CallContext, 'isListening' | 'language'>) {
    this.context = context
  }

  /** @param remainder `unfinished`: all that was to come is not known */
  brokenOff(remainder: Remainder | 'unfinished' | null): void {
    if (this.voiceFailed) return
    this.remainder =
      remainder === null || remainder === 'unfinished'
        ? remainder
        : { ...remainder, heard: joined(this.before, remainder.heard) }
  }

  /** There is nothing of it left to be said. */
  saidWhole(): void {
    this.remainder = null
  }

  /** It can't be said to its end: what was made of it is not taken up. */
  failed(): void {
    this.remainder = null
    this.voiceFailed = true
  }

  /**
   * The caller goes on before what was taken up has sounded. @returns the words after which it was taken up; the caller's
   * turn begins with them. Null: it was not taken up, and answers a turn
   */
  takeBack(forGood: boolean): string | null {
    if (this.over.length === 0) return null
    return forGood ? '' : (this.over.pop() ?? '')
  }

  /**
   * @param heard the words of the reply that were heard until now
   * @param words what the turn held that broke it off; empty: nothing
   * @returns what is to be said now; `anew`: the reply has to be made once more; null: nothing
   */
  takeUp(heard: string, words: string): readonly string[] | 'anew' | null {
    const { remainder } = this
    if (remainder === null || this.over.length >= timesMax || this.tries >= triesMax) return null
    if (words !== '' && (remainder === 'unfinished' || !this.listens(words, heard, remainder))) return null
    this.over.push(words)
    this.tries += 1
    const anew = remainder === 'unfinished'
    this.heard = anew ? '' : heard
    this.before = anew ? '' : remainder.heard
    return anew ? 'anew' : remainder.rest
  }

  private listens(words: string, heard: string, remainder: Remainder): boolean {
    // Who has not heard a sentence of it speaks to what was before, or had not finished.
    if (remainder.heard === '') return false
    const end = remainder.rest.findIndex((piece) => endsSentence.test(piece))
    const cut = remainder.rest.slice(0, end < 0 ? undefined : end + 1)
    // Two, for what looks like the end of a sentence may be "Dr.".
    const around = joined(...remainder.heard.split(sentenceEnd).slice(-2), ...cut)
    const { isListening, language } = this.context
    return isListening?.({ words, language, heard: joined(heard, remainder.heard), around }) ?? false
  }

  /** The whole of the reply: these words, and what was heard of it before; that alone where they do not reach so far. */
  with(text: string): string {
    const whole = joined(this.before, text)
    return this.heard.startsWith(whole) ? this.heard : whole
  }

  /**
   * @param text what is said, or was heard, of the reply that is said now @param corrects what had been told of it as said
   * @returns the event that tells of it
   */
  transcript(text: string, corrects = ''): Extract<AgentEvent, { type: 'transcript' }> {
    const corrected = corrects === '' ? {} : { corrects }
    const following = this.before === '' ? {} : { follows: this.before }
    return { type: 'transcript', side: 'agent', final: true, text, ...corrected, ...following }
  }

  /** Somebody has said something, or the agent says something else. @returns what was said over it and not answered */
  forget(): string {
    const said = joined(...this.over)
    this.heard = ''
    this.before = ''
    this.over = []
    this.tries = 0
    this.remainder = null
    this.voiceFailed = false
    return said
  }
}

const joined = (...texts: readonly string[]) => texts.filter((text) => text !== '').join(' ')
