import { createHash, timingSafeEqual } from 'node:crypto'
import type { ServerWebSocket } from 'bun'
import { messageOf } from '#base/result.ts'
import type { AllowList } from './allow-list.ts'
import { basicAuthorization, bracketed } from './ari-client.ts'
import type { MediaSocket, MediaWebSocketLeg } from './media-websocket-leg.ts'

/**
 * Bun's two WebSockets, the one that connects and the one that is connected to, made alike for the door.
 *
 * Neither side pings on its own: before 20.18, 22.8 and 23.2 a ping made Asterisk hang up, and a pong that it did not ask
 * for ended the whole Asterisk (asterisk#1722, asterisk#2085). Whether the far side lives is asked by GET_STATUS instead.
 * Nothing is compressed: audio gains nothing by it, and it would cost more than all the rest.
 */
export interface MediaConnection {
  socket: MediaSocket
  readonly peer: string
  /** Made once it is known whose it is. */
  leg: MediaWebSocketLeg | null
  /** The leg has been handed to its call. */
  handedOver: boolean
  /** Until the far side has begun; once the connection is turned away, until it has closed. */
  timer: Disposable | null
  /** Turned away: what still arrives is not looked at. */
  done: boolean
  /** For how long it may be silent; 0: for ever. */
  silentMaxMs: number
}

export interface MediaConnectionHandler {
  opened(connection: MediaConnection): void
  text(connection: MediaConnection, text: string): void
  /** A view that is only valid during the call. */
  audio(connection: MediaConnection, bytes: Uint8Array): void
  /** `clean`: with a goodbye. Also for a connection that never opened. */
  closed(connection: MediaConnection, clean: boolean, why: string): void
  /** A handler above threw: a bug of ours, which must end this connection alone. */
  broke(connection: MediaConnection, why: string): void
}

export interface MediaConnectOptions {
  readonly direction: 'connect'
  /** Asterisk's HTTP server, as in http.conf. */
  readonly host: string
  readonly port: number
}

export interface MediaListenOptions {
  readonly direction: 'listen'
  readonly host: string
  readonly port: number
  /** The section of websocket_client.conf whose `uri` leads here. */
  readonly section: string
  readonly allowList: AllowList
  /** What that section gives as `username` and `password`; null: the allow list alone decides. */
  readonly credentials: { readonly username: string; readonly password: string } | null
}

/** The path that the `uri` of the section must have. */
export const mediaPath = '/media'
/** MEDIA_START brings all variables of its channel; audio messages are far smaller. */
const messageBytesMax = 128 * 1024
/** No close code came: the connection broke. */
const brokenCode = 1006

export function connectMedia(to: MediaConnectOptions, id: string, handler: MediaConnectionHandler): MediaConnection {
  const peer = `${bracketed(to.host)}:${to.port}`
  const client = new WebSocket(`ws://${peer}${mediaPath}/${encodeURIComponent(id)}`, {
    protocols: ['media'],
    perMessageDeflate: false,
  })
  client.binaryType = 'nodebuffer'
  const socket = new ClientSocket(client)
  const connection: MediaConnection = { ...newConnection(peer), socket }
  let why = 'connection failed'
  client.addEventListener('open', () => guarded(handler, connection, () => handler.opened(connection)))
  client.addEventListener('message', ({ data }) => deliver(handler, connection, data))
  client.addEventListener('error', (event) => {
    if ('message' in event) why = String(event.message)
  })
  client.addEventListener('close', (event) => {
    const clean = event.code !== brokenCode
    guarded(handler, connection, () =>
      handler.closed(connection, clean, clean ? `closed with code ${event.code}` : why),
    )
  })
  return connection
}

export interface MediaListener {
  readonly port: number
  /** Takes no new connection. */
  stop(): void
}

/** Asked before the upgrade: the status of a refusal, or null. */
export type MediaGate = (peer: string) => 404 | 503 | null
export type MediaDenial = 'not_allowed' | 'unauthorized' | 'not_websocket' | 'wrong_path'

/** Throws when the port cannot be bound; the message names host and port. */
export function listenForMedia(
  at: MediaListenOptions,
  handler: MediaConnectionHandler & { denied(denial: MediaDenial, peer: string): void; gate: MediaGate },
): MediaListener {
  const expected = at.credentials && basicAuthorization(at.credentials.username, at.credentials.password)
  const denied = (denial: MediaDenial, peer: string, status: number, headers?: [string, string]): Response => {
    handler.denied(denial, peer)
    return new Response(null, { status, headers: headers === undefined ? [] : [headers] })
  }
  try {
    const server = Bun.serve<MediaConnection>({
      development: false,
      reusePort: false,
      hostname: at.host,
      port: at.port,
      maxRequestBodySize: 1024,
      fetch: (request, server) => {
        const peer = server.requestIP(request)?.address ?? ''
        if (!at.allowList.allows(peer)) return denied('not_allowed', peer, 403)
        if (expected !== null && !sameText(request.headers.get('authorization') ?? '', expected)) {
          return denied('unauthorized', peer, 401, ['www-authenticate', 'Basic realm="patchcord media"'])
        }
        if (new URL(request.url).pathname !== mediaPath) return denied('wrong_path', peer, 404)
        const status = handler.gate(peer)
        if (status !== null) return new Response(null, { status })
        const offered = request.headers.get('sec-websocket-protocol')?.split(',') ?? []
        const headers = offered.some((each) => each.trim() === 'media') ? { 'sec-websocket-protocol': 'media' } : {}
        if (server.upgrade(request, { data: newConnection(peer), headers })) return
        return denied('not_websocket', peer, 426, ['upgrade', 'websocket'])
      },
      websocket: {
        perMessageDeflate: false,
        sendPings: false,
        idleTimeout: 0,
        maxPayloadLength: messageBytesMax,
        open: (socket) => {
          socket.data.socket = new ServerSocket(socket)
          guarded(handler, socket.data, () => handler.opened(socket.data))
        },
        message: (socket, data) => deliver(handler, socket.data, data),
        close: (socket, code) => {
          const clean = code !== brokenCode
          guarded(handler, socket.data, () => handler.closed(socket.data, clean, `closed with code ${code}`))
        },
      },
    })
    return { port: server.port ?? at.port, stop: () => void server.stop(false) }
  } catch (thrown) {
    const why = messageOf(thrown)
    throw new Error(
      `media WebSockets cannot be listened for on ${at.host}:${at.port} (${why}): is another engine running?`,
    )
  }
}

function newConnection(peer: string): MediaConnection {
  return { socket: noSocket, peer, leg: null, handedOver: false, timer: null, done: false, silentMaxMs: 0 }
}

/** Per audio frame: no closure is made here. */
function deliver(handler: MediaConnectionHandler, connection: MediaConnection, data: unknown): void {
  try {
    if (typeof data === 'string') handler.text(connection, data)
    else handler.audio(connection, data as Uint8Array)
  } catch (thrown) {
    handler.broke(connection, messageOf(thrown))
  }
}

function guarded(handler: MediaConnectionHandler, connection: MediaConnection, action: () => void): void {
  try {
    action()
  } catch (thrown) {
    handler.broke(connection, messageOf(thrown))
  }
}

/** Takes as long for a wrong secret as for the right one. */
function sameText(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(one), digest(other))
}

const noSocket: MediaSocket = {
  sendBinary: () => {},
  sendText: () => {},
  waitingBytes: () => 0,
  close: () => {},
  terminate: () => {},
}

/** Bun's client throws when it is used before it is open. */
class ClientSocket implements MediaSocket {
  private readonly socket: WebSocket

  constructor(socket: WebSocket) {
    this.socket = socket
  }

  sendBinary(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(bytes)
  }

  sendText(text: string): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(text)
  }

  waitingBytes(): number {
    return this.socket.bufferedAmount
  }

  close(): void {
    if (this.socket.readyState === WebSocket.CONNECTING) this.socket.terminate()
    else this.socket.close(1000)
  }

  terminate(): void {
    this.socket.terminate()
  }
}

class ServerSocket implements MediaSocket {
  private readonly socket: ServerWebSocket<MediaConnection>

  constructor(socket: ServerWebSocket<MediaConnection>) {
    this.socket = socket
  }

  sendBinary(bytes: Uint8Array<ArrayBuffer>): void {
    this.socket.sendBinary(bytes)
  }

  sendText(text: string): void {
    this.socket.sendText(text)
  }

  waitingBytes(): number {
    return this.socket.getBufferedAmount()
  }

  close(): void {
    this.socket.close(1000)
  }

  terminate(): void {
    this.socket.terminate()
  }
}
