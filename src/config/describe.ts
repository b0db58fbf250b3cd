import * as v from 'valibot'
import type { FieldFacts } from './fields.ts'
import { nodeAt, type Path, plainOf, type SourceNode } from './tree.ts'

/**
 * Reads a schema back: which keys there are, what each may hold, its default and its meaning. Error messages, the
 * reference page and the test of the annotated YAML all come from here, so they cannot disagree with the checks.
 */

/** The parts of valibot's schemas and checks that are looked at; the library's own types hide them behind generics. */
interface SchemaParts {
  readonly type: string
  readonly entries?: Readonly<Record<string, SchemaParts>>
  readonly wrapped?: SchemaParts
  readonly item?: SchemaParts
  readonly value?: SchemaParts
  readonly options?: readonly string[]
  readonly default?: unknown
  readonly pipe?: readonly SchemaParts[]
  readonly requirement?: unknown
  readonly message?: unknown
  readonly getter?: (value: unknown) => SchemaParts
}
export type SchemaNode = SchemaParts

export interface KeyInfo {
  /** `audiosocket.port` */
  readonly key: string
  readonly path: readonly string[]
  readonly isSection: boolean
  /** What it may hold, in words that complete "expected …". */
  readonly expected: string
  /** The same in a few signs, for a comment: `ms, 0 to 1000`. */
  readonly brief: string
  readonly meaning: string
  /** Undefined for sections. */
  readonly fallback: unknown
  readonly facts: FieldFacts
  /** Its own fact, or that of a section around it. */
  readonly restart: boolean
}

export function asNode(schema: v.GenericSchema): SchemaNode {
  return schema as unknown as SchemaNode
}

/** Without the wrapper that holds the default. */
function bare(node: SchemaNode): SchemaNode {
  return node.wrapped === undefined ? node : bare(node.wrapped)
}

/** Of a value that may have several shapes the one that this value has, or comes nearest to. */
export function shapeFor(node: SchemaNode, source: SourceNode | undefined): SchemaNode {
  const inner = bare(node)
  if (inner.getter === undefined) return node
  return shapeFor(inner.getter(source === undefined ? undefined : plainOf(source)), source)
}

/** All that a value may be, where there are several. */
export function shapesOf(node: SchemaNode): readonly SchemaNode[] | undefined {
  return bare(node).getter === undefined ? undefined : factsOf(node).shapes?.map(asNode)
}

/** The keys of a section, or undefined for a value. */
export function entriesOf(node: SchemaNode): Readonly<Record<string, SchemaNode>> | undefined {
  return bare(node).entries
}

/** What stands under each of the names that the user chooses; undefined where the names are fixed, or there are none. */
export function namedEntryOf(node: SchemaNode): SchemaNode | undefined {
  const inner = bare(node)
  return inner.type === 'record' ? inner.value : undefined
}

export function childOf(node: SchemaNode | undefined, part: string | number): SchemaNode | undefined {
  if (node === undefined) return undefined
  const inner = bare(node)
  if (typeof part === 'number') return inner.item
  if (inner.type === 'record') return inner.value
  return inner.entries !== undefined && Object.hasOwn(inner.entries, part) ? inner.entries[part] : undefined
}

/** What stands at this place; @param tree by which one of several shapes is told */
export function schemaAt(root: SchemaNode, path: Path, tree: SourceNode): SchemaNode | undefined {
  return path.reduce<SchemaNode | undefined>((node, part, index) => {
    const child = childOf(node, part)
    return child === undefined ? undefined : shapeFor(child, nodeAt(tree, path.slice(0, index + 1)))
  }, root)
}

export function holdsText(node: SchemaNode | undefined): boolean {
  return node !== undefined && ['string', 'picklist'].includes(bare(node).type)
}

export function factsOf(node: SchemaNode): FieldFacts {
  return v.getMetadata(bare(node) as unknown as v.GenericSchema) as FieldFacts
}

export function meaningOf(node: SchemaNode): string {
  return v.getDescription(bare(node) as unknown as v.GenericSchema) ?? ''
}

function defaultOf(node: SchemaNode): unknown {
  return typeof node.default === 'function' ? node.default() : node.default
}

/** What the entries of a list may be. */
export function itemOf(node: SchemaNode): SchemaNode | undefined {
  return bare(node).item
}

export interface SchemaFacts {
  /** The schema's own name for its kind: `string`, `number` … */
  readonly type: string
  readonly options: readonly string[] | undefined
  readonly fallback: unknown
  /** It has no default. */
  readonly required: boolean
  /** Its checks by their names, with what each requires. */
  readonly limits: Readonly<Record<string, unknown>>
}

export function schemaFacts(node: SchemaNode): SchemaFacts {
  const inner = bare(node)
  const limits = Object.fromEntries((inner.pipe ?? []).map(({ type, requirement }) => [type, requirement]))
  return {
    type: inner.type,
    options: inner.options,
    fallback: defaultOf(node),
    required: node.wrapped === undefined,
    limits,
  }
}

/** Completes "expected …". */
export function expectationOf(node: SchemaNode): string {
  const inner = bare(node)
  const checks = inner.pipe ?? []
  const { limits } = schemaFacts(node)
  switch (inner.type) {
    case 'boolean':
      return 'true or false'
    case 'picklist':
      return (inner.options ?? []).length === 1 ? `${inner.options?.[0]}` : `one of ${(inner.options ?? []).join(', ')}`
    case 'number': {
      const kind = 'integer' in limits ? 'a whole number' : 'a number'
      const unit = factsOf(node).unit
      return `${kind} from ${limits.min_value} to ${limits.max_value}${unit === undefined ? '' : ` (${unit})`}`
    }
    case 'lazy':
      return 'a text, a list, or a group of keys'
    case 'record':
      return 'names, each with a group of keys'
    case 'array':
      return `a list${inner.item === undefined ? '' : `, each entry ${expectationOf(inner.item)}`}`
    case 'string': {
      const shape = checks.find((check) => check.type === 'check')?.message
      if (typeof shape === 'string') return shape
      return 'non_empty' in limits ? 'a text that is not empty' : 'a text'
    }
    default:
      return 'a group of keys'
  }
}

function briefOf(node: SchemaNode): string {
  const inner = bare(node)
  const { limits } = schemaFacts(node)
  if (inner.type === 'number') {
    const range = `${limits.min_value} to ${limits.max_value}`
    const unit = factsOf(node).unit
    return unit === undefined ? range : `${unit}, ${range}`
  }
  if (inner.type === 'picklist') return (inner.options ?? []).join(' | ')
  if (inner.type === 'record') return 'named groups'
  return inner.type === 'boolean' ? 'true | false' : inner.type === 'array' ? 'list' : 'text'
}

/** Every key of the schema in its order, sections before their content. */
export function listKeys(root: SchemaNode, path: readonly string[] = [], restartAround = false): KeyInfo[] {
  return Object.entries(entriesOf(root) ?? {}).flatMap(([name, node]) => {
    const here = [...path, name]
    const isSection = entriesOf(node) !== undefined
    const facts = factsOf(node)
    const restart = restartAround || facts.restart === true
    const info: KeyInfo = {
      key: here.join('.'),
      path: here,
      isSection,
      expected: expectationOf(node),
      brief: briefOf(node),
      meaning: meaningOf(node),
      fallback: isSection ? undefined : defaultOf(node),
      facts,
      restart,
    }
    return isSection ? [info, ...listKeys(node, here, restart)] : [info]
  })
}
