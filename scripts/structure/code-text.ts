/**
 * A source text with its comments, or also its strings, blanked out: same length, same lines, so that a place in it is
 * the same place in the file. Not a parser: enough to know what is code, in a house with one formatter.
 */
export interface CodeText {
  /** Without comments. */
  readonly code: string
  /** Without comments and without what stands between quotes; what a template computes is kept. */
  readonly bare: string
}

/** Words after which a slash begins a regular expression and not a division. */
const regexMayFollow = /(?:^|[(,=:[!&|?{};+\-*%^~<>])\s*$|\b(?:return|typeof|case|in|of|do|else)\s*$/

export function codeText(text: string): CodeText {
  const code = text.split('')
  const bare = text.split('')
  const blank = (target: string[], from: number, to: number) => {
    for (let index = from; index < to; index += 1) if (target[index] !== '\n') target[index] = ' '
  }
  /** For each `${` that is open, how deep the braces were when it began. */
  const templates: number[] = []
  let depth = 0

  /** From inside a template to its end, or to the next `${`. */
  const template = (from: number): number => {
    let index = from
    for (; index < text.length; index += 1) {
      if (text[index] === '\\') index += 1
      else if (text[index] === '`') break
      else if (text.startsWith('${', index)) {
        blank(bare, from, index)
        templates.push(depth)
        depth += 1
        return index + 2
      }
    }
    blank(bare, from, index)
    return index + 1
  }

  for (let index = 0; index < text.length; ) {
    const character = text[index]
    if (text.startsWith('//', index) || text.startsWith('/*', index)) {
      const closing = text[index + 1] === '/' ? text.indexOf('\n', index) : text.indexOf('*/', index + 2) + 2
      const end = closing < index + 2 ? text.length : closing
      blank(code, index, end)
      blank(bare, index, end)
      index = end
    } else if (character === "'" || character === '"') {
      const end = endOf(text, index, character)
      blank(bare, index + 1, end - 1)
      index = end
    } else if (character === '`') {
      index = template(index + 1)
    } else if (character === '/' && regexMayFollow.test(bare.slice(Math.max(0, index - 40), index).join(''))) {
      const end = endOfRegex(text, index)
      blank(bare, index + 1, end - 1)
      index = end
    } else if (character === '}' && depth - 1 === templates.at(-1)) {
      templates.pop()
      depth -= 1
      index = template(index + 1)
    } else {
      if (character === '{') depth += 1
      if (character === '}') depth -= 1
      index += 1
    }
  }
  return { code: code.join(''), bare: bare.join('') }
}

/** Behind the closing quote; a quote that is never closed ends with its line. */
function endOf(text: string, start: number, quote: string): number {
  for (let index = start + 1; index < text.length; index += 1) {
    if (text[index] === '\\') index += 1
    else if (text[index] === quote) return index + 1
    else if (text[index] === '\n') return index
  }
  return text.length
}

function endOfRegex(text: string, start: number): number {
  let inClass = false
  for (let index = start + 1; index < text.length; index += 1) {
    const character = text[index]
    if (character === '\\') index += 1
    else if (character === '[') inClass = true
    else if (character === ']') inClass = false
    else if (character === '\n') return start + 1
    else if (character === '/' && !inClass) return index + 1
  }
  return start + 1
}
