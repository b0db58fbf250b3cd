import type * as v from 'valibot'
import {
  asNode,
  entriesOf,
  factsOf,
  itemOf,
  meaningOf,
  namedEntryOf,
  type SchemaNode,
  schemaFacts,
  shapesOf,
} from './describe.ts'
import { entriesMax } from './fields.ts'

/**
 * The schema as JSON Schema, for editors: names are completed, meanings shown, and wrong values marked while a file is
 * being written. It is made here and kept in `config/ai-agent.schema.json`; the engine's own check stays the judge, since
 * shapes of texts and values that must fit each other cannot be said in it.
 */
export type EditorSchema = Readonly<Record<string, unknown>>

/** A value out of the environment may stand for any value: what it holds an editor cannot know. */
const reference = { type: 'string', pattern: '\\$\\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\\}' }

export function editorSchema(schema: v.GenericSchema): EditorSchema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'The configuration of patchcord',
    ...ofNode(asNode(schema)),
  }
}

function ofNode(node: SchemaNode): EditorSchema {
  const meaning = meaningOf(node)
  const { fallback } = schemaFacts(node)
  const isGroup = entriesOf(node) !== undefined || namedEntryOf(node) !== undefined
  return {
    ...(meaning === '' ? {} : { description: meaning }),
    ...(fallback === undefined || isGroup || factsOf(node).secret === true ? {} : { default: fallback }),
    ...shapeOf(node),
  }
}

function shapeOf(node: SchemaNode): EditorSchema {
  const shapes = shapesOf(node)
  if (shapes !== undefined) return { anyOf: shapes.map(ofNode) }
  const { type, options, limits } = schemaFacts(node)
  const entries = entriesOf(node)
  if (entries !== undefined) return group(entries)
  const named = namedEntryOf(node)
  // A key with nothing behind it is an empty group.
  if (named !== undefined)
    return {
      type: ['object', 'null'],
      additionalProperties: ofNode(named),
      maxProperties: factsOf(node).namesMax ?? entriesMax,
    }
  switch (type) {
    case 'array': {
      const item = itemOf(node)
      return {
        type: 'array',
        ...(item === undefined ? {} : { items: ofNode(item) }),
        ...only({ maxItems: limits.max_length }),
      }
    }
    case 'picklist':
      return { anyOf: [{ enum: options ?? [] }, reference] }
    case 'boolean':
      return { anyOf: [{ type: 'boolean' }, reference] }
    case 'number': {
      const kind = 'integer' in limits ? 'integer' : 'number'
      const bounds = only({ minimum: limits.min_value, maximum: limits.max_value })
      return { anyOf: [{ type: kind, ...bounds }, reference] }
    }
    default: {
      if (factsOf(node).secret === true) return { type: ['string', 'null'], pattern: `^(${reference.pattern})?$` }
      return {
        type: 'string',
        ...only({ maxLength: limits.max_length }),
        ...('non_empty' in limits ? { minLength: 1 } : {}),
      }
    }
  }
}

function group(entries: Readonly<Record<string, SchemaNode>>): EditorSchema {
  const required = Object.keys(entries).filter((name) => schemaFacts(entries[name] as SchemaNode).required)
  return {
    type: required.length === 0 ? ['object', 'null'] : 'object',
    properties: Object.fromEntries(Object.entries(entries).map(([name, child]) => [name, ofNode(child)])),
    additionalProperties: false,
    ...(required.length === 0 ? {} : { required }),
  }
}

function only(values: Readonly<Record<string, unknown>>): EditorSchema {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}
