import type { KeyInfo } from './describe.ts'

/**
 * Advice for a key that nobody knows: a slip of the finger gets the key that was meant, a key in the wrong section
 * gets told where it belongs.
 */

/** Insertions, deletions, replacements and swaps of neighbours that turn one word into the other. */
export function editDistance(left: string, right: string): number {
  const rows = left.length + 1
  const columns = right.length + 1
  const table = new Uint16Array(rows * columns)
  const cell = (row: number, column: number) => table[row * columns + column] ?? 0
  for (let row = 0; row < rows; row += 1) table[row * columns] = row
  for (let column = 0; column < columns; column += 1) table[column] = column
  for (let row = 1; row < rows; row += 1) {
    for (let column = 1; column < columns; column += 1) {
      const same = left[row - 1] === right[column - 1]
      let best = Math.min(
        cell(row - 1, column) + 1,
        cell(row, column - 1) + 1,
        cell(row - 1, column - 1) + (same ? 0 : 1),
      )
      if (row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]) {
        best = Math.min(best, cell(row - 2, column - 2) + 1)
      }
      table[row * columns + column] = best
    }
  }
  return cell(rows - 1, columns - 1)
}

/** `minStartMs`, `min-start-ms` and `Min_Start_Ms` are all meant as `min_start_ms`. */
function snake(word: string): string {
  return word
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[-\s]+/g, '_')
    .toLowerCase()
}

/** The candidate nearest to a word, if it is near enough to have been meant: one slip per three letters, or the one longer name that begins with it. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const wanted = snake(word.slice(0, 80))
  const longer = candidates.filter((candidate) => candidate.startsWith(`${wanted}_`))
  if (longer.length === 1) return longer[0]
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(wanted, candidate) }))
    .filter(
      ({ candidate, distance }) => distance <= Math.max(1, Math.floor(Math.min(candidate.length, wanted.length) / 3)),
    )
    .sort((left, right) => left.distance - right.distance || left.candidate.localeCompare(right.candidate))
  return ranked[0]?.candidate
}

/** `parent` is the path of the section in which the unknown key stands. */
export function adviseOnUnknownKey(parent: readonly string[], name: string, keys: readonly KeyInfo[]): string {
  const depth = parent.length + 1
  const isSibling = (info: KeyInfo) =>
    info.path.length === depth && parent.every((part, index) => info.path[index] === part)
  const leaf = (info: KeyInfo) => info.path.at(-1) ?? ''
  const siblings = keys.filter(isSibling)
  const elsewhere = keys.filter((info) => !isSibling(info) && leaf(info) === snake(name))
  const near = nearest(name, siblings.map(leaf))
  if (near !== undefined) return `Did you mean ${[...parent, near].join('.')}?`
  if (elsewhere.length > 0) return whereItBelongs(elsewhere)
  const far = nearest(name, keys.map(leaf))
  if (far !== undefined)
    return `Did you mean ${some(keys.filter((info) => leaf(info) === far).map((info) => info.key))}?`
  return siblings.length === 0 ? 'Remove it.' : `Known here: ${siblings.map(leaf).join(', ')}.`
}

function whereItBelongs(found: readonly KeyInfo[]): string {
  const first = found[0]
  if (found.length === 1 && first?.path.length === 1) {
    return `${first.key} belongs at the top level of the file: check the indentation.`
  }
  return `It belongs in another section: ${some(found.map((info) => info.key))}.`
}

function some(words: readonly string[]): string {
  return words.slice(0, 4).join(' or ')
}
