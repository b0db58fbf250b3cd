import { endsInAbbreviation } from '#agent/abbreviations.ts'

/**
 * Makes of a small model's flow what may be spoken: whole sentences, not too many, none twice. Such a model does not
 * know when to stop, says again what it said a turn ago, and now and then what nobody should hear. A voice needs whole
 * sentences anyway, so holding each back until it is complete costs the caller nothing.
 */

/** Two sentences are what a caller can keep in mind. */
const sentencesMax = 2
/** From so many characters on, one sentence is enough: about seven seconds of speech. */
const enoughCharacters = 110

/** A sentence that goes on for longer than this is ended at its last comma: nobody follows twelve seconds of one. */
const sentenceCharactersMax = 180

/** "1." begins a point of a list, it ends no sentence. */
const listNumber = /(?:^|[\s(])\d{1,2}\.$/

/** Words that a model trained on the web may come up with, and a caller must not hear from it. */
const unfit =
  /\b(?:anal|arse|ass(?:hole)?|bastard|bitch\w*|cock|cum|cunt|damn|dick|faggot|fuck\w*|genital\w*|kill yourself|naked|nazi\w*|nigg\w*|nude|orgasm\w*|penis\w*|porn\w*|pussy|rape\w*|sex\w*|shit\w*|slut\w*|suicid\w*|vagina\w*|whore\w*)\b/i

export interface SpokenPiece {
  /** Whole sentences to be said now; mostly empty. */
  readonly text: string
  /** The answer is complete; nothing after this is to be said. */
  readonly end: boolean
}

export class SpokenCut {
  private readonly said: Set<string>
  private sentence = ''
  private sentences = 0
  private characters = 0

  /** @param earlier what the agent said before in this conversation: it is not said again */
  constructor(earlier: readonly string[] = []) {
    // keyed by: sentence
    this.said = new Set(earlier.flatMap((text) => text.split(/(?<=[.!?]["')]?)\s+/)).map(normal))
  }

  push(piece: string): SpokenPiece {
    let text = ''
    for (const character of piece) {
      const space = /\s/.test(character)
      if (character === '\n' || (space && isEnd(this.sentence))) text += this.take(this.sentence)
      else if (!space || this.sentence !== '') this.sentence += character
      if (this.sentence.length > sentenceCharactersMax) text += this.breakOff()
      if (this.sentences >= sentencesMax || this.characters >= enoughCharacters) return { text, end: true }
    }
    return { text, end: false }
  }

  /**
   * What is left when the model has ended. A sentence that it had to break off is said only where there is no other.
   * @param complete the model ended by itself
   */
  end(complete: boolean): string {
    if (complete || isEnd(this.sentence)) return this.take(this.sentence)
    return this.sentences > 0 ? '' : this.take(this.sentence)
  }

  /** Nothing is said after it, since it would begin in the middle. */
  private breakOff(): string {
    const comma = this.sentence.search(/[,;:–][^,;:–]*$/)
    const text = this.take(this.sentence.slice(0, comma > 40 ? comma : this.sentence.lastIndexOf(' ')))
    this.sentences = sentencesMax
    return text
  }

  private take(sentence: string): string {
    this.sentence = ''
    // Trained on questions, answers and lists, it sometimes names its part or counts first.
    const words = sentence.replace(/^\s*(?:(?:[AQ]|Answer|Assistant):|\d{1,2}[.)])\s*/, '').trim()
    const key = normal(words)
    if (key === '' || this.said.has(key) || unfit.test(words)) return ''
    // Without a sign at its end a voice lets a sentence hang.
    const plain = isEnd(words) ? words : closed(words)
    this.said.add(key)
    this.sentences += 1
    this.characters += plain.length
    return this.sentences === 1 ? plain : ` ${plain}`
  }
}

function isEnd(sentence: string): boolean {
  return /[.!?]["')]?$/.test(sentence) && !endsInAbbreviation(sentence) && !listNumber.test(sentence)
}

function closed(sentence: string): string {
  return `${sentence.replace(/[\s,;:–-]+$/, '').replace(/\.$/, '')}.`
}

/** Two sentences that differ in case and signs only are the same to a listener. */
function normal(sentence: string): string {
  return sentence
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
}
