import type { ConversationItem, RealtimeClientEvent, ResponseCreateEvent } from 'openai/resources/realtime/realtime'
import type { Clock } from '#base/clock.ts'
import { type ApiError, invalidRequest, serverError } from './api-error.ts'
import { betaName, toBeta, type WireEvent } from './beta.ts'
import { CallerTurns } from './caller-turns.ts'
import { readClientEvent } from './client-event.ts'
import { Conversation } from './conversation.ts'
import { type Reply, type StandinOptions, standinDefaults } from './options.ts'
import type { EncodedDelta, ReplyEncoder } from './reply-audio.ts'
import { type DeltaIds, Response } from './response.ts'
import { SessionRecord } from './session-record.ts'
import { initialSettings, type SessionSettings, sessionObject, updated } from './settings.ts'
import { formatName } from './wire-audio.ts'

/** The socket, as far as a session needs it. */
export interface SessionWire {
  send(text: string): void
  close(code: number, reason: string): void
  /** Without a close frame. */
  terminate(): void
}

const defaultReply: Reply = { text: 'This is a stand-in.', ms: 2000 }

/** One session: what came in is checked and answered, in the order in which it came. */
export class StandinSession {
  readonly id: string
  readonly model: string
  readonly clock: Clock
  readonly options: StandinOptions
  readonly record = new SessionRecord()
  readonly conversation = new Conversation()
  readonly conversationId: string
  settings: SessionSettings = initialSettings()
  /** Sends nothing more while this is true: a server that hangs. */
  mute = false
  private readonly wire: SessionWire
  private readonly encoder: ReplyEncoder
  private readonly turns: CallerTurns
  /** In the conversation there is one at a time. */
  private active: Response | null = null
  private readonly aside = new Set<Response>()
  private replies = 0
  private hasSpoken = false
  private expiry: Disposable | null = null
  private readonly expiresAtSeconds: number

  constructor(options: StandinOptions, wire: SessionWire, encoder: ReplyEncoder, model: string) {
    this.options = options
    this.wire = wire
    this.encoder = encoder
    this.model = model
    this.clock = options.clock
    this.id = this.newId('sess')
    this.conversationId = this.newId('conv')
    this.mute = options.silentFromStart ?? false
    this.turns = new CallerTurns(this, this.settings)
    const maxMs = options.sessionMaxMs ?? standinDefaults.sessionMaxMs
    this.expiresAtSeconds = Math.floor((this.clock.wallNow() + maxMs) / 1000)
    this.expiry = this.clock.after(maxMs, () => this.expire())
  }

  get isResponding(): boolean {
    return this.active !== null
  }

  /** The caller's audio so far, as it was decoded; empty where it is not kept. */
  heard(): { readonly samples: Int16Array; readonly sampleRateHz: number } {
    return this.turns.heard()
  }

  open(): void {
    this.send({ type: 'session.created', session: this.sessionObject() })
    this.unknownEvent()
  }

  receive(text: string | Uint8Array): void {
    this.record.receivedBytes += text.length
    const read = readClientEvent(text, this.options.names ?? standinDefaults.names)
    if (!read.ok) {
      this.count('refused')
      this.refuse(read.error, read.eventId)
      return
    }
    const { event } = read
    this.count(event.type)
    if (this.options.keepEvents ?? true) {
      const kept = event.type === 'input_audio_buffer.append' ? { ...event, audio: '' } : event
      this.record.received.push({ atMs: this.clock.now(), event: kept })
    }
    const error = this.handle(event)
    if (error !== null) this.refuse(error, event.event_id ?? null)
  }

  send(event: WireEvent): void {
    const whole: WireEvent = { ...event, event_id: this.newId('event') }
    const spoken = this.options.names === 'beta' ? toBeta(whole) : whole
    if (spoken === null || this.mute) return
    if (this.options.keepEvents ?? true) this.record.sent.push({ atMs: this.clock.now(), event: spoken })
    this.put(JSON.stringify(spoken))
    this.options.onSent?.(this, spoken)
  }

  /** The audio is long and encoded already: it is put between the rest as it is. */
  sendDelta({ responseId, itemId, outputIndex }: DeltaIds, delta: EncodedDelta, late: boolean): void {
    if (this.mute) return
    const { record } = this
    this.hasSpoken = true
    record.deltasSent += 1
    record.deltaBytes += delta.base64.length
    const type = this.options.names === 'beta' ? betaName('response.output_audio.delta') : 'response.output_audio.delta'
    const ids = `"response_id":"${responseId}","item_id":"${itemId}","output_index":${outputIndex},"content_index":0`
    this.put(`{"type":"${type}","event_id":"${this.newId('event')}",${ids},"delta":"${delta.base64}"}`)
    const keep = this.options.keepEvents ?? true
    const { onDelta } = this.options
    if (!keep && onDelta === undefined) return
    const { startMs, durationMs } = delta
    const sent = { atMs: this.clock.now(), responseId, itemId, startMs, durationMs, late }
    if (keep) record.deltas.push(sent)
    onDelta?.(this, sent)
  }

  /** Whatever it is: no JSON, an event from the future. */
  sendRaw(text: string): void {
    this.wire.send(text)
  }

  /** An event `error`; what the session does goes on. */
  refuse(error: ApiError, eventId: string | null = null): void {
    this.record.errors.push({ atMs: this.clock.now(), error, eventId })
    this.send({ type: 'error', error: { ...error, event_id: eventId } })
  }

  /** The connection is gone, as when a network fails. */
  cut(): void {
    this.wire.terminate()
  }

  expire(): void {
    const minutes = Math.round((this.options.sessionMaxMs ?? standinDefaults.sessionMaxMs) / 60_000)
    this.refuse(invalidRequest('session_expired', `Your session hit the maximum duration of ${minutes} minutes.`))
    this.wire.close(1001, 'session_expired')
  }

  /** Ends with a close frame and nothing before it. */
  hangUp(code = 1011, reason = ''): void {
    this.wire.close(code, reason)
  }

  /** The socket is closed, whoever closed it. */
  closed(code: number): void {
    this.record.closed ??= { atMs: this.clock.now(), code }
    this.expiry?.[Symbol.dispose]()
    this.expiry = null
    this.active?.stop()
    this.active = null
    for (const response of this.aside) response.stop()
    this.aside.clear()
    this.turns.close()
  }

  newId(prefix: string): string {
    return `${prefix}_${this.options.random.uuid().replaceAll('-', '').slice(0, 21)}`
  }

  interrupted(): void {
    this.active?.cancel('turn_detected')
  }

  turnEnded(): void {
    if (this.active === null) this.respond('turn', {})
    else this.refuse(alreadyActive(this.active))
  }

  ended(response: Response): void {
    this.aside.delete(response)
    if (this.active !== response) return
    this.active = null
    // All of it was sent ahead; the caller hears it until now plus what is left.
    this.turns.armIdle(response.sentMs)
  }

  private put(text: string): void {
    this.record.sentBytes += text.length
    this.wire.send(text)
  }

  private handle(event: RealtimeClientEvent): ApiError | null {
    switch (event.type) {
      case 'session.update':
        return this.update(event.session)
      case 'input_audio_buffer.append':
        return this.turns.append(event.audio)
      case 'input_audio_buffer.commit':
        return this.turns.commit()
      case 'input_audio_buffer.clear':
        this.turns.clear()
        return null
      case 'output_audio_buffer.clear':
        return invalidRequest('invalid_value', 'output_audio_buffer.clear is for WebRTC and SIP sessions.', 'type')
      case 'conversation.item.create':
        return this.createItem(event.item, event.previous_item_id)
      case 'conversation.item.retrieve':
        return this.retrieveItem(event.item_id)
      case 'conversation.item.delete':
        return this.deleteItem(event.item_id)
      case 'conversation.item.truncate': {
        const { item_id, content_index, audio_end_ms } = event
        const sentMs = this.conversation.find(item_id)?.audioMs ?? 0
        this.record.truncates.push({ atMs: this.clock.now(), itemId: item_id, audioEndMs: audio_end_ms, sentMs })
        const error = this.conversation.truncate(item_id, content_index, audio_end_ms)
        if (error === null) this.send({ type: 'conversation.item.truncated', item_id, content_index, audio_end_ms })
        return error
      }
      case 'response.create':
        return this.createResponse(event.response ?? {})
      case 'response.cancel':
        return this.cancelResponse(event.response_id)
    }
  }

  private update(session: Extract<RealtimeClientEvent, { type: 'session.update' }>['session']): ApiError | null {
    if (session.type === 'transcription') {
      return invalidRequest('invalid_value', 'This is not a transcription session.', 'session.type')
    }
    const { model, hasSpoken, isResponding } = this
    const next = updated(this.settings, session, { model, hasSpoken, isResponding })
    if ('message' in next) return next
    this.settings = next
    this.turns.apply(next)
    this.send({ type: 'session.updated', session: this.sessionObject() })
    return null
  }

  private createItem(item: ConversationItem, after: string | undefined): ApiError | null {
    const inserted = this.conversation.insert(item, item.id ?? this.newId('item'), after)
    if ('message' in inserted && 'code' in inserted) return inserted as ApiError
    const { item: held, previousId } = inserted
    this.send({ type: 'conversation.item.added', previous_item_id: previousId, item: held })
    this.send({ type: 'conversation.item.done', previous_item_id: previousId, item: held })
    return null
  }

  private retrieveItem(id: string): ApiError | null {
    const held = this.conversation.find(id)
    if (held === undefined) return noSuchItem('item_retrieve_invalid_item_id', 'retrieving', id)
    this.send({ type: 'conversation.item.retrieved', item: held.item })
    return null
  }

  private deleteItem(id: string): ApiError | null {
    if (!this.conversation.remove(id)) return noSuchItem('item_delete_invalid_item_id', 'deleting', id)
    this.send({ type: 'conversation.item.deleted', item_id: id })
    return null
  }

  private createResponse(params: NonNullable<ResponseCreateEvent['response']>): ApiError | null {
    if (params.conversation !== 'none' && this.active !== null) return alreadyActive(this.active)
    this.respond('client', params)
    return null
  }

  private cancelResponse(id: string | undefined): ApiError | null {
    const running = [this.active, ...this.aside].filter((response) => response !== null)
    const found = id === undefined ? this.active : running.find((response) => response.id === id)
    if (found === null || found === undefined) {
      return invalidRequest('response_cancel_not_active', 'Cancellation failed: no active response found')
    }
    found.cancel('client_cancelled')
    return null
  }

  private respond(asked: 'turn' | 'client', params: NonNullable<ResponseCreateEvent['response']>): void {
    const { settings, options } = this
    const [reply, number] = this.nextReply(asked, params.instructions ?? null)
    if (reply.fault?.kind === 'error') {
      this.refuse({ ...serverError(), ...definedOf(reply.fault) })
      return
    }
    const output = params.audio?.output
    const format = options.answerFormat ?? output?.format ?? settings.outputFormat
    const inConversation = params.conversation !== 'none'
    const modality = (params.output_modalities ?? settings.outputModalities)[0] ?? 'audio'
    const response = new Response(this, {
      reply,
      encoded: this.encoder.encoded(reply, number, formatName(format)),
      modality,
      pace: options.pace ?? standinDefaults.pace,
      firstDeltaAfterMs: options.firstDeltaAfterMs ?? standinDefaults.firstDeltaAfterMs,
      lateDeltas: options.lateDeltas ?? 0,
      lateDeltasAfterDone: options.lateDeltasAfterDone ?? 0,
      metadata: params.metadata ?? null,
      conversationId: inConversation ? this.conversationId : null,
      // What it tells of itself is what it was told; the bytes may say otherwise, if they are to.
      audio: { output: { format: output?.format ?? settings.outputFormat, voice: output?.voice ?? settings.voice } },
      maxOutputTokens: params.max_output_tokens ?? settings.maxOutputTokens,
      inputTokens: {
        text: Math.ceil(settings.instructions.length / 4),
        audio: Math.ceil(this.record.appendedMs / 100),
      },
    })
    this.record.responses += 1
    if (inConversation) this.active = response
    else this.aside.add(response)
    response.start()
    this.unknownEvent()
  }

  /** @returns the reply, and which it is for the tones of one without a sound; a greeting is the last of 40. */
  private nextReply(asked: 'turn' | 'client', instructions: string | null): [Reply, number] {
    const { greeting, replies = [defaultReply] } = this.options
    if (greeting !== undefined && asked === 'client' && !this.conversation.hasTurns) return [greeting, 39]
    const index = this.replies
    this.replies += 1
    if (typeof replies !== 'function') return [replies[index % replies.length] ?? defaultReply, index]
    const afterFunctionOutput = this.conversation.last?.item.type === 'function_call_output'
    return [replies({ index, asked, instructions, afterFunctionOutput, session: this }), index]
  }

  private sessionObject(): Record<string, unknown> {
    const { id, model, expiresAtSeconds } = this
    return sessionObject(this.settings, { id, model, expiresAtSeconds })
  }

  private unknownEvent(): void {
    if (this.options.unknownEvents === true) this.send({ type: 'session.weather.updated', weather: 'fair' })
  }

  private count(type: string): void {
    this.record.counts[type] = (this.record.counts[type] ?? 0) + 1
  }
}

function alreadyActive(active: Response): ApiError {
  const message = `Conversation already has an active response in progress: ${active.id}. Wait until the response is finished before creating a new one.`
  return invalidRequest('conversation_already_has_active_response', message)
}

function noSuchItem(code: string, doing: string, id: string): ApiError {
  return invalidRequest(code, `Error ${doing} item: the item with ID '${id}' does not exist.`, 'item_id')
}

function definedOf({ type, code, message }: { type?: string; code?: string; message?: string }): Partial<ApiError> {
  return {
    ...(type === undefined ? {} : { type }),
    ...(code === undefined ? {} : { code }),
    ...(message === undefined ? {} : { message }),
  }
}
