import type { Milliseconds } from '#base/clock.ts'
import type { SpokenPiece } from './heard-text.ts'
import { SentenceSplitter } from './sentences.ts'

/**
 * What is left to be said of a reply that somebody broke off. Where that turns out to have been nobody (a cough, a door:
 * the turn held no word) the agent takes it up again, from the sentence that it was in: whoever was about to hear the
 * rest is still there.
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
  return rest.length === 0 ? null : { heard: heard.join(' '), rest }
}

/** The sentences of a piece that end within this share of it, and the others. */
function cutAt(text: string, share: number): { readonly before: string[]; readonly after: string[] } {
  const splitter = new SentenceSplitter()
  const sentences = splitter.push(text)
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
  /** What was heard of the reply that is said now before it was taken up. */
  before = ''
  private remainder: Remainder | null = null
  private times = 0

  brokenOff(remainder: Remainder | null): void {
    this.remainder = remainder === null ? null : { ...remainder, heard: this.with(remainder.heard) }
  }

  saidWhole(): void {
    this.remainder = null
  }

  /** What is to be said now; null: nothing. */
  takeUp(): readonly string[] | null {
    const { remainder } = this
    if (remainder === null || this.times >= timesMax) return null
    this.times += 1
    this.before = remainder.heard
    return remainder.rest
  }

  /** The whole of the reply, with what was heard of it before. */
  with(text: string): string {
    return [this.before, text].filter((words) => words !== '').join(' ')
  }

  /** Somebody has said something, or the agent says something else. */
  forget(): void {
    this.before = ''
    this.remainder = null
    this.times = 0
  }
}
