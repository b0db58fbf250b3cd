import { type Checker, SymbolFlags, type Symbol as TsSymbol, type Type } from 'typescript/unstable/async'
import type { JsonSchema } from '../../test/standin/json-schema.ts'

/**
 * JSON Schema out of TypeScript's types, strict where the types are silent about strictness: a property that no type names
 * is refused. Read with the compiler's own interface, by which a type alias, a union or an import across files is what the
 * compiler takes it for.
 */
export class TypeReader {
  /** What is named in the types; a type that refers to itself ends here. */
  readonly definitions: Record<string, JsonSchema> = {}
  private readonly checker: Checker

  constructor(checker: Checker) {
    this.checker = checker
  }

  async schemaOf(type: Type): Promise<JsonSchema> {
    if (type.isUnionType()) return await this.unionSchema(await membersOf(type))
    if (type.isStringLiteralType() || type.isNumberLiteralType()) return { const: type.value }
    if (type.isBooleanLiteralType()) return { const: type.value }
    // `string & {}` keeps a list of known values in an editor's completion and allows any string.
    if (type.isIntersectionType()) return await this.intersectionSchema(type)
    if (type.isIntrinsicType()) return intrinsicSchema(await this.checker.typeToString(type))
    if (await this.checker.isArrayType(type)) {
      const [item] = type.isTypeReference() ? await this.checker.getTypeArguments(type) : []
      if (item === undefined) throw new Error('an array of nothing')
      return { type: 'array', items: await this.schemaOf(item) }
    }
    return await this.reference(type)
  }

  /** An interface, with all that it inherits. */
  async objectSchema(type: Type): Promise<JsonSchema> {
    const properties: Record<string, JsonSchema> = {}
    const required: string[] = []
    for (const property of await this.checker.getPropertiesOfType(type)) {
      const propertyType = await this.checker.getTypeOfSymbol(property)
      if (propertyType === undefined) throw new Error(`${property.name} has no type`)
      properties[property.name] = await this.schemaOf(propertyType)
      if ((property.flags & SymbolFlags.Optional) === 0) required.push(property.name)
    }
    const [index] = await this.checker.getIndexInfosOfType(type)
    return {
      type: 'object',
      properties: sorted(properties),
      ...(required.length === 0 ? {} : { required: required.sort() }),
      additionalProperties: index === undefined ? false : await this.schemaOf(index.valueType),
    }
  }

  private async reference(type: Type): Promise<JsonSchema> {
    const symbol = await type.getSymbol()
    const name = symbol === undefined ? '' : await qualifiedName(symbol)
    if (name === '' || name.startsWith('__')) return await this.objectSchema(type)
    if (this.definitions[name] === undefined) {
      this.definitions[name] = {}
      this.definitions[name] = await this.objectSchema(type)
    }
    return { $ref: `#/$defs/${name}` }
  }

  private async intersectionSchema(type: Type): Promise<JsonSchema> {
    const text = await this.checker.typeToString(type)
    if (text === 'string & {}') return { type: 'string' }
    // `Omit<…> & { … }`: an object with the properties of both.
    if ((await this.checker.getPropertiesOfType(type)).length > 0) return await this.objectSchema(type)
    throw new Error(`no rule for the intersection ${text}`)
  }

  private async unionSchema(members: readonly Type[]): Promise<JsonSchema> {
    const schemas: JsonSchema[] = []
    for (const member of members) {
      // What may be left out is told by `required`.
      if (member.isIntrinsicType() && (await this.checker.typeToString(member)) === 'undefined') continue
      schemas.push(await this.schemaOf(member))
    }
    const open = schemas.some((schema) => schema.type === 'string')
    const words = schemas.flatMap(({ const: value }) => (typeof value === 'string' ? [value] : []))
    const both = schemas.filter(({ const: value }) => typeof value === 'boolean').length === 2
    const rest = schemas.filter(
      ({ type, const: value }) =>
        type !== 'string' && typeof value !== 'string' && !(both && typeof value === 'boolean'),
    )
    const text: JsonSchema[] = open
      ? [{ type: 'string' }]
      : words.length === 1
        ? [{ const: words[0] as string }]
        : words.length > 0
          ? [{ enum: words.sort() }]
          : []
    // In an order of their own: the compiler's follows from which type it happened to meet first.
    const branches = [...(both ? [{ type: 'boolean' } as const] : []), ...text, ...rest].sort((a, b) =>
      JSON.stringify(a) < JSON.stringify(b) ? -1 : 1,
    )
    const [only] = branches
    return branches.length === 1 && only !== undefined ? only : { anyOf: branches }
  }
}

function intrinsicSchema(name: string): JsonSchema {
  switch (name) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'null':
      return { type: name }
    case 'unknown':
      return {}
    default:
      throw new Error(`no rule for the type ${name}`)
  }
}

export async function membersOf(type: Type): Promise<readonly Type[]> {
  const members = type.isUnionType() ? await type.getTypes() : [type]
  return members ?? []
}

/** `RealtimeAudioConfigOutput.ID`: names inside a namespace are those of their file alone. */
async function qualifiedName(symbol: TsSymbol): Promise<string> {
  const parent = await symbol.getParent()
  const isModule = parent === undefined || /["/]/.test(parent.name)
  return isModule ? symbol.name : `${await qualifiedName(parent)}.${symbol.name}`
}

export function sorted<Value>(record: Record<string, Value>): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
}
