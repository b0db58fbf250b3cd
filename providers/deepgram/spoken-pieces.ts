import { heardText } from '#agent/heard-text.ts'
import type { Milliseconds } from '#base/clock.ts'

/**
 * Sentences that are spoken in one go, and which of them has been spoken by now: the server tells only when all are. Where
 * each ends is guessed by its letters, at the pace of what was spoken before.
 */
const firstMsPerLetter = 65

export class SpokenPieces {
  private msPerLetter = firstMsPerLetter
  private texts: string[] = []
  /** Of the sentences that are being spoken. */
  private spokenMs: Milliseconds = 0
  private letters = 0
  /** Letters of the sentences that are over. */
  private doneLetters = 0

  get active(): boolean {
    return this.texts.length > 0
  }

  get audible(): boolean {
    return this.spokenMs > 0
  }

  get waiting(): readonly string[] {
    return this.texts
  }

  begin(texts: readonly string[]): void {
    this.texts = [...texts]
    this.spokenMs = 0
    this.doneLetters = 0
    this.letters = lettersOf(texts)
  }

  /** @returns the sentences that are over before this audio, by the guess */
  audio(durationMs: Milliseconds): string[] {
    const over: string[] = []
    while (this.texts.length > 1) {
      const next = this.texts[0] ?? ''
      if (this.spokenMs < (this.doneLetters + next.length) * this.msPerLetter) break
      this.doneLetters += next.length
      this.texts.shift()
      over.push(next)
    }
    this.spokenMs += durationMs
    return over
  }

  /** All have been spoken. @returns those that had not been told */
  end(): string[] {
    if (this.letters > 0 && this.spokenMs > 0) {
      // A mean that follows the voice, and not a single short word.
      this.msPerLetter += 0.3 * (this.spokenMs / this.letters - this.msPerLetter)
    }
    return this.texts.splice(0)
  }

  /** Of the sentence that is being spoken, what is still unsaid by the guess. */
  get rest(): string {
    const [text = ''] = this.texts
    const saidMs = this.spokenMs - this.doneLetters * this.msPerLetter
    const wholeMs = Math.max(saidMs, text.length * this.msPerLetter)
    return text.slice(heardText([{ text, durationMs: wholeMs }], saidMs).length).trim()
  }

  drop(): void {
    this.texts = []
  }
}

function lettersOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + text.length, 0)
}
