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

export function originOf(key: string, origins: Origins): Origin {
  const line = origins.lines[key] ?? null
  const variables = Object.entries(origins.variables).flatMap(([path, names]) =>
    path === key || path.startsWith(`${key}[`) ? names : [],
  )
  if (variables.length > 0) return { source: 'environment', variables: [...new Set(variables)], line }
  return line === null ? { source: 'default' } : { source: 'file', line }
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
