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
const marks = '.!?…'
const wideMarks = '。！？'
/** What may stand between a mark and the space behind it. */
const closing = `"')]`

export class SentenceSplitter {
  private text = ''
  private first = true

  /** What is left when the text has ended. */
  flush(): string | null {
    const piece = this.text.trim()
    this.text = ''
    this.first = true
    return piece === '' ? null : piece
  }

  /** Adds text, and yields the pieces that are complete with it; whoever stops asking has the rest of them unmade. */
  *push(delta: string): Generator<string> {
    // One character after the other: the pieces must not depend on how the text happens to arrive.
    for (let at = 0; at < delta.length; at += 1) {
      this.text += delta[at]
      const end = this.boundary()
      if (end === null) continue
      const piece = this.text.slice(0, end).trim()
      this.text = this.text.slice(end)
      if (piece === '') continue
      this.first = false
      yield piece
    }
  }

  /** Where a piece ends with the character that has just come; what was before it has been looked at. */
  private boundary(): number | null {
    const marked = this.markedEnd()
    if (marked >= pieceCharactersMin) return marked
    if (this.text.endsWith('\n') && this.text.length >= pieceCharactersMin) return this.text.length
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

  /** A mark counts once something follows it: "3." may become "3.5", and "e.g" may become "e.g.". 0: there is none. */
  private markedEnd(): number {
    const { text } = this
    const last = text.length - 1
    const newest = text[last] as string
    if (wideMarks.includes(newest)) return last + 1
    if (!/\s/.test(newest)) return 0
    const mark = closing.includes(text[last - 1] ?? ' ') ? last - 2 : last - 1
    let before = mark
    while (marks.includes(text[before] ?? ' ')) before -= 1
    if (before === mark) return 0
    return text[before + 1] === '.' && endsInAbbreviation(text.slice(0, last)) ? 0 : last
  }
}
