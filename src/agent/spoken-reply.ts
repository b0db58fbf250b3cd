import type { Milliseconds } from '#base/clock.ts'
import { type Remainder, remainderOf } from './broken-reply.ts'
import { heardText, type SpokenPiece } from './heard-text.ts'

/** A reply as the voice makes it, piece by piece: what it was given, and how long the audio of each is. */
export class SpokenReply {
  private pieces: SpokenPiece[] = []
  /** Handed to the voice and not yet spoken, in order. */
  private given: string[] = []
  /** Of the first of these, as far as its audio has been made. */
  private madeMs: Milliseconds = 0

  restart(): void {
    this.pieces = []
    this.stop()
  }

  /** The voice makes no more of it. */
  stop(): void {
    this.given = []
    this.madeMs = 0
  }

  give(text: string): void {
    this.given.push(text)
  }

  made(durationMs: Milliseconds): void {
    this.madeMs += durationMs
  }

  spoken(text: string): void {
    this.pieces.push({ text: this.given.shift() ?? text, durationMs: this.madeMs })
    this.madeMs = 0
  }

  /** The voice has nothing left to say. */
  get done(): boolean {
    return this.given.length === 0
  }

  /** What was spoken to its end. */
  get text(): string {
    return this.pieces.map((piece) => piece.text).join(' ')
  }

  /** There is audio of it. */
  get sounds(): boolean {
    return this.pieces.length > 0 || this.madeMs > 0
  }

  heard(heardMs: Milliseconds): string {
    const [half] = this.given
    const cut = half === undefined || this.madeMs === 0 ? [] : [{ text: half, durationMs: this.madeMs }]
    return heardText([...this.pieces, ...cut], heardMs)
  }

  remainder(heardMs: Milliseconds): Remainder | null {
    return remainderOf(this.pieces, this.given, heardMs)
  }
}
