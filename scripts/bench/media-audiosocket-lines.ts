import type { Socket } from 'bun'
import { audioMessageBytes, kind, uuidMessage, writeAudioMessage } from '#asterisk/audiosocket.ts'
import { Arrivals } from './media-arrivals.ts'
import type { Line, Lines } from './media-load.ts'
import { callerCycle } from './media-speech.ts'

/** Asterisk's side of AudioSocket for many callers: all of them say the same cycle, made into messages beforehand. */
export const sampleRateHz = 8000
const frameSamples = 160
const messageBytes = audioMessageBytes(frameSamples)
const sampleBytes = 2

export async function audioSocketLines(port: number): Promise<Lines> {
  const messages = cycleMessages(await callerCycle(sampleRateHz))
  return { open: (framesMax) => connected(port, new AudioSocketLine(messages, framesMax)) }
}

export async function connected(port: number, line: AudioSocketLine): Promise<Line> {
  await Bun.connect<AudioSocketLine>({ hostname: '127.0.0.1', port, data: line, socket: handlers })
  return line
}

const handlers = {
  open: (socket: Socket<AudioSocketLine>) => socket.data.opened(socket),
  data: (socket: Socket<AudioSocketLine>, chunk: Uint8Array) => socket.data.received(chunk),
  drain: (socket: Socket<AudioSocketLine>) => socket.data.drained(),
  close: (socket: Socket<AudioSocketLine>) => socket.data.closed(),
  error: (socket: Socket<AudioSocketLine>) => socket.data.closed(),
}

export class AudioSocketLine implements Line {
  readonly uuid: string
  readonly arrivals: Arrivals
  frames = 0
  lost = false
  protected readonly messages: readonly Uint8Array[]
  /** Which of the messages comes next. */
  protected next = 0
  private socket: Socket<AudioSocketLine> | null = null
  /** What the kernel did not take of the latest message; frames that fall due meanwhile are not sent. */
  private tail: Uint8Array | null = null
  private inMessage = 0
  private audible = false

  constructor(messages: readonly Uint8Array[], framesMax: number, uuid: string = crypto.randomUUID()) {
    this.uuid = uuid
    this.messages = messages
    this.arrivals = new Arrivals(framesMax)
  }

  opened(socket: Socket<AudioSocketLine>): void {
    this.socket = socket
    socket.setNoDelay(true)
    socket.write(uuidMessage(this.uuid))
  }

  /** Messages from the engine are all alike, so that their header is looked at and no more. */
  received(chunk: Uint8Array): void {
    const nowMs = performance.now()
    let offset = 0
    while (offset < chunk.length) {
      if (this.inMessage === 0 && chunk[offset] !== kind.slin8) return this.closed()
      const take = Math.min(messageBytes - this.inMessage, chunk.length - offset)
      if (this.inMessage === 0) this.audible = false
      // Line silence is zero. The last sample: where a filter's delay is in it, a reply's first ones are near zero.
      for (let place = messageBytes - sampleBytes; place < messageBytes; place += 1) {
        const at = place - this.inMessage
        if (at >= 0 && at < take && chunk[offset + at] !== 0) this.audible = true
      }
      offset += take
      this.inMessage += take
      if (this.inMessage < messageBytes) return
      this.inMessage = 0
      this.frames += 1
      this.arrivals.frame(nowMs, this.audible)
    }
  }

  sendFrame(): void {
    const message = this.messageNow()
    this.next = (this.next + 1) % this.messages.length
    if (this.socket === null || this.lost || this.tail !== null) return
    this.sending()
    const taken = this.socket.write(message)
    if (taken >= 0 && taken < message.length) this.tail = message.subarray(taken)
  }

  protected messageNow(): Uint8Array {
    return this.messages[this.next] as Uint8Array
  }

  /** A frame is about to leave. */
  protected sending(): void {}

  drained(): void {
    if (this.tail === null) return
    const taken = this.socket?.write(this.tail) ?? 0
    if (taken > 0) this.tail = taken === this.tail.length ? null : this.tail.subarray(taken)
  }

  /** Asterisk just closes. */
  hangUp(): void {
    this.socket?.end()
    this.socket = null
  }

  closed(): void {
    if (this.socket !== null) this.lost = true
  }
}

export function cycleMessages(samples: Int16Array): Uint8Array[] {
  return Array.from({ length: samples.length / frameSamples }, (_, index) => {
    const message = new Uint8Array(messageBytes)
    writeAudioMessage(message, 0, sampleRateHz, samples.subarray(index * frameSamples, (index + 1) * frameSamples))
    return message
  })
}
