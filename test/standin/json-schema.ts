/**
 * The part of JSON Schema that the shapes of a typed API need, and a check of a value against it. The check is our own
 * because a vendor's server names the exact parameter that it refuses, and a general validator tells of a union only that
 * no branch fits: here the branch is chosen by what tells the branches apart (`type`, `role`), and its own fault is told.
 */
export interface JsonSchema {
  readonly $ref?: string
  readonly type?: 'string' | 'number' | 'boolean' | 'null' | 'array' | 'object'
  readonly const?: string | number | boolean
  readonly enum?: readonly string[]
  readonly anyOf?: readonly JsonSchema[]
  readonly items?: JsonSchema
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: false | JsonSchema
}

/** One schema per event `type`; `$defs` holds the types that they refer to, by name. */
export interface EventSchemas {
  readonly source: string
  readonly events: Readonly<Record<string, JsonSchema>>
  readonly $defs: Readonly<Record<string, JsonSchema>>
}

export interface ShapeFault {
  readonly kind: 'missing' | 'unknown' | 'value' | 'type'
  /** As the vendor writes it: `session.audio.input.format`, `session.tools[0].name`; empty for the whole. */
  readonly path: string
  /** What would have been right. */
  readonly expected: string
}

/** @returns null where the value has the shape, else the first fault. */
export function shapeFault(
  value: unknown,
  schema: JsonSchema,
  defs: EventSchemas['$defs'],
  path = '',
): ShapeFault | null {
  const resolved = resolve(schema, defs)
  if (resolved.anyOf !== undefined) return unionFault(value, resolved.anyOf, defs, path)
  if (resolved.const !== undefined) {
    return value === resolved.const ? null : { kind: 'value', path, expected: JSON.stringify(resolved.const) }
  }
  if (resolved.enum !== undefined) {
    if (typeof value !== 'string') return { kind: 'type', path, expected: 'a string' }
    return resolved.enum.includes(value) ? null : { kind: 'value', path, expected: resolved.enum.join(', ') }
  }
  switch (resolved.type) {
    case undefined:
      return null
    case 'array':
      return arrayFault(value, resolved, defs, path)
    case 'object':
      return objectFault(value, resolved, defs, path)
    case 'null':
      return value === null ? null : { kind: 'type', path, expected: 'null' }
    default:
      return typeof value === resolved.type ? null : { kind: 'type', path, expected: `a ${resolved.type}` }
  }
}

function arrayFault(value: unknown, schema: JsonSchema, defs: EventSchemas['$defs'], path: string): ShapeFault | null {
  if (!Array.isArray(value)) return { kind: 'type', path, expected: 'an array' }
  for (const [index, item] of value.entries()) {
    const fault = schema.items === undefined ? null : shapeFault(item, schema.items, defs, `${path}[${index}]`)
    if (fault !== null) return fault
  }
  return null
}

function objectFault(value: unknown, schema: JsonSchema, defs: EventSchemas['$defs'], path: string): ShapeFault | null {
  if (!isRecord(value)) return { kind: 'type', path, expected: 'an object' }
  const { properties = {}, additionalProperties } = schema
  for (const name of schema.required ?? []) {
    if (!Object.hasOwn(value, name)) return { kind: 'missing', path: below(path, name), expected: name }
  }
  for (const [name, member] of Object.entries(value)) {
    const known = Object.hasOwn(properties, name) ? properties[name] : additionalProperties
    if (known === false)
      return { kind: 'unknown', path: below(path, name), expected: Object.keys(properties).join(', ') }
    const fault = known === undefined ? null : shapeFault(member, known, defs, below(path, name))
    if (fault !== null) return fault
  }
  return null
}

/** What tells the branches of a union apart, in the order in which it is looked at. */
const discriminators = ['type', 'version', 'role']

function unionFault(
  value: unknown,
  branches: readonly JsonSchema[],
  defs: EventSchemas['$defs'],
  path: string,
): ShapeFault | null {
  const faults = branches.map((branch) => shapeFault(value, branch, defs, path))
  if (faults.includes(null)) return null
  const resolved = branches.map((branch) => resolve(branch, defs))
  const expected = resolved.map(nameOf).join(' or ')
  if (!isRecord(value)) {
    const isWord =
      typeof value === 'string' && resolved.some((branch) => branch.enum !== undefined || branch.const !== undefined)
    return { kind: isWord ? 'value' : 'type', path, expected }
  }
  let meant = resolved
    .map((branch, index) => ({ branch, fault: faults[index] }))
    .filter(({ branch }) => branch.type === 'object')
  for (const name of discriminators) {
    const told = meant.filter(({ branch }) => branch.properties?.[name]?.const !== undefined)
    if (told.length === 0) continue
    if (value[name] === undefined) {
      if (told.every(({ branch }) => branch.required?.includes(name)))
        return { kind: 'missing', path: below(path, name), expected: name }
      continue
    }
    const fitting = told.filter(({ branch }) => branch.properties?.[name]?.const === value[name])
    if (fitting.length === 0) {
      const words = told.map(({ branch }) => String(branch.properties?.[name]?.const))
      return { kind: 'value', path: below(path, name), expected: [...new Set(words)].join(', ') }
    }
    meant = fitting
  }
  // Its own fault is what the sender got wrong.
  return meant[0]?.fault ?? { kind: 'type', path, expected }
}

function nameOf(schema: JsonSchema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  return schema.enum?.join(' or ') ?? schema.type ?? 'anything'
}

function resolve(schema: JsonSchema, defs: EventSchemas['$defs']): JsonSchema {
  if (schema.$ref === undefined) return schema
  const found = defs[schema.$ref.replace('#/$defs/', '')]
  if (found === undefined) throw new Error(`bug: the schema refers to ${schema.$ref} and does not hold it`)
  return found
}

const below = (path: string, name: string) => (path === '' ? name : `${path}.${name}`)

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
