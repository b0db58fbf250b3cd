import type { RealtimeClientEvent } from 'openai/resources/realtime/realtime'
import { type EventSchemas, isRecord, type ShapeFault, shapeFault } from '../json-schema.ts'
import { type ApiError, invalidRequest } from './api-error.ts'
import { fromBeta } from './beta.ts'
import clientEvents from './client-events.schema.json'

/** What a client sent: an event in the shape of the official types, or the real server's complaint about it. */
export type Read =
  | { readonly ok: true; readonly event: RealtimeClientEvent }
  | { readonly ok: false; readonly error: ApiError; readonly eventId: string | null }

const schemas: EventSchemas = clientEvents as EventSchemas

export function readClientEvent(text: string | Uint8Array, names: 'ga' | 'beta'): Read {
  if (typeof text !== 'string')
    return refused(invalidRequest('invalid_frame', 'Binary frames are not supported.'), null)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return refused(invalidRequest('invalid_json', 'The message could not be parsed as JSON.'), null)
  }
  if (!isRecord(value)) return refused(invalidRequest('invalid_json', 'Expected a JSON object.'), null)
  const event = names === 'beta' ? fromBeta(value) : value
  const eventId = typeof value.event_id === 'string' ? value.event_id : null
  const schema = typeof event.type === 'string' ? schemas.events[event.type] : undefined
  if (event.type === undefined)
    return refused(complaint({ kind: 'missing', path: 'type', expected: 'type' }, event), eventId)
  if (schema === undefined) {
    const expected = Object.keys(schemas.events).join(', ')
    return refused(complaint({ kind: 'value', path: 'type', expected }, event), eventId)
  }
  const fault = shapeFault(event, schema, schemas.$defs)
  if (fault !== null) return refused(complaint(fault, event), eventId)
  // The schema was made of this very type.
  return { ok: true, event: event as unknown as RealtimeClientEvent }
}

function refused(error: ApiError, eventId: string | null): Read {
  return { ok: false, error, eventId }
}

function complaint({ kind, path, expected }: ShapeFault, event: unknown): ApiError {
  switch (kind) {
    case 'missing':
      return invalidRequest('missing_required_parameter', `Missing required parameter: '${path}'.`, path)
    case 'unknown':
      return invalidRequest('unknown_parameter', `Unknown parameter: '${path}'.`, path)
    case 'value': {
      const message = `Invalid value: '${valueAt(event, path)}'. Supported values are: ${expected}.`
      return invalidRequest('invalid_value', message, path)
    }
    case 'type': {
      const value = valueAt(event, path)
      const got = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`
      return invalidRequest(
        'invalid_type',
        `Invalid type for '${path}': expected ${expected}, but got ${got} instead.`,
        path,
      )
    }
  }
}

function valueAt(event: unknown, path: string): unknown {
  let value = event
  for (const step of path.split(/[.[\]]+/)) {
    if (step === '') continue
    value = Array.isArray(value) ? value[Number(step)] : isRecord(value) ? value[step] : undefined
  }
  return value
}
