/**
 * Decides where an answer that will be spoken ends. A small model does not know when to stop: it goes on with lists,
 * or says the same sentence again. It works on the text as it comes, and holds back only what may be a repetition.
 */

/** Two sentences are what a caller can keep in mind. */
const sentencesMax = 2
/** From so many characters on, one sentence is enough: about seven seconds of speech. */
const enoughCharacters = 110

const abbreviations = /(?:^|[\s(])(?:mr|mrs|ms|dr|st|no|vs|etc|e\.g|i\.e|a\.m|p\.m|[a-z])\.$/i

export interface SpokenPiece {
  /** What may be sent on now. */
  readonly text: string
  /** The answer is complete; nothing after this is to be said. */
  readonly end: boolean
}

export class SpokenCut {
  private readonly said: string[] = []
  private sentence = ''
  private sent = 0
  private total = 0

  push(piece: string): SpokenPiece {
    let out = ''
    for (const character of piece) {
      const boundary = /\s/.test(character) && isEnd(this.sentence)
      if (boundary || character === '\n') {
        const { text, end } = this.complete()
        out += text
        if (end) return { text: out, end }
        this.sentence = ' '
        this.sent = 0
        continue
      }
      if (this.sentence.trim() === '' && /\s/.test(character)) continue
      this.sentence += character
    }
    return { text: out + this.release(), end: false }
  }

  /** The model has stopped by itself: what was held back, unless it only repeats. */
  end(): string {
    return this.complete().text
  }

  private complete(): SpokenPiece {
    const plain = normal(this.sentence)
    if (plain === '') return { text: '', end: false }
    if (this.said.includes(plain)) return { text: '', end: true }
    this.said.push(plain)
    const text = this.rest()
    this.total += this.sentence.length
    return { text, end: this.said.length >= sentencesMax || this.total >= enoughCharacters }
  }

  /** Nothing goes out while the sentence could still become one that was said. */
  private release(): string {
    const plain = normal(this.sentence)
    return plain === '' || this.said.some((earlier) => earlier.startsWith(plain)) ? '' : this.rest()
  }

  private rest(): string {
    const text = this.sentence.slice(this.sent)
    this.sent = this.sentence.length
    return text
  }
}

function isEnd(sentence: string): boolean {
  return /[.!?]["')\]]?$/.test(sentence) && !abbreviations.test(sentence)
}

function normal(sentence: string): string {
  return sentence
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, ' ')
    .trim()
}
