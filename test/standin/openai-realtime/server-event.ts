import { type EventSchemas, isRecord, type JsonSchema, type ShapeFault, shapeFault } from '../json-schema.ts'
import serverEvents from './server-events.schema.json'

/**
 * Whether an event of the server has the shape of the official types. The real server says a little more than its types:
 * what its documented examples show beyond them is listed here, and the stand-in sends it too, because a client must bear
 * it.
 */
const schemas: EventSchemas = serverEvents as EventSchemas

/** Members that the types do not name. */
const unnamed = ['session.id', 'session.object', 'session.expires_at', 'response.status_details.error.message']
/** Members that are null at times, where the types say only that they may be left out. */
const nulls = [
  'session.include',
  'session.audio.input.transcription',
  'session.audio.input.noise_reduction',
  'response.status_details',
  'response.status_details.error.code',
  'response.usage',
  'response.conversation_id',
]

/** @returns null for an event that has the official shape. */
export function serverEventFault(event: unknown): ShapeFault | null {
  const type = isRecord(event) && typeof event.type === 'string' ? event.type : ''
  const schema: JsonSchema | undefined = schemas.events[type]
  if (schema === undefined) return { kind: 'value', path: 'type', expected: Object.keys(schemas.events).join(', ') }
  return shapeFault(stripped(event, ''), schema, schemas.$defs)
}

function stripped(value: unknown, path: string): unknown {
  if (Array.isArray(value)) return value.map((item) => stripped(item, `${path}[]`))
  if (!isRecord(value)) return value
  const kept = Object.entries(value).flatMap(([name, member]): [string, unknown][] => {
    const at = path === '' ? name : `${path}.${name}`
    const left = unnamed.includes(at) || (member === null && nulls.includes(at))
    return left ? [] : [[name, stripped(member, at)]]
  })
  return Object.fromEntries(kept)
}
