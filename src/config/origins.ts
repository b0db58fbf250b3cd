import { dotted, type Path, type SourceNode } from './tree.ts'

/** Where the values of a configuration come from, as loading leaves it; plain data, since it crosses a process. */
export interface Origins {
  /** By the dotted path of each value that stands in the file: its line, counted from 1. */
  readonly lines: Readonly<Record<string, number>>
  /** By the dotted path of each value that came out of variables: their names. */
  readonly variables: Readonly<Record<string, readonly string[]>>
}

/** One value's. */
export type Origin =
  | { readonly source: 'default' }
  | { readonly source: 'file'; readonly line: number }
  /** `line`: where the file refers to the variable; null where it leaves the key out and the variable stands in. */
  | { readonly source: 'environment'; readonly variables: readonly string[]; readonly line: number | null }
  /** An option of `patchcord run`. */
  | { readonly source: 'command_line'; readonly option: string }

/** @param expanded by dotted path: the variables that a value was made of */
export function originsOf(tree: SourceNode, expanded: ReadonlyMap<string, readonly string[]>): Origins {
  return { lines: Object.fromEntries(linesOf(tree, [])), variables: Object.fromEntries(expanded) }
}

/** Of every key that holds no further keys. A list is one value. */
function linesOf(node: SourceNode, path: Path): [string, number][] {
  if (node.kind !== 'map') return []
  return [...node.entries].flatMap(([name, entry]) => {
    const here = [...path, name]
    const inner = linesOf(entry.value, here)
    return inner.length > 0 ? inner : [[dotted(here), entry.at.line] satisfies [string, number]]
  })
}

/** Where each value comes from, by its key. One walk over all variables, since a file may have thousands of both. */
export function originFinder({ lines, variables }: Origins): (key: string) => Origin {
  // keyed by: dotted path of a value; those of a list's entries are the list's
  const named = new Map<string, Set<string>>()
  for (const [path, names] of Object.entries(variables)) {
    for (const key of listsAround(path)) {
      const known = named.get(key) ?? new Set()
      named.set(key, known)
      for (const name of names) known.add(name)
    }
  }
  return (key) => {
    const line = Object.hasOwn(lines, key) ? (lines[key] ?? null) : null
    const found = named.get(key)
    if (found !== undefined) return { source: 'environment', variables: [...found], line }
    return line === null ? { source: 'default' } : { source: 'file', line }
  }
}

/** The path itself, and what is left of it before each of its brackets. */
function listsAround(path: string): string[] {
  return [...path.matchAll(/\[|$/g)].map(({ index }) => path.slice(0, index))
}

/** What is known of a whole configuration beside its values. */
export interface Provenance {
  /** As it was named; what error messages begin with. */
  readonly file: string
  /** Absolute; null: the configuration built in, or a text that no file holds. */
  readonly path: string | null
  readonly origins: Origins
  /** Options of the command line that stand over the file, by the key that they set. */
  readonly commandLine: Readonly<Record<string, string>>
}
