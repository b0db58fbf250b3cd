import type { Clock, Milliseconds } from '#base/clock.ts'

/**
 * One WebSocket to the server: text in, text out, its life watched by pings of the protocol's own (a JSON message that
 * says "ping" is an error there). It decides nothing: what is received is handed on, and its end is told once.
 */
export interface WireSocket {
  send(text: string): void
  /** Bytes that the kernel has not taken yet. */
  readonly waitingBytes: number
  close(): void
}

export interface SocketListener {
  opened(): void
  message(text: string): void
  /** Once, and not after `close`. `status` is that of a refused upgrade, where it was told. */
  lost(why: string, status: number | null): void
}

export type OpenSocket = (
  url: string,
  headers: Readonly<Record<string, string>>,
  listener: SocketListener,
) => WireSocket

const pingEveryMs: Milliseconds = 15_000
const pongMaxMs: Milliseconds = 10_000

/** Bun's own client. */
export function bunSocket(clock: Clock): OpenSocket {
  return (url, headers, listener) => {
    // Compression of base64 gains a quarter and costs more than all the rest.
    const socket = new WebSocket(url, { headers, perMessageDeflate: false } as unknown as string[])
    let over = false
    let pongMs = 0
    let pinging: Disposable | null = null
    const end = (): boolean => {
      if (over) return false
      over = true
      pinging?.[Symbol.dispose]()
      return true
    }
    const lost = (why: string) => {
      if (!end()) return
      // One that is still connecting cannot be closed politely.
      socket.terminate()
      listener.lost(why, statusIn(why))
    }
    socket.addEventListener('open', () => {
      if (over) return
      pongMs = clock.now()
      pinging = clock.every(pingEveryMs, () => {
        if (clock.now() - pongMs > pingEveryMs + pongMaxMs) lost('no answer to a ping')
        else socket.ping()
      })
      listener.opened()
    })
    socket.addEventListener('message', ({ data }) => {
      if (!over && typeof data === 'string') listener.message(data)
    })
    socket.addEventListener('pong', () => {
      pongMs = clock.now()
    })
    socket.addEventListener('error', (event) => lost('message' in event ? String(event.message) : 'connection failed'))
    socket.addEventListener('close', ({ code, reason }) => lost(reason || `closed with code ${code}`))
    return {
      send(text) {
        if (!over) socket.send(text)
      },
      get waitingBytes() {
        return socket.bufferedAmount
      },
      close() {
        if (!end()) return
        if (socket.readyState === WebSocket.OPEN) socket.close(1000)
        else socket.terminate()
      },
    }
  }
}

/** Bun tells a refused upgrade's status only in its words: "Expected 101 status code: 429". */
function statusIn(why: string): number | null {
  const status = /status code: (\d{3})/.exec(why)?.[1]
  return status === undefined ? null : Number(status)
}
