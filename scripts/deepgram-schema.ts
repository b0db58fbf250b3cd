import { join } from 'node:path'
import { API, type Project, type Symbol as TsSymbol, type Type } from 'typescript/unstable/async'
import type { EventSchemas, JsonSchema } from '../test/standin/json-schema.ts'
import { membersOf, sorted, TypeReader } from './schema/type-reader.ts'
import { writeSchema } from './schema/write-schema.ts'

/**
 * JSON Schema out of the types of Deepgram's official package: what a client may send and what a server says on each of its
 * sockets, one schema per message. Committed beside the stand-in server; a test makes it anew, so that a change of the
 * package's version is seen as a difference.
 *
 *     bun scripts/deepgram-schema.ts
 *
 * What belongs to a socket is read off the package's socket classes: each `send…` method takes what a client may say, the
 * union `Response` is what the server says. The package's lists of known values are open (`| string`), so that bounds and
 * lists are not in the schema: the stand-in checks those itself.
 */
const root = join(import.meta.dir, '..')
const typesRoot = join(root, 'node_modules/@deepgram/sdk/dist/esm/api/resources')

const sockets = {
  agent: { file: 'agent/resources/v1/client/Socket.d.mts', type: 'V1Socket' },
  'listen-v1': { file: 'listen/resources/v1/client/Socket.d.mts', type: 'V1Socket' },
  'listen-v2': { file: 'listen/resources/v2/client/Socket.d.mts', type: 'V2Socket' },
  'speak-v1': { file: 'speak/resources/v1/client/Socket.d.mts', type: 'V1Socket' },
} as const

export type SocketName = keyof typeof sockets
export const socketNames = Object.keys(sockets) as readonly SocketName[]

/** What both sides say on one socket. */
export interface SocketSchemas {
  readonly client: EventSchemas
  readonly server: EventSchemas
}

export function schemaFile(name: SocketName, side: keyof SocketSchemas): string {
  return join(root, `test/standin/deepgram/schema/${name}-${side}.schema.json`)
}

export async function deepgramSchemas(): Promise<Record<SocketName, SocketSchemas>> {
  const { version } = (await Bun.file(join(root, 'node_modules/@deepgram/sdk/package.json')).json()) as {
    version: string
  }
  const api = new API({ cwd: root })
  try {
    const files = Object.values(sockets).map(({ file }) => join(typesRoot, file))
    const snapshot = await api.updateSnapshot({ openFiles: files })
    const made: Partial<Record<SocketName, SocketSchemas>> = {}
    for (const name of socketNames) {
      const file = join(typesRoot, sockets[name].file)
      const project = await snapshot.getDefaultProjectForFile(file)
      if (project === undefined) throw new Error(`the compiler knows no project for ${file}`)
      made[name] = await socketSchemas(project, file, sockets[name].type, `@deepgram/sdk ${version}, ${name}`)
    }
    return made as Record<SocketName, SocketSchemas>
  } finally {
    await api.close()
  }
}

async function socketSchemas(project: Project, file: string, type: string, from: string): Promise<SocketSchemas> {
  const { checker, program } = project
  const source = await program.getSourceFile(file)
  const module = source === undefined ? undefined : await checker.getSymbolAtLocation(source)
  const exported = module === undefined ? [] : await checker.getExportsOfModule(module)
  const socket = exported.find((each) => each.name === type)
  if (socket === undefined) throw new Error(`${file} exports no ${type}`)
  const members = await checker.getPropertiesOfType(await checker.getDeclaredTypeOfSymbol(socket))
  const sent: Type[] = []
  for (const member of members) {
    // Protected ones, and the one that takes audio, are not messages.
    if (!/^send[A-Z]/.test(member.name) || /^send(Json|Binary|Media)$/.test(member.name)) continue
    sent.push(await parameterOf(project, member))
  }
  const response = [...(await socket.getExports()).values()].find((each) => each.name === 'Response')
  if (response === undefined) throw new Error(`${type} of ${file} has no Response`)
  const said = await membersOf(await checker.getDeclaredTypeOfSymbol(response))
  return {
    client: await eventSchemas(project, sent, `${from}, client`),
    server: await eventSchemas(project, said, `${from}, server`),
  }
}

async function parameterOf({ checker }: Project, method: TsSymbol): Promise<Type> {
  const type = await checker.getTypeOfSymbol(method)
  const [signature] = type === undefined ? [] : await checker.getSignaturesOfType(type, 0)
  const [parameter] = signature === undefined ? [] : await signature.getParameters()
  const parameterType = parameter === undefined ? undefined : await checker.getTypeOfSymbol(parameter)
  if (parameterType === undefined) throw new Error(`${method.name} takes nothing`)
  return parameterType
}

async function eventSchemas({ checker }: Project, types: readonly Type[], source: string): Promise<EventSchemas> {
  const reader = new TypeReader(checker)
  const events: Record<string, JsonSchema> = {}
  for (const type of types) {
    for (const member of await membersOf(type)) {
      // Audio is a string in the package's types, and binary on the wire.
      if (member.isIntrinsicType()) continue
      const schema = await reader.objectSchema(member)
      const name = schema.properties?.type?.const ?? (await messageName(member))
      const named = { ...schema, properties: { ...schema.properties, type: { const: name } } }
      const known = events[String(name)]
      events[String(name)] = known === undefined ? named : { anyOf: [...(known.anyOf ?? [known]), named] }
    }
  }
  return { source, events: sorted(events), $defs: sorted(reader.definitions) }
}

/** `SpeakV1Flush` → `Flush`: some messages have one type of several, and are told apart by their names. */
async function messageName(type: Type): Promise<string> {
  const symbol = await type.getSymbol()
  const name = /^[A-Za-z]+V\d([A-Z]\w*)$/.exec(symbol?.name ?? '')?.[1]
  if (name === undefined) throw new Error(`${symbol?.name} does not say which message it is`)
  return name
}

if (import.meta.main) {
  const made = await deepgramSchemas()
  for (const name of socketNames) {
    for (const side of ['client', 'server'] as const) {
      const path = schemaFile(name, side)
      await writeSchema(root, path, made[name][side])
      console.log(`${path.slice(root.length + 1)}: ${Object.keys(made[name][side].events).join(', ')}`)
    }
  }
}
