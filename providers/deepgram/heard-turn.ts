import type { Milliseconds } from '#base/clock.ts'
import type { FluxTurn, ListenResults } from './listen-wire.ts'

/**
 * The words of the turn that is under way, and whether they are all there. What has been answered with once does not come
 * again, though the server may tell it again: late, in a correction, or because to it the turn goes on.
 *
 * Times are those of the stream that there is: milliseconds of audio since it was opened.
 */
export interface HeardTurn {
  /** Of the turn so far. */
  readonly text: string
  /** The audio up to here has been recognised for good. */
  readonly coveredMs: Milliseconds
  /** The audio up to here is to be answered for: are its words all there? */
  complete(untilMs: Milliseconds): boolean
  /** The words, which are then no part of the next turn. */
  take(untilMs: Milliseconds): string
  /** Another stream begins at 0; what was recognised stays. */
  restart(): void
}

/** Recognition ends a little before the audio does, at a word or a frame of its own. */
const slackMs: Milliseconds = 120

export class NovaTurn implements HeardTurn {
  coveredMs: Milliseconds = 0
  private finals: string[] = []
  private interim: string[] = []
  /** Words that begin before it have been taken. */
  private takenMs: Milliseconds = 0

  get text(): string {
    return [...this.finals, ...this.interim].join(' ')
  }

  /** @returns whether there are other words now than there were */
  results({ words, endMs, isFinal }: ListenResults): boolean {
    const before = this.text
    const fresh = words.filter(({ startMs }) => startMs >= this.takenMs).map(({ text }) => text)
    if (isFinal) {
      this.finals.push(...fresh)
      this.interim = []
      this.coveredMs = Math.max(this.coveredMs, endMs)
    } else this.interim = fresh
    return this.text !== before
  }

  complete(untilMs: Milliseconds): boolean {
    return this.interim.length === 0 && this.coveredMs >= untilMs - slackMs
  }

  take(untilMs: Milliseconds): string {
    const { text } = this
    this.finals = []
    this.interim = []
    this.takenMs = Math.max(this.takenMs, untilMs)
    return text
  }

  restart(): void {
    this.coveredMs = 0
    this.takenMs = 0
    // It is recognised anew.
    this.interim = []
  }
}

export class FluxTurns implements HeardTurn {
  coveredMs: Milliseconds = 0
  /** Of turns that Flux has ended. */
  private ended: string[] = []
  private current: readonly string[] = []
  private turn = -1
  /** Of the current turn's words, how many have been taken. */
  private taken = 0
  /** By its own word, if only a guess: no more is to come. */
  private over = true

  get text(): string {
    return [...this.ended, ...this.current.slice(this.taken)].join(' ')
  }

  /** A turn has begun and not ended. */
  get open(): boolean {
    return this.turn >= 0
  }

  /** @returns whether there are other words now than there were */
  info({ event, turn, words, endMs }: FluxTurn): boolean {
    const before = this.text
    if (turn !== this.turn) {
      this.turn = turn
      this.taken = 0
    }
    this.current = words
    this.coveredMs = endMs
    this.over = event === 'eager_end' || event === 'end'
    if (event === 'end') {
      this.ended.push(...words.slice(this.taken))
      this.current = []
      this.taken = 0
      this.turn = -1
    }
    return this.text !== before
  }

  complete(untilMs: Milliseconds): boolean {
    if (this.over) return this.coveredMs >= untilMs - 3 * slackMs
    return this.coveredMs >= untilMs - slackMs
  }

  take(): string {
    const { text } = this
    this.ended = []
    this.taken = this.current.length
    return text
  }

  restart(): void {
    this.coveredMs = 0
    // What an unfinished turn held is recognised no more: it stays as it was.
    this.ended.push(...this.current.slice(this.taken))
    this.current = []
    this.taken = 0
    this.turn = -1
    this.over = true
  }
}
