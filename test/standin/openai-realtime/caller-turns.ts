import type { Clock } from '#base/clock.ts'
import { TurnFinder } from '../turn-finder.ts'
import { type ApiError, invalidRequest } from './api-error.ts'
import type { Conversation, WireItem } from './conversation.ts'
import type { StandinOptions } from './options.ts'
import { standinDefaults } from './options.ts'
import type { SessionRecord } from './session-record.ts'
import type { SessionSettings } from './settings.ts'
import { bytesPerSample, decodeAudio, type FormatName, formatName, rateHz } from './wire-audio.ts'

/** The caller's side of a session: the audio buffer, whose turns are found here or committed by the client. */
export interface TurnsHost {
  readonly clock: Clock
  readonly options: StandinOptions
  readonly record: SessionRecord
  readonly conversation: Conversation
  newId(prefix: string): string
  send(event: { readonly type: string; readonly [name: string]: unknown }): void
  /** The caller has begun to speak; a response is to be cancelled where the settings say so. */
  interrupted(): void
  /** A turn was committed by the server, and the settings ask for a response. */
  turnEnded(): void
}

/** The least that the real server commits. */
const commitMinMs = 100

export class CallerTurns {
  private readonly host: TurnsHost
  private settings: SessionSettings
  private finder: TurnFinder | null = null
  /** All audio of the session, in milliseconds: what the times of events count. */
  private totalMs = 0
  /** Since the last commit or clear. */
  private bufferedMs = 0
  private format: FormatName
  private speakingItem: string | null = null
  private turns = 0
  private readonly kept: Int16Array[] = []
  private readonly timers = new Set<Disposable>()
  private idle: Disposable | null = null

  constructor(host: TurnsHost, settings: SessionSettings) {
    this.host = host
    this.settings = settings
    this.format = formatName(settings.inputFormat)
    this.apply(settings, true)
  }

  /** The caller's audio so far, as it was decoded; empty where it is not kept. */
  heard(): { readonly samples: Int16Array; readonly sampleRateHz: number } {
    const samples = new Int16Array(this.kept.reduce((sum, part) => sum + part.length, 0))
    let offset = 0
    for (const part of this.kept) {
      samples.set(part, offset)
      offset += part.length
    }
    return { samples, sampleRateHz: rateHz(this.format) }
  }

  apply(settings: SessionSettings, first = false): void {
    const before = this.settings
    this.settings = settings
    const format = formatName(settings.inputFormat)
    const same =
      JSON.stringify(before.turnDetection) === JSON.stringify(settings.turnDetection) && format === this.format
    this.format = format
    if (same && !first) return
    this.speakingItem = null
    const { turnDetection: detection } = settings
    const { semanticSilenceMs = {} } = this.host.options
    const sampleRateHz = rateHz(format)
    this.finder =
      detection === null ? null : new TurnFinder({ detection, sampleRateHz, semanticSilenceMs, startMs: this.totalMs })
  }

  /** @returns what is wrong with it; an append that is right is not acknowledged. */
  append(audio: string): ApiError | null {
    const { record } = this.host
    if (audio.length > 20 * 1024 * 1024) {
      return invalidRequest('string_above_max_length', 'The audio of one append must not exceed 15 MiB.', 'audio')
    }
    const bytes = Buffer.from(audio, 'base64')
    // The decoder overlooks what is no base64, and what it makes is then shorter.
    if (bytes.length !== Buffer.byteLength(audio, 'base64') || audio.length % 4 !== 0) {
      return invalidRequest('invalid_value', 'Invalid audio: expected base64 encoded bytes.', 'audio')
    }
    if (bytes.length % bytesPerSample(this.format) !== 0) {
      return invalidRequest('invalid_value', 'Invalid audio: half a sample.', 'audio')
    }
    const ms = (bytes.length * 1000) / bytesPerSample(this.format) / rateHz(this.format)
    record.appends += 1
    record.appendedBytes += bytes.length
    record.appendedMs += ms
    this.totalMs += ms
    this.bufferedMs += ms
    const keep = this.host.options.keepAudio ?? true
    if (this.finder === null && !keep) return null
    const samples = decodeAudio(bytes, this.format)
    if (keep) this.kept.push(samples)
    for (const event of this.finder?.push(samples) ?? []) {
      if (event.kind === 'started') this.speechStarted(event.audioMs)
      else this.speechStopped(event.audioMs)
    }
    return null
  }

  commit(): ApiError | null {
    // Where the server finds the turns it holds nothing that a client could commit.
    const bufferedMs = this.finder === null ? this.bufferedMs : 0
    if (bufferedMs < commitMinMs) {
      const message = `Error committing input audio buffer: buffer too small. Expected at least ${commitMinMs}ms of audio, but buffer only has ${bufferedMs.toFixed(2)}ms of audio.`
      return invalidRequest('input_audio_buffer_commit_empty', message)
    }
    this.take(this.host.newId('item'), 'client')
    return null
  }

  clear(): void {
    this.bufferedMs = 0
    this.speakingItem = null
    this.host.send({ type: 'input_audio_buffer.cleared' })
  }

  /** With `idle_timeout_ms` the server takes a silence for a turn; counted from the end of the last response's audio. */
  armIdle(replyLeftMs: number): void {
    const { turnDetection: detection } = this.settings
    const timeoutMs = detection?.type === 'server_vad' ? (detection.idle_timeout_ms ?? null) : null
    this.disarmIdle()
    if (timeoutMs === null) return
    const startMs = this.totalMs
    this.idle = this.host.clock.after(replyLeftMs + timeoutMs, () => {
      const itemId = this.host.newId('item')
      const [audio_start_ms, audio_end_ms] = [Math.round(startMs), Math.round(this.totalMs)]
      this.host.send({ type: 'input_audio_buffer.timeout_triggered', audio_start_ms, audio_end_ms, item_id: itemId })
      this.take(itemId, 'server')
      this.host.turnEnded()
    })
  }

  close(): void {
    this.disarmIdle()
    for (const timer of this.timers) timer[Symbol.dispose]()
    this.timers.clear()
  }

  private disarmIdle(): void {
    this.idle?.[Symbol.dispose]()
    this.idle = null
  }

  private speechStarted(audioMs: number): void {
    const { host } = this
    const itemId = host.newId('item')
    this.speakingItem = itemId
    this.disarmIdle()
    host.record.speechStarted.push({ atMs: host.clock.now(), audioMs, itemId })
    host.send({ type: 'input_audio_buffer.speech_started', audio_start_ms: Math.round(audioMs), item_id: itemId })
    if (this.settings.turnDetection?.interrupt_response !== false) host.interrupted()
  }

  private speechStopped(audioMs: number): void {
    const itemId = this.speakingItem ?? this.host.newId('item')
    this.speakingItem = null
    this.host.send({ type: 'input_audio_buffer.speech_stopped', audio_end_ms: Math.round(audioMs), item_id: itemId })
    this.take(itemId, 'server')
    if (this.settings.turnDetection?.create_response !== false) this.host.turnEnded()
  }

  private take(itemId: string, by: 'client' | 'server'): void {
    const { host } = this
    host.record.commits.push({ atMs: host.clock.now(), audioMs: this.bufferedMs, by })
    const seconds = this.bufferedMs / 1000
    this.bufferedMs = 0
    const item: WireItem = {
      id: itemId,
      object: 'realtime.item',
      type: 'message',
      status: 'completed',
      role: 'user',
      content: [{ type: 'input_audio' }],
    }
    const { previousId } = host.conversation.append(item)
    host.send({ type: 'input_audio_buffer.committed', previous_item_id: previousId, item_id: itemId })
    host.send({ type: 'conversation.item.added', previous_item_id: previousId, item })
    host.send({ type: 'conversation.item.done', previous_item_id: previousId, item })
    const turn = this.turns
    this.turns += 1
    if (this.settings.transcription !== null) this.transcribe(itemId, turn, seconds)
  }

  /** By another model, whose words come when they come. */
  private transcribe(itemId: string, turn: number, seconds: number): void {
    const { clock, options } = this.host
    const { callerTranscripts: texts, transcriptionAfterMs = standinDefaults.transcriptionAfterMs } = options
    const given = typeof texts === 'function' ? texts(turn) : texts?.[turn]
    const text = given === undefined ? `caller turn ${turn + 1}` : given
    const type = 'conversation.item.input_audio_transcription'
    const ids = { item_id: itemId, content_index: 0 }
    const timer = clock.after(transcriptionAfterMs, () => {
      this.timers.delete(timer)
      if (text === null) {
        const error = {
          type: 'transcription_error',
          code: 'audio_unintelligible',
          message: 'The audio could not be transcribed.',
        }
        this.host.send({ type: `${type}.failed`, ...ids, error })
        return
      }
      for (const delta of text.match(/\S+\s*/g) ?? []) this.host.send({ type: `${type}.delta`, ...ids, delta })
      const usage = { type: 'duration', seconds: Math.max(1, Math.ceil(seconds)) }
      this.host.send({ type: `${type}.completed`, ...ids, transcript: text, usage })
    })
    this.timers.add(timer)
  }
}
