import type { Position } from './tree.ts'

/**
 * Where a text nests deeper than any configuration does. It is looked for before the parser has it, which follows brackets
 * by calling itself, and is busy for seconds with what a walk over the words of the text tells at once.
 */

/** What the lexer of `yaml` puts between the words of the text: marks that are not in it. */
const marks: readonly string[] = ['\x02', '\x18']
/** The next word is a value, whatever it looks like. */
const valueMark = '\x1f'

/**
 * Brackets and braces count from where they open to where they close, dashes and question marks to the end of their line;
 * what is nested by indentation alone needs a line for each level and is short of that.
 * @param words of the text, as the lexer of `yaml` cuts it @returns the first that is deeper; null: none is
 */
export function tooDeepAt(source: string, words: Iterable<string>, depthMax: number): Position | null {
  let offset = 0
  let open = 0
  let onLine = 0
  let isValue = false
  for (const word of words) {
    if (word === valueMark || marks.includes(word)) {
      isValue = word === valueMark
      continue
    }
    if (!isValue) {
      if (word === '[' || word === '{') open += 1
      else if ((word === ']' || word === '}') && open > 0) open -= 1
      else if (word === '-' || word === '?') onLine += 1
      else if (/^\r?\n/.test(word)) onLine = 0
    }
    if (open + onLine > depthMax) return placeIn(source, offset)
    isValue = false
    offset += word.length
  }
  return null
}

function placeIn(source: string, offset: number): Position {
  const lines = source.slice(0, offset).split('\n')
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 }
}
