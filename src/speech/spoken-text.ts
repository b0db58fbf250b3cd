import { endsInAbbreviation } from '#agent/abbreviations.ts'

/**
 * What a language model writes is not what can be said: marks of layout, links and pictures are taken out, and the rest
 * is cut where a speaker would breathe, so that the first audio is early. Numbers, currencies and abbreviations are
 * eSpeak's work, save telephone numbers and codes, which it would read as one large number.
 */
export interface Clause {
  readonly words: string
  /** `.` `,` `?` `!` `;` `:` or nothing: the voice's melody follows it. */
  readonly end: string
}

/** What one run of the voice says: one or more clauses. */
export type Piece = readonly Clause[]

/** Plain words and punctuation; empty when nothing can be said. */
export function speakable(text: string): string {
  return (
    text
      .replace(/```[\s\S]*?(```|$)/g, ' ')
      // [words](link) and ![words](picture) keep their words.
      .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/\b(?:https?:\/\/|www\.)([^\s/?#)]+)[^\s)]*/gi, (_, host: string) =>
        host.replace(/[.,]+$/, '').replaceAll('.', ' dot '),
      )
      .replace(/[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g, (address) => address.replace('@', ' at ').replaceAll('.', ' dot '))
      .replace(/<[^>]{1,40}>/g, ' ')
      // Headings, list marks, quotes and rules at a line's beginning; a line's end is a pause.
      .replace(/^[ \t]*(?:#{1,6}|[-*+•>]|\d{1,2}[.)])[ \t]+/gm, '')
      .replace(/^[ \t]*[-*_=]{3,}[ \t]*$/gm, ' ')
      .replace(/([^\s.,!?;:])[ \t]*\n+/g, '$1. ')
      .replace(/[*_~`|#]+/g, ' ')
      .replace(/\p{Extended_Pictographic}|\p{Emoji_Modifier}|\u200d|\ufe0f|\u20e3/gu, ' ')
      .replace(/[“”„«»"]/g, ' ')
      .replace(/[‘’]/g, "'")
      .replace(/\s[–—-]+\s|[–—]/g, ', ')
      .replace(/…|\.{2,}/g, '.')
      .replace(/&/g, ' and ')
      .replace(/(?<![\d.,$€£])\+?\d[\d() -]{5,}\d(?![\d.,]*\d)/g, digitsApart)
      .replace(/\s+/g, ' ')
      .replace(/\s+([.,!?;:])/g, '$1')
      .trim()
  )
}

/** `555-1234` → `5 5 5, 1 2 3 4`: as people say a telephone number. Years and plain numbers are shorter than this. */
function digitsApart(number: string): string {
  const groups = number.split(/[^0-9]+/).filter((group) => group !== '')
  const plus = number.startsWith('+') ? 'plus ' : ''
  return plus + groups.map((group) => [...group].join(' ')).join(', ')
}

/** A piece is long enough to end at the next breath; the first one early, so that the caller waits less. */
const firstPieceChars = 16
const pieceChars = 48
/** Past this even a text without punctuation is cut, between two words: about 12 s of speech. */
const pieceCharsMax = 200

/** @param text what `speakable` made */
export function splitPieces(text: string): readonly Piece[] {
  const pieces: Clause[][] = []
  let piece: Clause[] = []
  let chars = 0
  for (const clause of splitClauses(text)) {
    piece.push(clause)
    chars += clause.words.length
    const enough = chars >= (pieces.length === 0 ? firstPieceChars : pieceChars)
    const sentenceEnd = clause.end !== ',' && clause.end !== ';' && clause.end !== ':'
    // A short sentence alone is a run of its own all the same: melody does not cross a full stop.
    if (!sentenceEnd && !enough) continue
    pieces.push(piece)
    piece = []
    chars = 0
  }
  if (piece.length > 0) pieces.push(piece)
  return pieces
}

function splitClauses(text: string): readonly Clause[] {
  const clauses: Clause[] = []
  let from = 0
  const push = (to: number, end: string) => {
    const parts = cutLong(text.slice(from, to).trim())
    parts.forEach((words, index) => {
      clauses.push({ words, end: index === parts.length - 1 ? end : ',' })
    })
  }
  for (const mark of text.matchAll(/[.,!?;:]+(?=\s|$)/g)) {
    const end = mark[0].at(-1) ?? '.'
    if (mark[0] === '.' && endsInAbbreviation(text.slice(from, mark.index + 1))) continue
    if (text.slice(from, mark.index).trim() !== '') push(mark.index, end)
    from = mark.index + mark[0].length
  }
  if (text.slice(from).trim() !== '') push(text.length, '.')
  return clauses
}

function cutLong(words: string): readonly string[] {
  const parts: string[] = []
  let rest = words
  while (rest.length > pieceCharsMax) {
    const space = rest.lastIndexOf(' ', pieceCharsMax)
    const cut = space > 0 ? space : pieceCharsMax
    parts.push(rest.slice(0, cut).trim())
    rest = rest.slice(cut).trim()
  }
  if (rest !== '') parts.push(rest)
  return parts
}
