import type { Clock, Milliseconds } from '#base/clock.ts'
import { identifier } from '#base/identifier.ts'
import { refusedWith } from '#base/refused-upgrade.ts'

/**
 * One WebSocket to a vendor's server: messages and audio in and out, its life watched by pings of the protocol's own (a
 * message that says "ping" is an error to most). It decides nothing: what is received is handed on, and its end is told
 * once.
 */
export interface WireSocket {
  send(data: string | Uint8Array<ArrayBuffer>): void
  /** Bytes that the kernel has not taken yet. */
  readonly waitingBytes: number
  close(): void
}

export interface SocketListener {
  opened(): void
  message(text: string): void
  /** A binary message; the bytes are the receiver's. */
  audio?(bytes: Uint8Array<ArrayBuffer>): void
  /** Once, and not after `close`. `status` is that of a refused upgrade, where it was told. */
  lost(why: string, status: number | null): void
}

export type OpenSocket = (
  url: string,
  headers: Readonly<Record<string, string>>,
  listener: SocketListener,
) => WireSocket

const pingEveryMs: Milliseconds = 5000
const pongMaxMs: Milliseconds = 5000
/** A peer that has not answered our close by then will not. */
const closeMaxMs: Milliseconds = 1000

/** Bun's own client. */
export function bunSocket(clock: Clock): OpenSocket {
  return (url, headers, listener) => {
    // Compression of base64 gains a quarter and costs more than all the rest.
    const socket = new WebSocket(url, { headers, perMessageDeflate: false } as unknown as string[])
    socket.binaryType = 'arraybuffer'
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
      listener.lost(why, refusedWith(why))
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
      if (over) return
      if (typeof data === 'string') listener.message(data)
      else listener.audio?.(new Uint8Array(data as ArrayBuffer))
    })
    socket.addEventListener('pong', () => {
      pongMs = clock.now()
    })
    socket.addEventListener('error', (event) => lost('message' in event ? String(event.message) : 'connection failed'))
    socket.addEventListener('close', ({ code, reason }) =>
      lost(`closed with code ${code} ${identifier(reason)}`.trim()),
    )
    return {
      send(data) {
        if (!over) socket.send(data)
      },
      get waitingBytes() {
        return socket.bufferedAmount
      },
      close() {
        if (!end()) return
        if (socket.readyState !== WebSocket.OPEN) return socket.terminate()
        const impatient = clock.after(closeMaxMs, () => socket.terminate())
        socket.addEventListener('close', () => impatient[Symbol.dispose]())
        socket.close(1000)
      },
    }
  }
}
