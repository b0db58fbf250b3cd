/**
 * A configuration file as it was written: values with their places. It knows nothing of YAML's own types, so that only
 * `load.ts` depends on the parser, and an error can name line and column long after parsing.
 */

/** Both count from 1, as editors do. */
export interface Position {
  readonly line: number
  readonly column: number
}

export type Scalar = string | number | boolean | null

export interface SourceScalar {
  readonly kind: 'scalar'
  readonly at: Position
  readonly value: Scalar
  /** The value as text: for a plain scalar what stands in the file. */
  readonly text: string
  /** Written without quotes and not as a block: YAML decides its type by its looks. */
  readonly plain: boolean
}

export interface SourceList {
  readonly kind: 'list'
  readonly at: Position
  readonly items: readonly SourceNode[]
}

export interface SourceEntry {
  /** The place of the key. */
  readonly at: Position
  readonly value: SourceNode
}

export interface SourceMap {
  readonly kind: 'map'
  readonly at: Position
  readonly entries: ReadonlyMap<string, SourceEntry>
}

export type SourceNode = SourceScalar | SourceList | SourceMap

export type Path = readonly (string | number)[]

export const fileStart: Position = { line: 1, column: 1 }

export function emptyMap(at: Position = fileStart): SourceMap {
  // keyed by: key of the file
  return { kind: 'map', at, entries: new Map() }
}

/** `['providers', 'local']` → `providers.local`; list positions count from 1: `audiosocket.allow[2]`. */
export function dotted(path: Path): string {
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part + 1}]` : text === '' ? part : `${text}.${part}`),
    '',
  )
}

/** The node at this path, if the file has one. */
export function nodeAt(root: SourceNode, path: Path): SourceNode | undefined {
  let node: SourceNode | undefined = root
  for (const part of path) {
    if (node?.kind === 'map') node = node.entries.get(String(part))?.value
    else if (node?.kind === 'list' && typeof part === 'number') node = node.items[part]
    else return undefined
  }
  return node
}

/** The place of the key at this path, or of the nearest group around it that the file has. */
export function placeOf(root: SourceNode, path: Path): Position {
  let node: SourceNode | undefined = root
  let place = fileStart
  for (const part of path) {
    if (node?.kind === 'map') {
      const entry: SourceEntry | undefined = node.entries.get(String(part))
      if (entry === undefined) return place
      place = entry.at
      node = entry.value
    } else if (node?.kind === 'list' && typeof part === 'number') {
      node = node.items[part]
      if (node !== undefined) place = node.at
    } else return place
  }
  return place
}

/** As a plain value, with what stands in the file: variables are not put in. */
export function plainOf(node: SourceNode): unknown {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'list') return node.items.map(plainOf)
  return Object.fromEntries([...node.entries].map(([name, { value }]) => [name, plainOf(value)]))
}

/** A kind and, for texts, the words themselves, cut: what an error message says was found. */
export function describeFound(node: SourceNode): string {
  if (node.kind === 'map') return 'a group of keys'
  if (node.kind === 'list') return 'a list'
  if (node.value === null) return 'nothing'
  if (typeof node.value === 'string') {
    return `the text ${JSON.stringify(node.value.length > 60 ? `${node.value.slice(0, 57)}…` : node.value)}`
  }
  return `${typeof node.value === 'number' ? 'the number ' : ''}${node.text}`
}
