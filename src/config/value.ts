import { ok } from '#base/result.ts'
import { childOf, entriesOf, factsOf, holdsText, type SchemaNode, shapeFor } from './describe.ts'
import { expand, resolvePlain, soleReference } from './expand.ts'
import type { ConfigProblem } from './problem.ts'
import type { Environment, ReadSecret } from './secrets.ts'
import { dotted, type Path, placeOf, type SourceNode, type SourceScalar } from './tree.ts'

/**
 * Tree → plain value, with the environment put in. The schema is looked at for three things only: a value that came
 * out of a variable stays a text where a text is wanted (a password of digits is not a number); a key that the file
 * leaves out may have a variable that stands in; a secret must come from the environment or a file.
 */

export interface Valued {
  readonly value: unknown
  /** By dotted path: the variables that a value was made of. */
  readonly expanded: ReadonlyMap<string, readonly string[]>
  readonly problems: readonly ConfigProblem[]
}

/** @param read of the secrets among the variables */
export function toValue(
  tree: SourceNode,
  schema: SchemaNode,
  file: string,
  env: Environment,
  read: ReadSecret,
): Valued {
  const expanded = new Map<string, readonly string[]>()
  const problems: ConfigProblem[] = []
  const refuse = (path: Path, at: { line: number; column: number }, message: string, advice: string) => {
    problems.push({ file, line: at.line, column: at.column, key: dotted(path), message, advice })
    return undefined
  }

  const ofScalar = (node: SourceScalar, wanted: SchemaNode | undefined, path: Path): unknown => {
    if (wanted !== undefined && factsOf(wanted).secret) return ofSecret(node, wanted, path)
    if (node.value === null && wanted !== undefined && entriesOf(wanted) !== undefined)
      return ofMissing(wanted, path) ?? {}
    if (typeof node.value !== 'string') return node.value
    const { text, variables, failures } = expand(node.value, env)
    for (const { message, advice } of failures) refuse(path, node.at, message, advice)
    if (failures.length > 0) return undefined
    if (variables.length === 0) return text
    expanded.set(dotted(path), variables)
    return node.plain && !holdsText(wanted) ? resolvePlain(text) : text
  }

  const ofSecret = (node: SourceScalar, wanted: SchemaNode, path: Path): unknown => {
    if (node.value === null || node.value === '') return ofVariable(factsOf(wanted).env, wanted, path)
    const name = typeof node.value === 'string' ? soleReference(node.value) : undefined
    if (name === undefined) {
      const variable = factsOf(wanted).env ?? 'NAME'
      return refuse(
        path,
        node.at,
        'a secret must not stand in the file',
        `Remove the line and set the environment variable ${variable} (or ${variable}_FILE to the path of a file that holds it).`,
      )
    }
    const secret = read(name)
    if (!secret.ok) return refuse(path, node.at, secret.error, '')
    expanded.set(dotted(path), [name])
    if (secret.value === undefined && !String(node.value).includes(':-')) {
      return refuse(
        path,
        node.at,
        `the environment variable ${name} is not set`,
        `Set ${name}, or ${name}_FILE to the path of a file that holds it.`,
      )
    }
    return secret.value
  }

  /** A key that the file leaves out: its variable, if it has one and that is set. */
  const ofVariable = (name: string | undefined, wanted: SchemaNode, path: Path): unknown => {
    if (name === undefined) return undefined
    const found = factsOf(wanted).secret ? read(name) : ok(env[name] === '' ? undefined : env[name])
    if (!found.ok) return refuse(path, placeOf(tree, path), found.error, '')
    if (found.value === undefined) return undefined
    expanded.set(dotted(path), [name])
    return holdsText(wanted) ? found.value : resolvePlain(found.value)
  }

  /** What variables say about a key, or a whole section, that the file leaves out. */
  const ofMissing = (wanted: SchemaNode, path: Path): unknown => {
    const entries = entriesOf(wanted)
    if (entries === undefined) return ofVariable(factsOf(wanted).env, wanted, path)
    const found = Object.entries(entries)
      .map(([name, child]) => [name, ofMissing(child, [...path, name])] as const)
      .filter(([, value]) => value !== undefined)
    return found.length === 0 ? undefined : Object.fromEntries(found)
  }

  const ofNode = (node: SourceNode, given: SchemaNode | undefined, path: Path): unknown => {
    const wanted = given === undefined ? undefined : shapeFor(given, node)
    if (node.kind === 'scalar') return ofScalar(node, wanted, path)
    if (node.kind === 'list') {
      return node.items.map((item, index) => ofNode(item, wanted && childOf(wanted, index), [...path, index]))
    }
    const known = entriesOf(wanted ?? { type: 'unknown' }) ?? {}
    const found = [...node.entries].map(([name, entry]) => {
      const child = childOf(wanted, name)
      return [name, ofNode(entry.value, child, [...path, name])] as const
    })
    const missing = Object.entries(known)
      .filter(([name]) => !node.entries.has(name))
      .map(([name, child]) => [name, ofMissing(child, [...path, name])] as const)
    return Object.fromEntries([...found, ...missing].filter(([, value]) => value !== undefined))
  }

  return { value: ofNode(tree, schema, []), expanded, problems }
}
