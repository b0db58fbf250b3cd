import type { Clock } from '#base/clock.ts'
import { type Read, readClientMessage, type SocketKind } from './client-message.ts'
import { type ServerMessage, type StandinOptions, standinDefaults } from './options.ts'
import type { EncodedChunk } from './reply-audio.ts'
import { SessionRecord } from './session-record.ts'

/** The socket, as far as a session needs it. */
export interface SessionWire {
  send(data: string | Uint8Array): void
  close(code: number, reason: string): void
  /** Without a close frame. */
  terminate(): void
}

/** What every socket of Deepgram's has: messages that are checked, audio, a limit to silence, a record of it all. */
export abstract class SocketSession {
  abstract readonly kind: SocketKind
  readonly id: string
  readonly clock: Clock
  readonly options: StandinOptions
  readonly record = new SessionRecord()
  /** Sends nothing more while this is true: a server that hangs. */
  mute = false
  readonly wire: SessionWire
  private idle: Disposable | null = null
  private lastInputMs = 0
  private over = false

  constructor(options: StandinOptions, wire: SessionWire) {
    this.options = options
    this.wire = wire
    this.clock = options.clock
    this.id = options.random.uuid()
    this.mute = options.silentFromStart ?? false
  }

  /** Says what the server says first. */
  abstract open(): void
  protected abstract audio(bytes: Uint8Array): void
  protected abstract message(message: ServerMessage): void
  protected abstract unreadable(why: string): void
  /** Neither audio nor KeepAlive for too long. */
  protected abstract timedOut(): void
  /** Timers end here. */
  protected abstract ended(): void

  receive(data: string | Uint8Array): void {
    if (this.over) return
    this.lastInputMs = this.clock.now()
    this.record.receivedBytes += data.length
    if (typeof data !== 'string') {
      this.audio(data)
      return
    }
    const read: Read = readClientMessage(this.kind, data)
    if (!read.ok) {
      this.record.count('refused')
      this.unreadable(read.why)
      return
    }
    this.record.count(read.message.type)
    if (this.keeps) this.record.received.push({ atMs: this.clock.now(), message: read.message })
    this.message(read.message)
  }

  send(message: ServerMessage): void {
    if (this.mute || this.over) return
    if (this.keeps) this.record.sent.push({ atMs: this.clock.now(), message })
    const text = JSON.stringify(message)
    this.record.sentBytes += text.length
    this.wire.send(text)
    this.options.onSent?.(this as never, message)
  }

  sendChunk(chunk: EncodedChunk, speech: number, late: boolean): void {
    if (this.mute || this.over) return
    const { record, options } = this
    record.chunksSent += 1
    record.chunkBytes += chunk.bytes.length
    record.sentBytes += chunk.bytes.length
    this.wire.send(chunk.bytes)
    if (!this.keeps && options.onChunk === undefined) return
    const { startMs, durationMs } = chunk
    const sent = { atMs: this.clock.now(), speech, startMs, durationMs, late }
    if (this.keeps) record.chunks.push(sent)
    options.onChunk?.(this as never, sent)
  }

  /** Whatever it is: no JSON, a message from the future. */
  sendRaw(data: string | Uint8Array): void {
    this.wire.send(data)
  }

  /** The connection is gone, as when a network fails. */
  cut(): void {
    this.wire.terminate()
  }

  /** Ends with a close frame and nothing before it. */
  hangUp(code = 1011, reason = ''): void {
    this.wire.close(code, reason)
  }

  /** The socket is closed, whoever closed it. */
  closed(code: number): void {
    this.record.closed ??= { atMs: this.clock.now(), code }
    this.over = true
    this.idle?.[Symbol.dispose]()
    this.idle = null
    this.ended()
  }

  protected get keeps(): boolean {
    return this.options.keepMessages ?? true
  }

  protected unknownMessage(): void {
    if (this.options.unknownMessages === true) this.send({ type: 'WeatherReport', weather: 'fair' })
  }

  protected refused(code: string, description: string): void {
    this.record.errors.push({ atMs: this.clock.now(), code, description })
  }

  /** One timer looks whether the client has been silent for too long; it is armed anew only when it has run. */
  protected watchIdle(): void {
    const maxMs = this.options.idleMaxMs ?? standinDefaults.idleMaxMs
    this.lastInputMs = this.clock.now()
    const look = () => {
      const leftMs = this.lastInputMs + maxMs - this.clock.now()
      if (leftMs <= 0) this.timedOut()
      else this.idle = this.clock.after(leftMs, look)
    }
    this.idle = this.clock.after(maxMs, look)
  }
}
