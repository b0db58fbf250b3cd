import type * as v from 'valibot'
import { asNode, childOf, factsOf, type SchemaNode } from './describe.ts'
import { mask } from './secrets.ts'

/** The configuration as indented JSON, for people: what a secret holds is masked, and whether it is set stays visible. */
export function showConfiguration(configuration: unknown, schema: v.GenericSchema): string {
  return JSON.stringify(masked(configuration, asNode(schema)), null, 2)
}

function masked(value: unknown, schema: SchemaNode | undefined): unknown {
  if (schema !== undefined && factsOf(schema).secret) return value === '' ? '' : mask
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [name, masked(inner, schema && childOf(schema, name))]),
  )
}
