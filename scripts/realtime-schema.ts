import { join } from 'node:path'
import {
  API,
  type Checker,
  type Project,
  SymbolFlags,
  type Symbol as TsSymbol,
  type Type,
} from 'typescript/unstable/async'
import type { EventSchemas, JsonSchema } from '../test/standin/json-schema.ts'

/**
 * JSON Schema out of the official types of the Realtime API: what a client may send and what a server says, one schema
 * per event. It is strict where the types are silent about strictness: a property that no type names is refused, because
 * the real server refuses it (`unknown_parameter`). Committed beside the stand-in server; a test makes it anew, so that a
 * change of the package's version is seen as a difference.
 *
 *     bun scripts/realtime-schema.ts
 *
 * The types are read with the compiler's own interface, by which a type alias, a union or an import across files is what
 * the compiler takes it for. It is the asynchronous one: the synchronous one needs Node's handles of a pipe.
 */
const root = join(import.meta.dir, '..')
const typesFile = join(root, 'node_modules/openai/resources/realtime/realtime.d.ts')

export const schemaFiles = {
  RealtimeClientEvent: join(root, 'test/standin/openai-realtime/client-events.schema.json'),
  RealtimeServerEvent: join(root, 'test/standin/openai-realtime/server-events.schema.json'),
} as const

export type UnionName = keyof typeof schemaFiles

export async function realtimeSchemas(): Promise<Record<UnionName, EventSchemas>> {
  const { version } = (await Bun.file(join(root, 'node_modules/openai/package.json')).json()) as { version: string }
  const api = new API({ cwd: root })
  try {
    const snapshot = await api.updateSnapshot({ openFiles: [typesFile] })
    const project = await snapshot.getDefaultProjectForFile(typesFile)
    if (project === undefined) throw new Error(`the compiler knows no project for ${typesFile}`)
    const of = (name: UnionName) => schemasOf(project, name, `openai ${version}`)
    return {
      RealtimeClientEvent: await of('RealtimeClientEvent'),
      RealtimeServerEvent: await of('RealtimeServerEvent'),
    }
  } finally {
    await api.close()
  }
}

async function schemasOf(project: Project, name: UnionName, from: string): Promise<EventSchemas> {
  const file = await project.program.getSourceFile(typesFile)
  const module = file === undefined ? undefined : await project.checker.getSymbolAtLocation(file)
  if (module === undefined) throw new Error(`there is no ${typesFile}`)
  const exported = await project.checker.getExportsOfModule(module)
  const union = exported.find((each) => each.name === name)
  if (union === undefined) throw new Error(`${typesFile} exports no ${name}`)
  const reader = new TypeReader(project.checker)
  const events: Record<string, JsonSchema> = {}
  for (const member of await membersOf(await project.checker.getDeclaredTypeOfSymbol(union))) {
    const schema = await reader.objectSchema(member)
    const type = schema.properties?.type?.const
    if (typeof type !== 'string') throw new Error(`a member of ${name} has no constant type`)
    events[type] = schema
  }
  return { source: `${from}, ${name}`, events: sorted(events), $defs: sorted(reader.definitions) }
}

class TypeReader {
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
    if (text !== 'string & {}') throw new Error(`no rule for the intersection ${text}`)
    return { type: 'string' }
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

async function membersOf(type: Type): Promise<readonly Type[]> {
  const members = type.isUnionType() ? await type.getTypes() : [type]
  return members ?? []
}

/** `RealtimeAudioConfigOutput.ID`: names inside a namespace are those of their file alone. */
async function qualifiedName(symbol: TsSymbol): Promise<string> {
  const parent = await symbol.getParent()
  const isModule = parent === undefined || /["/]/.test(parent.name)
  return isModule ? symbol.name : `${await qualifiedName(parent)}.${symbol.name}`
}

function sorted<Value>(record: Record<string, Value>): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** As the house's formatter wants it. */
async function writeSchema(path: string, schemas: EventSchemas): Promise<void> {
  await Bun.write(path, JSON.stringify(schemas))
  const format = Bun.spawn([join(root, 'node_modules/.bin/biome'), 'format', '--write', path], { cwd: root })
  if ((await format.exited) !== 0) throw new Error(`${path} could not be formatted`)
}

if (import.meta.main) {
  const made = await realtimeSchemas()
  for (const name of Object.keys(schemaFiles) as UnionName[]) {
    await writeSchema(schemaFiles[name], made[name])
    console.log(
      `${name}: ${Object.keys(made[name].events).length} events in ${schemaFiles[name].slice(root.length + 1)}`,
    )
  }
}
