import { type WireFormat, wireRatesHz } from '#audio/format.ts'

/**
 * What chan_websocket does with what it is sent, after Asterisk's channels/chan_websocket.c: the queue and its levels, the
 * frames it cuts, the events it sends. It plays when a test calls `tick`, one frame per call, as Asterisk does per 20 ms.
 */
const queueMax = 1000
const xoffLevel = 900
const xonLevel = 800
const textBytesMax = 128

export interface FakeMediaOptions {
  readonly format: WireFormat
  readonly form: 'json' | 'plain_text'
  readonly channelId: string
  readonly connectionId: string
  /** Default: 20 ms of the format. */
  readonly optimalFrameBytes?: number
  /** What MEDIA_START says; default the format. */
  readonly startFormat?: string
}

export class FakeMediaChannel {
  /** Audio in the order of its playing; what was flushed or dropped is not in it. */
  readonly played: Uint8Array[] = []
  /** All audio messages as they arrived. */
  readonly arrived: Uint8Array[] = []
  readonly commands: string[] = []
  /** Texts that were longer than Asterisk takes. */
  ignoredTexts = 0
  droppedMessages = 0
  queueLength = 0
  paused = false
  readonly optimalFrameBytes: number
  private readonly options: FakeMediaOptions
  private readonly say: (text: string) => void
  private readonly hangUp: () => void
  private readonly queue: (Uint8Array | string)[] = []
  private queueFull = false
  private buffering = false
  private leftover = new Uint8Array(0)
  private reportDrained = false

  constructor(options: FakeMediaOptions, say: (text: string) => void, hangUp: () => void) {
    this.options = options
    this.say = say
    this.hangUp = hangUp
    const bytesPerSample = options.format === 'ulaw' || options.format === 'alaw' ? 1 : 2
    this.optimalFrameBytes = options.optimalFrameBytes ?? (wireRatesHz[options.format] / 50) * bytesPerSample
  }

  start(): void {
    const { connectionId, channelId, format, startFormat = format } = this.options
    const channel = `WebSocket/${connectionId}/0x7f0ac000ac10`
    const size = this.optimalFrameBytes
    if (this.options.form === 'json') {
      this.event('MEDIA_START', {
        connection_id: connectionId,
        channel,
        channel_id: channelId,
        format: startFormat,
        optimal_frame_size: size,
        ptime: 20,
        channel_variables: { MEDIA_WEBSOCKET_CONNECTION_ID: connectionId },
      })
    } else {
      this.say(
        `MEDIA_START connection_id:${connectionId} channel:${channel} channel_id:${channelId} format:${startFormat} optimal_frame_size:${size} ptime:20`,
      )
    }
  }

  digit(digit: string): void {
    const { form, channelId } = this.options
    if (form === 'json') this.event('DTMF_END', { channel_id: channelId, digit })
    else this.say(`DTMF_END digit:${digit} channel_id:${channelId}`)
  }

  receiveText(text: string): void {
    if (text.length > textBytesMax) {
      this.ignoredTexts += 1
      return
    }
    const { form, channelId } = this.options
    let command = text
    let id = ''
    if (form === 'json') {
      try {
        const parsed = JSON.parse(text) as { command: string; correlation_id?: string }
        command = parsed.command
        id = parsed.correlation_id ?? ''
      } catch {
        return this.event('ERROR', { channel_id: channelId, error_text: 'Unable to parse JSON command' })
      }
    } else if (text.includes(' ')) {
      id = text.slice(text.indexOf(' ') + 1)
      command = text.slice(0, text.indexOf(' '))
    }
    this.commands.push(id === '' ? command : `${command} ${id}`)
    this.perform(command, id)
  }

  private perform(command: string, id: string): void {
    switch (command) {
      case 'HANGUP':
        return this.hangUp()
      case 'MARK_MEDIA':
        this.queue.push(this.idText('MEDIA_MARK_PROCESSED', id))
        return
      case 'FLUSH_MEDIA':
        this.queue.length = 0
        this.queueLength = 0
        this.buffering = false
        this.leftover = new Uint8Array(0)
        return
      case 'PAUSE_MEDIA':
        this.paused = true
        return
      case 'CONTINUE_MEDIA':
        this.paused = false
        return
      case 'START_MEDIA_BUFFERING':
        this.buffering = true
        return
      case 'STOP_MEDIA_BUFFERING':
        this.buffering = false
        if (this.leftover.length > 0) this.enqueue(this.leftover)
        this.leftover = new Uint8Array(0)
        this.queue.push(this.idText('MEDIA_BUFFERING_COMPLETED', id))
        return
      case 'REPORT_QUEUE_DRAINED':
        this.reportDrained = true
        return
      case 'GET_STATUS':
        return this.status()
    }
  }

  private status(): void {
    const { channelId, form } = this.options
    const fields = {
      channel_id: channelId,
      queue_length: this.queueLength,
      xon_level: xonLevel,
      xoff_level: xoffLevel,
      queue_full: this.queueFull,
      bulk_media: this.buffering,
      media_paused: this.paused,
    }
    if (form === 'json') this.event('STATUS', fields)
    else
      this.say(
        `STATUS ${Object.entries(fields)
          .map(([name, value]) => `${name}:${value}`)
          .join(' ')}`,
      )
  }

  receiveBinary(bytes: Uint8Array): void {
    this.arrived.push(Uint8Array.from(bytes))
    if (this.queueLength >= queueMax) {
      this.droppedMessages += 1
      return
    }
    if (this.optimalFrameBytes === 0) return this.enqueue(Uint8Array.from(bytes))
    const whole = this.buffering ? Buffer.concat([this.leftover, bytes]) : Buffer.from(bytes)
    const size = this.optimalFrameBytes
    const frames = Math.floor(whole.length / size)
    for (let frame = 0; frame < frames; frame += 1) {
      this.enqueue(Uint8Array.from(whole.subarray(frame * size, (frame + 1) * size)))
    }
    // What is no whole frame is discarded, unless it is being buffered.
    this.leftover = this.buffering ? Uint8Array.from(whole.subarray(frames * size)) : new Uint8Array(0)
  }

  private enqueue(frame: Uint8Array): void {
    this.queue.push(frame)
    this.queueLength += 1
    if (!this.queueFull && this.queueLength >= xoffLevel) {
      this.queueFull = true
      this.bare('MEDIA_XOFF')
    }
  }

  /** The timer of 20 ms. */
  tick(): void {
    if (this.paused) return
    if (this.queueFull && this.queueLength < xonLevel) {
      this.queueFull = false
      this.bare('MEDIA_XON')
    }
    if (this.queue.length === 0 && this.reportDrained) {
      this.reportDrained = false
      this.bare('QUEUE_DRAINED')
    }
    for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) {
      if (typeof next !== 'string') {
        this.queueLength -= 1
        this.played.push(next)
        return
      }
      // A mark takes no frame's time.
      this.say(next)
    }
  }

  private bare(name: string): void {
    if (this.options.form === 'json') this.event(name, { channel_id: this.options.channelId })
    else this.say(name)
  }

  private idText(name: string, id: string): string {
    if (this.options.form === 'plain_text') return id === '' ? name : `${name} ${id}`
    return JSON.stringify({ event: name, channel_id: this.options.channelId, correlation_id: id })
  }

  private event(name: string, fields: Readonly<Record<string, unknown>>): void {
    this.say(JSON.stringify({ event: name, ...fields }))
  }
}
