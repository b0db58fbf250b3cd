import type * as v from 'valibot'
import { asNode, childOf, factsOf, type SchemaNode } from './describe.ts'
import { isSecretName, mask, withoutUserInfo } from './secrets.ts'

/**
 * What differs between two configurations, key by key, in words that may be shown: an answer to a reload goes into logs
 * and terminals. What a secret holds is masked, and so is all that came out of a variable, since nobody but its owner
 * knows what a variable holds.
 */
export interface Change {
  /** `llm.prompt`; of a group under a name that the user chose, `transfer.destinations.sales.key`. */
  readonly key: string
  /** As it may be shown: a JSON value, shortened; `absent` where the key was not there. */
  readonly from: string
  readonly to: string
  /** Only a start of the engine can bring it about. */
  readonly restart: boolean
}

/** In one line. Of what is masked on both sides it can only be said that it is another. */
export function changeLine({ key, from, to }: Pick<Change, 'key' | 'from' | 'to'>): string {
  return from === mask && to === mask ? `${key} changed` : `${key}: ${from} -> ${to}`
}

export interface ComparedConfiguration {
  readonly configuration: unknown
  /** Dotted paths of values that came out of variables. */
  readonly fromEnvironment: readonly string[]
}

export function changesBetween(
  before: ComparedConfiguration,
  after: ComparedConfiguration,
  schema: v.GenericSchema,
): Change[] {
  const [former, latter] = withoutEqual(before.configuration, after.configuration)
  const old = leavesOf(former, asNode(schema))
  const next = leavesOf(latter, asNode(schema))
  const formerVariables = pathsAndGroups(before.fromEnvironment)
  const variables = pathsAndGroups(after.fromEnvironment)
  return [...new Set([...old.keys(), ...next.keys()])].flatMap((key) => {
    const from = old.get(key)
    const to = next.get(key)
    if (from?.json === to?.json) return []
    const restart = (from ?? to)?.restart === true
    const shownFrom = shown(from, formerVariables.has(key))
    return [{ key, from: shownFrom, to: shown(to, variables.has(key)), restart }]
  })
}

/** Both without the groups and values that are the same in them: only what differs is worth a look at the schema. */
function withoutEqual(before: unknown, after: unknown): [before: unknown, after: unknown] {
  if (!isGroup(before) || !isGroup(after)) return [before, after]
  const pairs = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .map((name) => [name, withoutEqual(before[name], after[name])] as const)
  return [
    Object.fromEntries(pairs.map(([name, [former]]) => [name, former])),
    Object.fromEntries(pairs.map(([name, [, latter]]) => [name, latter])),
  ]
}

function isGroup(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** One value of a configuration; a list is one. */
export interface Leaf {
  readonly json: string
  readonly secret: boolean
  readonly restart: boolean
}

/** By dotted path. An empty group of named groups has no leaves: its names come and go one by one. */
export function leavesOf(value: unknown, schema: SchemaNode): Map<string, Leaf> {
  // keyed by: dotted path
  const leaves = new Map<string, Leaf>()
  const visit = (inner: unknown, node: SchemaNode | undefined, path: string, restartAround: boolean): void => {
    const facts = node === undefined ? {} : factsOf(node)
    const restart = restartAround || facts.restart === true
    if (isGroup(inner)) {
      for (const [name, child] of Object.entries(inner)) {
        visit(child, node && childOf(node, name), path === '' ? name : `${path}.${name}`, restart)
      }
      return
    }
    if (inner === undefined) return
    const secret = facts.secret === true || isSecretName(path)
    leaves.set(path, { json: JSON.stringify(inner), secret, restart })
  }
  visit(value, schema, '', false)
  return leaves
}

const shownMax = 80

function shown(leaf: Leaf | undefined, ofVariable: boolean): string {
  if (leaf === undefined) return 'absent'
  if (isMasked(leaf, ofVariable)) return mask
  const json = withoutUserInfo(leaf.json)
  return json.length > shownMax ? `${json.slice(0, shownMax)}…` : json
}

/** As a JSON value, whole; the mask where it may be a secret. */
export function maskedValue(leaf: Leaf, ofVariable: boolean): unknown {
  return isMasked(leaf, ofVariable) ? mask : JSON.parse(withoutUserInfo(leaf.json))
}

/** Whether a secret is set stays visible. */
function isMasked({ json, secret }: Leaf, ofVariable: boolean): boolean {
  return (secret || ofVariable) && json !== '""' && json !== '[]'
}

/** These paths, and those of all groups and lists around them: `a`, `a.b` and `a.b[1]` of `a.b[1]`. */
function pathsAndGroups(paths: readonly string[]): ReadonlySet<string> {
  // keyed by: dotted path
  return new Set(paths.flatMap((path) => [...path.matchAll(/[.[]|$/g)].map(({ index }) => path.slice(0, index))))
}
