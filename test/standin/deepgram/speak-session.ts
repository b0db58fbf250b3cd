import { type Reply, type ServerMessage, type StandinOptions, standinDefaults } from './options.ts'
import type { SpeakQuery } from './query.ts'
import type { SpeechEncoder } from './reply-audio.ts'
import { type SessionWire, SocketSession } from './socket-session.ts'
import { Speech } from './speech.ts'

/**
 * One `/v1/speak` stream: text gathers until it is flushed, then its audio comes, then `Flushed`. Nothing is spoken before
 * a flush here; the real server may begin sooner.
 */
const textMax = 2000
const flushesMax = 20
const flushWindowMs = 60_000
/** Speech of this socket has no script: its text is its own. */
const spoken: Reply = {}

export class SpeakSession extends SocketSession {
  readonly kind = 'speak'
  readonly query: SpeakQuery
  readonly texts: string[] = []
  private readonly encoder: SpeechEncoder
  private text = ''
  private sequence = 0
  private speeches = 0
  private readonly waiting: string[] = []
  private current: Speech | null = null
  private readonly flushes: number[] = []

  constructor(options: StandinOptions, wire: SessionWire, query: SpeakQuery, encoder: SpeechEncoder) {
    super(options, wire)
    this.query = query
    this.encoder = encoder
  }

  open(): void {
    this.send({
      type: 'Metadata',
      request_id: this.id,
      model_name: this.query.model,
      model_version: '2026-01-01.0',
      model_uuid: this.id,
    })
    this.unknownMessage()
    this.watchIdle()
  }

  protected audio(): void {
    this.hangUp(1003, 'MESSAGE-0000')
  }

  protected message(message: ServerMessage): void {
    switch (message.type) {
      case 'Speak':
        return this.add(String(message.text))
      case 'Flush':
        return this.flush()
      case 'Clear':
        return this.clear()
      case 'Close':
        return this.finish()
    }
  }

  protected unreadable(why: string): void {
    this.refused('DATA-0000', why)
    this.send({ type: 'Warning', code: 'DATA-0000', description: why })
    this.hangUp(1008, 'DATA-0000')
  }

  /** A stream that asks for nothing is closed after an hour by the real one, and not by this. */
  protected timedOut(): void {}

  protected ended(): void {
    this.current?.stop()
    this.current = null
  }

  private add(text: string): void {
    if (text.length > textMax) {
      this.refused('DATA-0001', 'the text is too long')
      return this.send({ type: 'Warning', code: 'DATA-0001', description: `A text may have ${textMax} characters.` })
    }
    this.text += text
  }

  private flush(): void {
    const nowMs = this.clock.now()
    while ((this.flushes[0] ?? nowMs) <= nowMs - flushWindowMs) this.flushes.shift()
    if (this.flushes.length >= flushesMax) {
      this.refused('TOO_MANY_FLUSHES', `more than ${flushesMax} in a minute`)
      // Under which code the real one says so is not documented.
      const description = `Cannot process more than ${flushesMax} flushes in ${flushWindowMs / 1000} s.`
      return this.send({ type: 'Warning', code: 'TOO_MANY_FLUSHES', description })
    }
    this.flushes.push(nowMs)
    this.waiting.push(this.text)
    this.text = ''
    if (this.current === null) this.next()
  }

  private next(): void {
    const text = this.waiting.shift()
    this.current = null
    if (text === undefined) return
    const { options } = this
    const number = this.speeches
    this.speeches += 1
    this.record.replies += 1
    this.texts.push(text)
    const fault = typeof options.replies === 'function' ? undefined : options.replies?.[number]?.fault
    const stopsAfterMs = fault !== undefined && 'afterMs' in fault ? fault.afterMs : undefined
    this.current = new Speech(this, {
      number,
      encoded: this.encoder.encoded(spoken, number, this.query.audio, text),
      pace: options.pace ?? standinDefaults.pace,
      firstChunkAfterMs: options.firstChunkAfterMs ?? standinDefaults.firstChunkAfterMs,
      ...(stopsAfterMs === undefined ? {} : { stopsAfterMs }),
      done: () => {
        if (fault?.kind === 'stall') return
        if (fault?.kind === 'cut') return this.cut()
        this.send({ type: 'Flushed', sequence_id: this.sequence++ })
        this.next()
      },
    })
    this.current.start()
  }

  private clear(): void {
    this.current?.stop(this.options.lateChunks ?? standinDefaults.lateChunks)
    this.current = null
    this.waiting.length = 0
    this.text = ''
    this.send({ type: 'Cleared', sequence_id: this.sequence++ })
  }

  private finish(): void {
    if (this.text !== '') this.flush()
    this.hangUp(1000)
  }
}
