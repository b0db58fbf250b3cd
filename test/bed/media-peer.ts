// The engine's end of an AudioSocket, as an instrument: it keeps what Asterisk sends, and sends silence, or nothing.

/** How its frames come: one each 20 ms, five each 100 ms, or none at all. */
export type Sending = 'on_time' | 'bursts' | 'nothing'

const AUDIO = 0x10
const HEADER_BYTES = 3
const FRAME_BYTES = 320

export class MediaPeer {
  readonly port: number
  readonly #listener: Bun.TCPSocketListener<undefined>
  readonly #heard: Buffer[] = []
  #unread: Buffer = Buffer.alloc(0)
  #timer: ReturnType<typeof setInterval> | undefined

  /** Listens on a free port of 127.0.0.1, for one connection. */
  constructor(sending: Sending) {
    const listener = Bun.listen({
      hostname: '127.0.0.1',
      port: 0,
      socket: {
        open: (socket) => {
          const frame = Buffer.alloc(HEADER_BYTES + FRAME_BYTES)
          frame[0] = AUDIO
          frame.writeUInt16BE(FRAME_BYTES, 1)
          if (sending === 'on_time') this.#timer = setInterval(() => socket.write(frame), 20)
          if (sending === 'bursts')
            this.#timer = setInterval(() => socket.write(Buffer.concat(Array(5).fill(frame))), 100)
        },
        data: (_, bytes) => this.#read(bytes),
        close: () => clearInterval(this.#timer),
      },
    })
    this.port = listener.port
    this.#listener = listener
  }

  /** Frames of 20 ms that have come. */
  get frames(): number {
    return this.#heard.length
  }

  /** What came from this frame on, at 8 kHz. */
  heardSince(frame: number): Int16Array {
    const bytes = Uint8Array.from(Buffer.concat(this.#heard.slice(frame)))
    return new Int16Array(bytes.buffer)
  }

  close(): void {
    clearInterval(this.#timer)
    this.#listener.stop(true)
  }

  #read(bytes: Uint8Array): void {
    this.#unread = Buffer.concat([this.#unread, bytes])
    while (this.#unread.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + this.#unread.readUInt16BE(1)
      if (this.#unread.length < end) return
      if (this.#unread[0] === AUDIO) this.#heard.push(this.#unread.subarray(HEADER_BYTES, end))
      this.#unread = this.#unread.subarray(end)
    }
  }
}
