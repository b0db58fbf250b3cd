import { type EventSchemas, isRecord, type ShapeFault, shapeFault } from '../json-schema.ts'
import type { ServerMessage } from './options.ts'
import agentClient from './schema/agent-client.schema.json'
import agentServer from './schema/agent-server.schema.json'
import listenV1Client from './schema/listen-v1-client.schema.json'
import listenV1Server from './schema/listen-v1-server.schema.json'
import listenV2Client from './schema/listen-v2-client.schema.json'
import listenV2Server from './schema/listen-v2-server.schema.json'
import speakV1Client from './schema/speak-v1-client.schema.json'
import speakV1Server from './schema/speak-v1-server.schema.json'

/** Messages of both sides, held against the shapes of the official types. */
const client = {
  agent: agentClient as EventSchemas,
  listen: listenV1Client as EventSchemas,
  flux: listenV2Client as EventSchemas,
  speak: speakV1Client as EventSchemas,
}
const server = {
  agent: agentServer as EventSchemas,
  listen: listenV1Server as EventSchemas,
  flux: listenV2Server as EventSchemas,
  speak: speakV1Server as EventSchemas,
}
export type SocketKind = keyof typeof client

/** What a client said, or in words what is wrong with it. */
export type Read =
  | { readonly ok: true; readonly message: ServerMessage }
  | { readonly ok: false; readonly type: string; readonly why: string }

export function readClientMessage(kind: SocketKind, text: string): Read {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { ok: false, type: '', why: 'the message is no JSON' }
  }
  const type = isRecord(value) && typeof value.type === 'string' ? value.type : ''
  const fault = faultOf(value, type, client[kind])
  if (fault !== null) return { ok: false, type, why: complaint(fault) }
  return { ok: true, message: value as ServerMessage }
}

/** @returns null for a message of the server's that has the official shape. */
export function serverMessageFault(kind: SocketKind, message: unknown): ShapeFault | null {
  const type = isRecord(message) && typeof message.type === 'string' ? message.type : ''
  return faultOf(message, type, server[kind])
}

function faultOf(value: unknown, type: string, schemas: EventSchemas): ShapeFault | null {
  const schema = Object.hasOwn(schemas.events, type) ? schemas.events[type] : undefined
  if (schema === undefined) return { kind: 'value', path: 'type', expected: Object.keys(schemas.events).join(', ') }
  return shapeFault(value, schema, schemas.$defs)
}

function complaint({ kind, path, expected }: ShapeFault): string {
  switch (kind) {
    case 'missing':
      return `missing field \`${path}\``
    case 'unknown':
      return `unknown field \`${path}\`, expected one of ${expected}`
    case 'value':
      return `unknown variant at \`${path}\`, expected one of ${expected}`
    case 'type':
      return `invalid type at \`${path}\`, expected ${expected}`
  }
}
