import type * as v from 'valibot'
import {
  childOf,
  entriesOf,
  expectationOf,
  factsOf,
  itemOf,
  type KeyInfo,
  listKeys,
  namedEntryOf,
  type SchemaNode,
  schemaAt,
  shapeFor,
} from './describe.ts'
import { adviseOnOlderKey } from './older-keys.ts'
import type { ConfigProblem } from './problem.ts'
import { isSecretName } from './secrets.ts'
import { adviseOnUnknownKey, nearest } from './suggest.ts'
import { describeFound, dotted, nodeAt, type Path, placeOf, type SourceNode } from './tree.ts'

/**
 * Turns what the checks found into sentences: where, which key, what was expected, what was found, what to do. Values
 * that came out of a variable are never shown, since any of them may be a secret.
 */

export interface Explained {
  readonly file: string
  readonly tree: SourceNode
  readonly schema: SchemaNode
  /** Values that came out of variables, by dotted path: the variables' names. */
  readonly expanded: ReadonlyMap<string, readonly string[]>
}

/** Names that the check of the schema drops without a word, whatever stands under them. */
const namesNever: readonly string[] = ['__proto__', 'constructor', 'prototype']

/** All keys that the schema doesn't know, and names that none may have, wherever they stand; valibot itself stops at the first of each section. */
export function explainUnknownKeys(facts: Explained): ConfigProblem[] {
  const keys = listKeys(facts.schema)
  const walk = (node: SourceNode, given: SchemaNode, path: Path): ConfigProblem[] => {
    const schema = shapeFor(given, node)
    const item = node.kind === 'list' ? itemOf(schema) : undefined
    if (node.kind === 'list' && item !== undefined)
      return node.items.flatMap((inner, index) => walk(inner, item, [...path, index]))
    if (node.kind !== 'map') return []
    const entry = namedEntryOf(schema)
    if (entry !== undefined)
      return [...node.entries].flatMap(([name, { at, value }]) => {
        const here = [...path, name]
        if (!namesNever.includes(name)) return walk(value, entry, here)
        const message = 'this name belongs to the language that the engine is written in'
        return [{ file: facts.file, ...at, key: dotted(here), message, advice: 'Choose another name.' }]
      })
    const known = entriesOf(schema)
    // Of a group whose kind is not known, no key can be called unknown.
    if (known === undefined || schema.type === 'loose_object') return []
    return [...node.entries].flatMap(([name, { at, value }]) => {
      const here = [...path, name]
      const child = childOf(schema, name)
      if (child !== undefined) return walk(value, child, here)
      return [{ file: facts.file, ...at, key: dotted(here), ...unknownKey(path, name, keys, Object.keys(known)) }]
    })
  }
  return walk(facts.tree, facts.schema, [])
}

function unknownKey(around: Path, name: string, keys: readonly KeyInfo[], known: readonly string[]) {
  const parent = around.map(String)
  const older = adviseOnOlderKey([...parent, name])
  if (older !== undefined)
    return { message: 'a key of the older system that this version does not have', advice: older }
  if (name === '<<') {
    return { message: 'merge keys are not supported', advice: 'Write the keys out where they are needed.' }
  }
  // Under names that the user has chosen there are keys that no list of all keys has.
  const isListed = keys.some(({ path }) => path.join('.') === [...parent, known[0] ?? ''].join('.'))
  const advice = isListed ? adviseOnUnknownKey(parent, name, keys) : adviseAmong(name, known)
  if (/(^|_)(api_?key|password|secret|token)s?$/i.test(name)) {
    return {
      message: 'unknown key; secrets are never in the file',
      advice: `Set an environment variable and remove this line. ${advice}`,
    }
  }
  return { message: 'unknown key', advice }
}

function adviseAmong(name: string, known: readonly string[]): string {
  const near = nearest(name, known)
  return near === undefined ? `Known here: ${known.join(', ')}.` : `Did you mean ${near}?`
}

/** Where in the configuration an issue of the schema check points. */
export function pathOf(issue: v.BaseIssue<unknown>): Path {
  return (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)))
}

export function isUnknownKey(issue: v.BaseIssue<unknown>): boolean {
  return issue.type === 'strict_object' && issue.expected === 'never'
}

/** One problem per place: a number that is neither whole nor in range is told once what it should be. */
export function explainIssues(issues: readonly v.BaseIssue<unknown>[], facts: Explained): ConfigProblem[] {
  const byKey = new Map<string, ConfigProblem>()
  for (const issue of issues.filter((each) => !isUnknownKey(each))) {
    const path = pathOf(issue)
    const key = dotted(path)
    if (byKey.has(key)) continue
    byKey.set(key, { file: facts.file, ...valuePlace(facts.tree, path), key, ...explainIssue(issue, path, facts) })
  }
  return [...byKey.values()]
}

/** A wrong value is pointed at itself; a missing one by the nearest key around it. */
function valuePlace(tree: SourceNode, path: Path) {
  const node = nodeAt(tree, path)
  return node === undefined || node.kind !== 'scalar' || node.value === null ? placeOf(tree, path) : node.at
}

function explainIssue(issue: v.BaseIssue<unknown>, path: Path, facts: Explained) {
  const schema = schemaAt(facts.schema, path, facts.tree)
  const expected = schema === undefined ? 'something else' : expectationOf(schema)
  const node = nodeAt(facts.tree, path)
  const variables = facts.expanded.get(dotted(path)) ?? []
  if (issue.type === 'check' && issue.path?.at(-1)?.origin === 'key')
    return {
      message: `expected ${issue.message}, found ${JSON.stringify(path.at(-1))}`,
      advice: 'Choose another name.',
    }
  // A check over several keys of a section, or of how many there are, carries its own sentence.
  if (issue.type === 'check' && schema !== undefined && (entriesOf(schema) ?? namedEntryOf(schema)) !== undefined) {
    return { message: issue.message, advice: '' }
  }
  if (schema !== undefined && issue.type === 'max_length') {
    return { message: 'this is too long', advice: `At most ${issue.requirement} are taken.` }
  }
  if (variables.length > 0) {
    return {
      message: `expected ${expected}, found something else in ${variables.map((name) => `\${${name}}`).join(' and ')}`,
      advice: 'Check what the environment variable holds; its value is not shown here.',
    }
  }
  if (node !== undefined && hides(schema, path, node)) {
    const isList = (schema?.wrapped ?? schema)?.type === 'array'
    const advice = isList ? 'Write a list: each entry on a line of its own, behind a dash.' : ''
    return { message: `expected ${expected}, found another text (not shown)`, advice }
  }
  const found = node === undefined ? 'nothing' : describeFound(node)
  return { message: `expected ${expected}, found ${found}`, advice: adviseOnValue(node, schema) }
}

/** Somebody may have pasted a key where its name belongs. */
function hides(schema: SchemaNode | undefined, path: Path, node: SourceNode): boolean {
  if (schema === undefined || node.kind !== 'scalar' || typeof node.value !== 'string') return false
  const { hidden, secret } = factsOf(schema)
  const name = path.findLast((part) => typeof part === 'string') ?? ''
  // What stands before an @ may be a user and a password, wherever an address belongs.
  return hidden === true || secret === true || isSecretName(name) || node.value.includes('@')
}

function adviseOnValue(node: SourceNode | undefined, schema: SchemaNode | undefined): string {
  if (node === undefined || schema === undefined) return ''
  // What has no default is not wrapped.
  const { type, options } = schema.wrapped ?? schema
  const wantsText = ['string', 'picklist'].includes(type)
  if (node.kind !== 'scalar') {
    if (node.kind === 'list' && entriesOf(schema) !== undefined) return 'Write the keys without leading dashes.'
    return node.kind === 'map' && wantsText ? 'Put the text in quotes if it holds a colon or braces.' : ''
  }
  if (node.value === null)
    return entriesOf(schema) === undefined
      ? `Remove the line to use the default${defaultHint(schema)}, or give a value.`
      : ''
  if (options !== undefined && typeof node.value === 'string') {
    const near = nearest(node.value, options)
    return near === undefined ? '' : `Did you mean ${near}?`
  }
  if (wantsText && typeof node.value !== 'string') return `Put it in quotes to make it a text: "${node.text}".`
  if (type === 'boolean' && /^(y|yes|on|n|no|off|true|false|0|1)$/i.test(node.text)) {
    return `Write ${/^(y|yes|on|true|1)$/i.test(node.text) ? 'true' : 'false'}${node.plain ? '' : ' without quotes'}.`
  }
  if (type === 'number' && typeof node.value === 'string') return adviseOnNumber(node.value, factsOf(schema).unit)
  if (type === 'array') return `Write a list: [${node.text}].`
  return ''
}

function adviseOnNumber(value: string, unit: string | undefined): string {
  const [, digits, suffix] = /^\s*(\d+(?:\.\d+)?)\s*(ms|s|sec|seconds?|m|min)?\s*$/.exec(value) ?? []
  if (digits === undefined) return ''
  if (suffix === undefined) return `Write the number without quotes: ${digits}.`
  const perUnit = suffix === 'ms' ? 1 : suffix.startsWith('m') ? 60_000 : 1000
  if (unit !== 'ms' && unit !== 's') return `Write the number alone: ${digits}.`
  return `Write the number alone, in ${unit}: ${(Number(digits) * perUnit) / (unit === 'ms' ? 1 : 1000)}.`
}

function defaultHint(schema: SchemaNode): string {
  const fallback = schema.default
  return typeof fallback === 'string' || typeof fallback === 'number' || typeof fallback === 'boolean'
    ? ` (${JSON.stringify(fallback)})`
    : ''
}
