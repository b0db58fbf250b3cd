import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The cells of the table in a source file's head comment, heading and rule left out: the law its test holds it to. */
export function tableInComment(file: string): string[][] {
  const text = readFileSync(join(import.meta.dir, '..', '..', '..', 'src', file), 'utf8')
  const comment = text.slice(0, text.indexOf('*/'))
  const rows = [...comment.matchAll(/^ \* \|(.+)\|$/gm)].map((match) =>
    (match[1] ?? '').split('|').map((c) => c.trim()),
  )
  return rows.slice(1).filter((cells) => !/^-+$/.test(cells[0] ?? ''))
}

/** A cell that lists things: `a, b` → ['a', 'b'], and nothing → []. */
export const listed = (cell: string): string[] => (cell === '' ? [] : cell.split(/,\s*/))
