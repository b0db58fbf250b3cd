import { createHash } from 'node:crypto'
import type { Socket, TCPSocketListener } from 'bun'
import { type Random, seededRandom } from '#base/random.ts'

/**
 * WebSocket (RFC 6455) over a bare TCP socket, for either side of it, as far as chan_websocket uses it. It is made by hand
 * because a far side must be able to write a message in pieces that respect nothing, and to stop reading.
 */
export interface WireEvents {
  open?(): void
  text(text: string): void
  binary(bytes: Uint8Array): void
  /** With the close code that came, or 1006. */
  closed(code: number): void
  /** The upgrade was refused with this status. */
  refused?(status: number): void
}

type TcpSocket = Socket<unknown>

export class WebSocketWire {
  /** What the other side asked for: `GET /path?query`, and its headers. */
  request = ''
  /** The answer to our own upgrade. */
  answer = ''
  closeCode = 1006
  private readonly events: WireEvents
  private readonly masks: boolean
  private readonly random: Random
  private socket: TcpSocket | null = null
  private upgraded = false
  private inbound: Buffer = Buffer.alloc(0)
  private readonly outbound: Uint8Array[] = []
  private writing = false
  private drained = Promise.withResolvers<void>()
  private over = false

  constructor(role: 'client' | 'server', events: WireEvents, random: Random = seededRandom(1)) {
    this.masks = role === 'client'
    this.events = events
    this.random = random
  }

  async connect(port: number, path: string, headers: Readonly<Record<string, string>> = {}): Promise<void> {
    await Bun.connect({ hostname: '127.0.0.1', port, socket: this.handlers() })
    const lines = {
      Host: `127.0.0.1:${port}`,
      Upgrade: 'websocket',
      Connection: 'Upgrade',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Protocol': 'media',
      ...headers,
    }
    const text = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`)
    this.write(Buffer.from(`GET ${path} HTTP/1.1\r\n${text.join('')}\r\n`))
  }

  handlers() {
    const ended = () => this.ended()
    return {
      open: (socket: TcpSocket) => {
        this.socket = socket
        socket.setNoDelay(true)
      },
      data: (_socket: TcpSocket, chunk: Uint8Array) => this.received(chunk),
      drain: () => {
        this.drained.resolve()
        this.drained = Promise.withResolvers<void>()
      },
      close: ended,
      error: ended,
    }
  }

  sendText(text: string): void {
    this.write(this.frame(0x1, Buffer.from(text)))
  }

  sendBinary(bytes: Uint8Array): void {
    this.write(this.frame(0x2, bytes))
  }

  /** The goodbye of a WebSocket, and then of its TCP connection. */
  close(code: number): void {
    this.write(this.frame(0x8, Buffer.from([code >> 8, code & 0xff])))
    void this.flushed().then(() => this.socket?.end())
  }

  stopReading(): void {
    this.socket?.pause()
  }

  readOn(): void {
    this.socket?.resume()
  }

  terminate(): void {
    this.socket?.terminate()
  }

  async flushed(): Promise<void> {
    while (this.writing && !this.over) await new Promise<void>((resolve) => setImmediate(resolve))
  }

  private frame(opcode: number, payload: Uint8Array): Uint8Array {
    const length = payload.length
    const head =
      length < 126 ? [length] : length < 65_536 ? [126, length >> 8, length & 0xff] : [127, 0, 0, 0, 0, ...u32(length)]
    head[0] = (head[0] as number) | (this.masks ? 0x80 : 0)
    const mask = this.masks ? [1, 2, 3, 4].map(() => Math.floor(this.random.next() * 256)) : []
    const body = this.masks ? payload.map((byte, index) => byte ^ (mask[index % 4] as number)) : payload
    return Buffer.concat([Buffer.from([0x80 | opcode, ...head, ...mask]), body])
  }

  private received(chunk: Uint8Array): void {
    this.inbound = Buffer.concat([this.inbound, chunk])
    if (!this.upgraded && !this.upgrade()) return
    for (;;) {
      const frame = this.nextFrame()
      if (frame === null) return
      if (frame.opcode === 0x1) this.events.text(frame.payload.toString())
      else if (frame.opcode === 0x2) this.events.binary(frame.payload)
      else if (frame.opcode === 0x8) {
        this.closeCode = frame.payload.length >= 2 ? frame.payload.readUInt16BE(0) : 1005
        // Asterisk answers the goodbye with its own.
        this.close(this.closeCode === 1005 ? 1000 : this.closeCode)
        return
      }
    }
  }

  private upgrade(): boolean {
    const end = this.inbound.indexOf('\r\n\r\n')
    if (end < 0) return false
    const head = this.inbound.subarray(0, end).toString()
    this.inbound = this.inbound.subarray(end + 4)
    if (this.masks) {
      this.answer = head
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1])
      if (status !== 101) {
        this.events.refused?.(status)
        this.socket?.end()
        return false
      }
    } else {
      this.request = head
      const status = this.statusFor(head)
      if (status !== 101) {
        this.write(Buffer.from(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`))
        void this.flushed().then(() => this.socket?.end())
        return false
      }
      const key = /sec-websocket-key: (.*)/i.exec(head)?.[1]?.trim() ?? ''
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
      this.write(
        Buffer.from(
          `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: media\r\n\r\n`,
        ),
      )
    }
    this.upgraded = true
    this.events.open?.()
    return true
  }

  /** What an upgrade that came is answered with. */
  statusFor: (request: string) => number = () => 101

  private nextFrame(): { opcode: number; payload: Buffer } | null {
    const bytes = this.inbound
    if (bytes.length < 2) return null
    const masked = ((bytes[1] as number) & 0x80) !== 0
    let length = (bytes[1] as number) & 0x7f
    let offset = 2
    if (length === 126) {
      if (bytes.length < 4) return null
      length = bytes.readUInt16BE(2)
      offset = 4
    } else if (length === 127) {
      if (bytes.length < 10) return null
      length = Number(bytes.readBigUInt64BE(2))
      offset = 10
    }
    const start = offset + (masked ? 4 : 0)
    if (bytes.length < start + length) return null
    const mask = bytes.subarray(offset, start)
    const payload = Buffer.from(bytes.subarray(start, start + length))
    if (masked)
      for (let index = 0; index < length; index += 1)
        payload[index] = (payload[index] as number) ^ (mask[index % 4] as number)
    this.inbound = bytes.subarray(start + length)
    return { opcode: (bytes[0] as number) & 0x0f, payload }
  }

  private write(bytes: Uint8Array): void {
    this.outbound.push(bytes)
    if (!this.writing) void this.writeAll()
  }

  /** In pieces that respect no message; sometimes a piece leaves by itself. */
  private async writeAll(): Promise<void> {
    this.writing = true
    for (let bytes = this.outbound.shift(); bytes !== undefined; bytes = this.outbound.shift()) {
      for (let offset = 0; offset < bytes.length && !this.over; ) {
        const size = Math.min(bytes.length - offset, 1 + Math.floor(this.random.next() ** 3 * 1500))
        const taken = this.socket?.write(bytes, offset, size) ?? -1
        if (taken < 0) break
        offset += taken
        if (taken < size) await this.drained.promise
        else if (this.random.next() < 0.2) await new Promise<void>((resolve) => setImmediate(resolve))
      }
    }
    this.writing = false
  }

  private ended(): void {
    if (this.over) return
    this.over = true
    this.drained.resolve()
    this.events.closed(this.closeCode)
  }
}

/** A server that gives each connection a wire of its own. */
export function listenOnWire(make: () => WebSocketWire): TCPSocketListener<unknown> {
  // keyed by: TCP socket
  const wires = new WeakMap<object, ReturnType<WebSocketWire['handlers']>>()
  const of = (socket: TcpSocket) => wires.get(socket)
  return Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      open: (socket) => {
        const handlers = make().handlers()
        wires.set(socket, handlers)
        handlers.open(socket)
      },
      data: (socket, chunk) => of(socket)?.data(socket, chunk),
      drain: (socket) => of(socket)?.drain(),
      close: (socket) => of(socket)?.close(),
      error: (socket) => of(socket)?.error(),
    },
  })
}

function u32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]
}
