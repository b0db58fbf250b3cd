import { Hearing, turnText } from './hearing.ts'
import { type ServerMessage, type StandinOptions, standinDefaults } from './options.ts'
import type { ListenQuery } from './query.ts'
import { type SessionWire, SocketSession } from './socket-session.ts'

/**
 * One `/v1/listen` stream. Words of a turn come out of the script, as if one were spoken every 300 ms; interims tell those
 * that have been "heard" so far, finals what has not been told finally. Long speech has finals in between, so that a client
 * has to join them.
 */
const msPerWord = 300
const interimEveryMs = 1000
/** Speech that goes on for so long is final up to here. */
const finalEveryMs = 5000
/** Without endpointing speech still ends for the script's turns. */
const turnEndMs = 1000

export class ListenSession extends SocketSession {
  readonly kind = 'listen'
  readonly query: ListenQuery
  private readonly hearing: Hearing
  private readonly timers = new Set<Disposable>()
  private turns = -1
  private words: string[] = []
  /** Of `words`, how many were told finally. */
  private told = 0
  private speaking = false
  private turnStartMs = 0
  private finalFromMs = 0
  private lastInterimMs = 0
  private utterance: Disposable | null = null
  private hadAudio = false

  constructor(options: StandinOptions, wire: SessionWire, query: ListenQuery) {
    super(options, wire)
    this.query = query
    const silenceMs = query.endpointingMs ?? turnEndMs
    this.hearing = new Hearing(options, this.record, query.audio, [
      {
        // Shorter than the finder can tell.
        silenceMs: Math.max(20, silenceMs),
        started: (audioMs) => this.speechStarted(audioMs),
        stopped: (audioMs) => this.speechStopped(audioMs),
      },
    ])
  }

  heard(): { readonly samples: Int16Array; readonly sampleRateHz: number } {
    return this.hearing.heard()
  }

  open(): void {
    this.watchIdle()
    this.unknownMessage()
  }

  protected audio(bytes: Uint8Array): void {
    // An empty message ends the stream.
    if (bytes.length === 0) return this.finish()
    this.hadAudio = true
    this.hearing.push(bytes)
    if (this.speaking) this.goOn()
  }

  protected message({ type }: ServerMessage): void {
    if (type === 'Finalize') return this.finalize()
    if (type === 'CloseStream') this.finish()
  }

  protected unreadable(why: string): void {
    this.refused('DATA-0000', why)
    this.hangUp(1008, 'DATA-0000')
  }

  protected timedOut(): void {
    this.refused('NET-0001', 'no audio')
    this.hangUp(1011, 'NET-0001')
  }

  protected ended(): void {
    for (const timer of this.timers) timer[Symbol.dispose]()
    this.timers.clear()
    this.utterance?.[Symbol.dispose]()
  }

  private speechStarted(audioMs: number): void {
    this.utterance?.[Symbol.dispose]()
    this.utterance = null
    this.turns += 1
    this.words = turnText(this.options, this.turns)
      .split(' ')
      .filter((word) => word !== '')
    this.told = 0
    this.speaking = true
    this.turnStartMs = audioMs
    this.finalFromMs = audioMs
    this.lastInterimMs = audioMs
    this.record.speechStarted.push({ atMs: this.clock.now(), audioMs })
    if (this.query.vadEvents) this.later({ type: 'SpeechStarted', channel: [0], timestamp: audioMs / 1000 })
  }

  private goOn(): void {
    const { totalMs } = this.hearing
    const spoken = Math.min(this.words.length, Math.floor((totalMs - this.turnStartMs) / msPerWord))
    if (totalMs - this.finalFromMs >= finalEveryMs && spoken > this.told) {
      this.results(spoken, totalMs, { is_final: true, speech_final: false })
    } else if (this.query.interimResults && totalMs - this.lastInterimMs >= interimEveryMs) {
      this.lastInterimMs = totalMs
      this.results(spoken, totalMs, { is_final: false, speech_final: false })
    }
  }

  private speechStopped(audioMs: number): void {
    this.speaking = false
    const text = this.words.join(' ')
    this.record.turns.push({ atMs: this.clock.now(), audioMs, text })
    const isFinal = this.query.endpointingMs !== null
    this.results(this.words.length, audioMs, { is_final: true, speech_final: isFinal })
    const { utteranceEndMs } = this.query
    if (utteranceEndMs === null || text === '') return
    const lastWordEnd = audioMs / 1000
    this.utterance = this.clock.after(utteranceEndMs, () =>
      this.later({ type: 'UtteranceEnd', channel: [0], last_word_end: lastWordEnd }),
    )
  }

  /** What is in the buffer becomes final; where there is nothing in it, nothing is answered. */
  private finalize(): void {
    if (!this.speaking) return
    this.results(this.words.length, this.hearing.totalMs, { is_final: true, speech_final: true, from_finalize: true })
  }

  private results(
    upTo: number,
    endMs: number,
    marks: { is_final: boolean; speech_final: boolean; from_finalize?: boolean },
  ): void {
    const startMs = this.finalFromMs
    const words = this.words.slice(this.told, upTo)
    if (marks.is_final) {
      this.told = Math.max(this.told, upTo)
      this.finalFromMs = endMs
    }
    const perWordMs = (endMs - startMs) / Math.max(1, words.length)
    const spoken = words.map((word, index) => ({
      word,
      start: (startMs + index * perWordMs) / 1000,
      end: (startMs + (index + 1) * perWordMs) / 1000,
      confidence: 0.98,
      punctuated_word: word,
    }))
    const transcript = words.join(' ')
    this.later({
      type: 'Results',
      channel_index: [0, 1],
      duration: (endMs - startMs) / 1000,
      start: startMs / 1000,
      ...marks,
      channel: { alternatives: [{ transcript, confidence: transcript === '' ? 0 : 0.98, words: spoken }] },
      metadata: {
        request_id: this.id,
        model_info: { name: this.query.model, version: '2026-01-01.0', arch: 'nova-3' },
        model_uuid: this.id,
      },
    })
  }

  private finish(): void {
    if (this.speaking) this.results(this.words.length, this.hearing.totalMs, { is_final: true, speech_final: true })
    const wall = new Date(this.clock.wallNow()).toISOString()
    this.later(
      {
        type: 'Metadata',
        transaction_key: 'deprecated',
        request_id: this.id,
        sha256: this.hadAudio ? '0'.repeat(64) : '',
        created: wall,
        duration: this.hearing.totalMs / 1000,
        channels: 1,
      },
      () => this.hangUp(1000),
    )
  }

  /** Recognition runs behind the audio. */
  private later(message: ServerMessage, after = () => {}): void {
    const behindMs = this.options.recognitionMs ?? standinDefaults.recognitionMs
    if (behindMs === 0) {
      this.send(message)
      after()
      return
    }
    const timer = this.clock.after(behindMs, () => {
      this.timers.delete(timer)
      this.send(message)
      after()
    })
    this.timers.add(timer)
  }
}
