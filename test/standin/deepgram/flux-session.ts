import { isRecord } from '../json-schema.ts'
import { Hearing, turnText } from './hearing.ts'
import { type ServerMessage, type StandinOptions, standinDefaults } from './options.ts'
import type { FluxQuery } from './query.ts'
import { type SessionWire, SocketSession } from './socket-session.ts'

/**
 * One Flux stream, `/v2/listen`: turns and their words. One ear hears the pause that may be the end, the other the silence
 * that is; what comes between the two is `TurnResumed`. Words come out of the script, one every 300 ms.
 */
const msPerWord = 300
const updateEveryMs = 250

type TurnEvent = 'StartOfTurn' | 'Update' | 'EagerEndOfTurn' | 'TurnResumed' | 'EndOfTurn'

export class FluxSession extends SocketSession {
  readonly kind = 'flux'
  readonly query: FluxQuery
  private readonly hearing: Hearing
  private readonly timers = new Set<Disposable>()
  private sequence = 0
  private turn = 0
  private words: string[] = []
  private inTurn = false
  private eager = false
  private keyterms: string[] = []
  private turnStartMs = 0
  private lastUpdateMs = 0

  constructor(options: StandinOptions, wire: SessionWire, query: FluxQuery) {
    super(options, wire)
    this.query = query
    const endMs = Math.min(query.timeoutMs, options.turnSilenceMs ?? standinDefaults.turnSilenceMs)
    const eagerMs = options.eagerSilenceMs ?? standinDefaults.eagerSilenceMs
    this.hearing = new Hearing(options, this.record, query.audio, [
      {
        silenceMs: endMs,
        started: (audioMs) => this.started(audioMs),
        stopped: (audioMs) => this.ends(audioMs, endMs < query.timeoutMs ? 'model' : 'timeout'),
      },
      ...(query.eager ? [{ silenceMs: eagerMs, started: () => this.resumed(), stopped: () => this.eagerEnd() }] : []),
    ])
  }

  heard(): { readonly samples: Int16Array; readonly sampleRateHz: number } {
    return this.hearing.heard()
  }

  open(): void {
    this.tell({ type: 'Connected' })
    this.unknownMessage()
    this.watchIdle()
  }

  protected audio(bytes: Uint8Array): void {
    this.hearing.push(bytes)
    if (!this.inTurn || this.hearing.totalMs - this.lastUpdateMs < updateEveryMs) return
    this.lastUpdateMs = this.hearing.totalMs
    this.turnInfo('Update', this.spoken(), 0.2)
  }

  protected message(message: ServerMessage): void {
    switch (message.type) {
      case 'Configure':
        return this.configure(message)
      case 'ForceEndTurn':
        // On request only: elsewhere it is no message at all.
        return this.unreadable('ForceEndTurn is not enabled for this account')
      case 'CloseStream':
        if (this.inTurn) this.ends(this.hearing.totalMs, 'manual')
        return this.hangUp(1000)
    }
  }

  protected unreadable(why: string): void {
    this.fail('UNPARSABLE_CLIENT_MESSAGE', why)
  }

  protected timedOut(): void {
    this.fail('NET-0001', 'Deepgram did not receive audio data within the timeout window.')
  }

  protected ended(): void {
    for (const timer of this.timers) timer[Symbol.dispose]()
    this.timers.clear()
  }

  fail(code: string, description: string): void {
    this.refused(code, description)
    this.tell({ type: 'Error', code, description })
    this.hangUp(1011)
  }

  private configure({ thresholds, keyterms }: ServerMessage): void {
    const given = isRecord(thresholds) ? thresholds : {}
    const { eager_eot_threshold: eager, eot_threshold: eot } = given
    if (typeof eot === 'number' && (eot < 0.5 || eot > 1)) return this.tell({ type: 'ConfigureFailure' })
    if (typeof eager === 'number' && (eager < 0.3 || eager > 0.9)) return this.tell({ type: 'ConfigureFailure' })
    if (Array.isArray(keyterms)) this.keyterms = keyterms.map(String)
    this.tell({ type: 'ConfigureSuccess', thresholds: given, keyterms: this.keyterms })
  }

  private started(audioMs: number): void {
    this.inTurn = true
    this.eager = false
    this.turnStartMs = audioMs
    this.lastUpdateMs = this.hearing.totalMs
    this.words = turnText(this.options, this.turn)
      .split(' ')
      .filter((word) => word !== '')
    this.record.speechStarted.push({ atMs: this.clock.now(), audioMs })
    this.turnInfo('StartOfTurn', Math.min(1, this.words.length), 0.05)
  }

  private eagerEnd(): void {
    // Its transcript is never empty.
    if (!this.inTurn || this.words.length === 0) return
    this.eager = true
    this.turnInfo('EagerEndOfTurn', this.words.length, 0.6)
  }

  private resumed(): void {
    if (!this.inTurn || !this.eager) return
    this.eager = false
    this.turnInfo('TurnResumed', this.words.length, 0.1)
  }

  private ends(audioMs: number, trigger: string): void {
    this.inTurn = false
    this.record.turns.push({ atMs: this.clock.now(), audioMs, text: this.words.join(' ') })
    this.turnInfo('EndOfTurn', this.words.length, 0.9, trigger)
    this.turn += 1
  }

  private spoken(): number {
    return Math.min(this.words.length, Math.floor((this.hearing.totalMs - this.turnStartMs) / msPerWord))
  }

  private turnInfo(event: TurnEvent, count: number, confidence: number, trigger?: string): void {
    const words = this.words.slice(0, count)
    this.tell({
      type: 'TurnInfo',
      event,
      turn_index: this.turn,
      audio_window_start: this.turnStartMs / 1000,
      audio_window_end: this.hearing.totalMs / 1000,
      transcript: words.join(' '),
      words: words.map((word) => ({ word, confidence: 0.95 })),
      end_of_turn_confidence: confidence,
      ...(trigger === undefined ? {} : { trigger }),
    })
  }

  /** Recognition runs behind the audio. */
  private tell(message: ServerMessage): void {
    // An error names no request.
    const request = message.type === 'Error' ? {} : { request_id: this.id }
    const whole = { ...message, ...request, sequence_id: this.sequence }
    this.sequence += 1
    const behindMs = message.type === 'TurnInfo' ? (this.options.recognitionMs ?? standinDefaults.recognitionMs) : 0
    if (behindMs === 0) return this.send(whole)
    const timer = this.clock.after(behindMs, () => {
      this.timers.delete(timer)
      this.send(whole)
    })
    this.timers.add(timer)
  }
}
