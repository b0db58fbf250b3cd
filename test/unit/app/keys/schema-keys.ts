import { asNode, entriesOf, factsOf, namedEntryOf, type SchemaNode, shapesOf } from '#config/describe.ts'
import { configurationSchema } from '#config/schema.ts'
import { vendorSchemas } from '#providers/schemas.ts'
import type { Tree } from '../../../fakes/key-world.ts'

/** A key of the schema, at any depth. */
export interface SchemaKey {
  /**
   * Dotted; `*` stands for a name that the user chooses, `{vendor}` for a part that is defined in place of that vendor's, `[]`
   * for a list of parts: `pipelines.*.stt{deepgram}.model`.
   */
  readonly key: string
  readonly restart: boolean
  /** The variable that holds it, where it may not stand in the file. */
  readonly secret: string | null
}

/** Every key whose value is no group of keys. */
export function schemaKeys(): SchemaKey[] {
  return keysIn(asNode(configurationSchema(vendorSchemas)), '', false)
}

function keysIn(node: SchemaNode, path: string, restartAround: boolean): SchemaKey[] {
  const { restart = false, secret = false, env = '' } = path === '' ? {} : factsOf(node)
  const atStart = restartAround || restart
  const under = (entries: Readonly<Record<string, SchemaNode>>) =>
    Object.entries(entries).flatMap(([name, child]) => keysIn(child, path === '' ? name : `${path}.${name}`, atStart))
  const entries = entriesOf(node)
  if (entries !== undefined) return under(entries)
  const named = namedEntryOf(node)
  if (named !== undefined) return keysIn(named, `${path}.*`, atStart)
  const itself = { key: path, restart: atStart, secret: secret ? env : null }
  const shapes = shapesOf(node)
  if (shapes === undefined) return [itself]
  return [itself, { ...itself, key: `${path}[]` }, ...shapes.flatMap((shape) => inPlace(shape, path, atStart))]
}

/** Of a part that is defined in place: `provider` says whose. */
function inPlace(shape: SchemaNode, path: string, restart: boolean): SchemaKey[] {
  const { provider, ...entries } = entriesOf(shape) ?? {}
  const [vendor] = provider?.options ?? []
  if (vendor === undefined) return []
  return Object.entries(entries).flatMap(([name, child]) => keysIn(child, `${path}{${vendor}}.${name}`, restart))
}

/** The name that stands for `*`, unless a probe has another. */
export const chosenName = 'one'

/** A tree with this value at the key; undefined: without the key. */
export function withValue(key: string, value: unknown, chosen = chosenName): Tree {
  if (value === undefined) return {}
  const inPlaceOf = /^(.*)\{(\w+)\}\.(\w+)$/.exec(key)
  if (inPlaceOf !== null) {
    const [, place = '', provider, name = ''] = inPlaceOf
    return withValue(place, { provider, [name]: value }, chosen)
  }
  const path = key.replace('[]', '').replaceAll('*', chosen).split('.')
  return path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as Tree
}
