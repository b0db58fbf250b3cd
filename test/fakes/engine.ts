import type { Socket } from 'bun'
import { AudioSocketParser, terminateMessage, writeAudioMessage } from '#asterisk/audiosocket.ts'

/** The engine's side of one AudioSocket connection: answers each frame it hears with one, as the test says. */
export class FakeEngine {
  readonly uuids: string[] = []
  readonly digits: string[] = []
  /** What the caller said, frame by frame. */
  readonly frames: Int16Array[] = []
  closed = false
  /** The answer to frame number so and so; null: nothing. */
  answer: (frame: number, samples: Int16Array) => Int16Array | null = () => new Int16Array(160)
  private readonly listener: Bun.TCPSocketListener<undefined>
  private socket: Socket<undefined> | null = null

  constructor() {
    const parser = new AudioSocketParser({
      uuid: (uuid) => this.uuids.push(uuid),
      audio: (_rate, pcm) => this.heard(new Int16Array(Uint8Array.from(pcm).buffer)),
      dtmf: (digit) => this.digits.push(digit),
      terminated: () => {},
      unknown: () => {},
      violation: (violation) => {
        throw new Error(`the caller broke the protocol: ${violation}`)
      },
    })
    this.listener = Bun.listen<undefined>({
      hostname: '127.0.0.1',
      port: 0,
      socket: {
        open: (socket) => {
          this.socket = socket
        },
        data: (_socket, chunk) => parser.push(chunk),
        close: () => {
          this.closed = true
        },
      },
    })
  }

  get port(): number {
    return this.listener.port
  }

  /** Ends the call as the engine does. */
  terminate(): void {
    this.socket?.write(terminateMessage)
    this.socket?.end()
  }

  /** The connection breaks. */
  drop(): void {
    this.socket?.terminate()
  }

  stop(): void {
    this.socket?.terminate()
    this.listener.stop(true)
  }

  private heard(samples: Int16Array): void {
    this.frames.push(samples)
    const answer = this.answer(this.frames.length - 1, samples)
    if (answer === null) return
    const message = new Uint8Array(3 + answer.length * 2)
    writeAudioMessage(message, 0, 8000, answer)
    this.socket?.write(message)
  }
}
