import { join } from 'node:path'
import { API, type Project } from 'typescript/unstable/async'
import type { EventSchemas, JsonSchema } from '../test/standin/json-schema.ts'
import { membersOf, sorted, TypeReader } from './schema/type-reader.ts'
import { writeSchema } from './schema/write-schema.ts'

/**
 * JSON Schema out of the official types of the Realtime API: what a client may send and what a server says, one schema
 * per event. It is strict where the types are silent about strictness: a property that no type names is refused, because
 * the real server refuses it (`unknown_parameter`). Committed beside the stand-in server; a test makes it anew, so that a
 * change of the package's version is seen as a difference.
 *
 *     bun scripts/realtime-schema.ts
 *
 * The compiler's interface is the asynchronous one: the synchronous one needs Node's handles of a pipe.
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

if (import.meta.main) {
  const made = await realtimeSchemas()
  for (const name of Object.keys(schemaFiles) as UnionName[]) {
    await writeSchema(root, schemaFiles[name], made[name])
    console.log(
      `${name}: ${Object.keys(made[name].events).length} events in ${schemaFiles[name].slice(root.length + 1)}`,
    )
  }
}
