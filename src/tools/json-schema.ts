import * as v from 'valibot'
import type { ToolParameters } from './tool.ts'

/**
 * The parameters of a tool as JSON Schema, which is how models are shown them: of valibot those kinds that tools use.
 * Another kind is a bug, and is found when the tool is made, not when a model calls it.
 */
export interface JsonSchema {
  readonly type: 'object' | 'array' | 'string' | 'number' | 'integer' | 'boolean'
  readonly description?: string
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: false
  readonly items?: JsonSchema
  readonly enum?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly maxLength?: number
}

/** The parts of valibot's schemas that are looked at; the library's own types hide them behind generics. */
interface SchemaParts {
  readonly type: string
  readonly entries?: Readonly<Record<string, SchemaParts>>
  readonly wrapped?: SchemaParts
  readonly item?: SchemaParts
  readonly options?: readonly string[]
  readonly pipe?: readonly { readonly type: string; readonly requirement?: unknown }[]
}

export function jsonSchemaOf(parameters: ToolParameters): JsonSchema {
  return schemaOf(parameters as unknown as SchemaParts)
}

function schemaOf(parts: SchemaParts): JsonSchema {
  if (parts.wrapped !== undefined) return schemaOf(parts.wrapped)
  return { ...kindOf(parts), ...descriptionOf(parts) }
}

function kindOf(parts: SchemaParts): JsonSchema {
  switch (parts.type) {
    case 'object':
    case 'strict_object': {
      const entries = Object.entries(parts.entries ?? {})
      const required = entries.filter(([, entry]) => entry.type !== 'optional').map(([name]) => name)
      return {
        type: 'object',
        properties: Object.fromEntries(entries.map(([name, entry]) => [name, schemaOf(entry)])),
        required,
        additionalProperties: false,
      }
    }
    case 'array':
      if (parts.item === undefined) throw new Error('bug: an array without items')
      return { type: 'array', items: schemaOf(parts.item) }
    case 'picklist':
      return { type: 'string', enum: parts.options ?? [] }
    case 'string': {
      const maxLength = requirement(parts, 'max_length')
      return { type: 'string', ...(maxLength === undefined ? {} : { maxLength }) }
    }
    case 'number': {
      const whole = parts.pipe?.some(({ type }) => type === 'integer') === true
      const minimum = requirement(parts, 'min_value')
      const maximum = requirement(parts, 'max_value')
      return {
        type: whole ? 'integer' : 'number',
        ...(minimum === undefined ? {} : { minimum }),
        ...(maximum === undefined ? {} : { maximum }),
      }
    }
    case 'boolean':
      return { type: 'boolean' }
    default:
      throw new Error(`bug: no JSON Schema is known for valibot's ${parts.type}`)
  }
}

function requirement(parts: SchemaParts, type: string): number | undefined {
  const found = parts.pipe?.find((check) => check.type === type)?.requirement
  return typeof found === 'number' ? found : undefined
}

function descriptionOf(parts: SchemaParts): { readonly description?: string } {
  const description = v.getDescription(parts as unknown as v.GenericSchema)
  return description === undefined ? {} : { description }
}
