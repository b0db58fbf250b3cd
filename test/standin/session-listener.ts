/** The port of a stand-in: HTTP that it answers itself, and sockets, each with a session behind it. */
export interface ListenedSession {
  readonly record: { pings: number }
  receive(data: string | Uint8Array): void
  closed(code: number): void
}

export interface SocketState {
  /** Null: the socket has none, or not yet. */
  session: ListenedSession | null
}

export interface SessionListenerOptions<State extends SocketState> {
  readonly hostname: string
  readonly port: number
  readonly messageBytesMax: number
  readonly answer: (request: Request, listener: Bun.Server<State>) => Response | Promise<Response> | undefined
  readonly opened: (socket: Bun.ServerWebSocket<State>) => void
}

/** A reply that is sent all at once may be minutes long. */
const unsentBytesMax = 256 * 1024 * 1024

export function listenForSessions<State extends SocketState>(
  options: SessionListenerOptions<State>,
): Bun.Server<State> {
  return Bun.serve<State>({
    hostname: options.hostname,
    port: options.port,
    idleTimeout: 0,
    fetch: (request, listener) => options.answer(request, listener),
    websocket: {
      idleTimeout: 0,
      sendPings: false,
      perMessageDeflate: false,
      maxPayloadLength: options.messageBytesMax,
      backpressureLimit: unsentBytesMax,
      open: (socket) => options.opened(socket),
      message: (socket, message) => socket.data.session?.receive(message),
      close: (socket, code) => socket.data.session?.closed(code),
      ping: (socket) => {
        if (socket.data.session !== null) socket.data.session.record.pings += 1
      },
    },
  })
}
