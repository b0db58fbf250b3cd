import { endsInAbbreviation } from './abbreviations.ts'

/**
 * Cuts a growing text into pieces that a voice can speak one by one, as early as it is safe: at the end of a sentence,
 * and in a long first sentence already at a comma, since the caller is waiting.
 */

/** Shorter pieces sound chopped; "Yes." is spoken together with what follows, unless nothing follows. */
const pieceCharactersMin = 12
/** A first piece so long may end at a comma. */
const firstPieceCommaMin = 40
/** A text without any mark is cut at a space at last. */
const pieceCharactersMax = 240

export class SentenceSplitter {
  private text = ''
  private first = true

  /** Adds text and returns the pieces that are complete now. */
  push(delta: string): string[] {
    const pieces: string[] = []
    // One character after the other: the pieces must not depend on how the text happens to arrive.
    for (const character of delta.split('')) {
      this.text += character
      const end = this.boundary()
      if (end === null) continue
      const piece = this.text.slice(0, end).trim()
      this.text = this.text.slice(end)
      if (piece !== '') {
        pieces.push(piece)
        this.first = false
      }
    }
    return pieces
  }

  /** What is left when the text has ended. */
  flush(): string | null {
    const piece = this.text.trim()
    this.text = ''
    this.first = true
    return piece === '' ? null : piece
  }

  private boundary(): number | null {
    // A mark counts once something follows it: "3." may become "3.5", and "e.g" may become "e.g.".
    for (const match of this.text.matchAll(/[.!?…]+["')\]]?(?=\s)|[。！？]|\n+/g)) {
      const end = match.index + match[0].length
      if (end < pieceCharactersMin) continue
      if (match[0].startsWith('.') && endsInAbbreviation(this.text.slice(0, end))) continue
      return end
    }
    if (this.first && this.text.length >= firstPieceCommaMin) {
      const comma = this.text.slice(0, pieceCharactersMax).search(/[,;:](?=\s)(?<=.{25,}[,;:])/)
      if (comma >= 0) return comma + 1
    }
    if (this.text.length > pieceCharactersMax) {
      const space = this.text.lastIndexOf(' ', pieceCharactersMax)
      return space > 0 ? space : pieceCharactersMax
    }
    return null
  }
}
