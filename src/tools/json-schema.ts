import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema'
import type { ToolParameters } from './tool.ts'

export type { JsonSchema }

/**
 * The parameters of a tool as JSON Schema, which is how models are shown them. What a model adds of its own is passed over
 * when it calls; it is told that there is nothing to add. A kind that JSON has not is a bug, and is found when the tool is
 * made, not when a model calls it.
 */
export function jsonSchemaOf(parameters: ToolParameters): JsonSchema {
  const { $schema: _, ...schema } = toJsonSchema(parameters, { errorMode: 'throw' })
  return { ...schema, additionalProperties: false }
}
