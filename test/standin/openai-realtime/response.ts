import type { Clock } from '#base/clock.ts'
import { type ApiError, serverError } from './api-error.ts'
import type { Conversation, HeldItem, WireItem } from './conversation.ts'
import type { FunctionCall, Reply } from './options.ts'
import type { EncodedDelta, EncodedReply } from './reply-audio.ts'

/**
 * One response, from `response.created` to `response.done`. What it will send is a list of steps, each with its time
 * after the first delta; one timer walks it. A cancel leaves the rest of the list out and closes what was begun.
 */
export interface ResponseHost {
  readonly clock: Clock
  readonly conversation: Conversation
  newId(prefix: string): string
  send(event: { readonly type: string; readonly [name: string]: unknown }): void
  sendDelta(ids: DeltaIds, delta: EncodedDelta, late: boolean): void
  cut(): void
  refuse(error: ApiError): void
  ended(response: Response): void
}

export interface DeltaIds {
  readonly responseId: string
  readonly itemId: string
  readonly outputIndex: number
}

export interface ResponsePlan {
  readonly reply: Reply
  readonly encoded: EncodedReply
  readonly modality: 'audio' | 'text'
  readonly pace: number
  readonly firstDeltaAfterMs: number
  readonly lateDeltas: number
  readonly lateDeltasAfterDone: number
  /** Of `response.create`, to be given back. */
  readonly metadata: unknown
  /** null: a response beside the conversation. */
  readonly conversationId: string | null
  /** What the response tells of itself: format and voice. */
  readonly audio: object
  readonly maxOutputTokens: number | 'inf'
  readonly inputTokens: { readonly text: number; readonly audio: number }
}

export type CancelReason = 'turn_detected' | 'client_cancelled'
type Status = 'in_progress' | 'completed' | 'cancelled' | 'failed' | 'incomplete'

interface Step {
  readonly atMs: number
  readonly run: () => void
  readonly delta?: EncodedDelta
}

export class Response {
  readonly id: string
  readonly plan: ResponsePlan
  /** Milliseconds of audio that have been handed to the socket. */
  sentMs = 0
  private readonly host: ResponseHost
  private readonly output: WireItem[] = []
  private steps: Step[] = []
  private next = 0
  private startedMs = 0
  private timer: Disposable | null = null
  private over = false
  private message: { held: HeldItem; said: string; open: boolean } | null = null

  constructor(host: ResponseHost, plan: ResponsePlan) {
    this.host = host
    this.plan = plan
    this.id = host.newId('resp')
  }

  /** A response beside the conversation leaves no items in it. */
  private get inConversation(): boolean {
    return this.plan.conversationId !== null
  }

  start(): void {
    this.host.send({ type: 'response.created', response: this.object('in_progress', null) })
    const { fault } = this.plan.reply
    if (fault?.kind === 'silence') return
    if (fault?.kind === 'failed') {
      const { type = 'server_error', code = null, message = serverError().message } = fault
      this.finish('failed', { type: 'failed', error: { type, code, message } })
      return
    }
    this.steps = this.stepsOf(this.plan)
    this.startedMs = this.host.clock.now() + this.plan.firstDeltaAfterMs
    this.pump()
  }

  cancel(reason: CancelReason): void {
    if (this.over) return
    const rest = this.steps.slice(this.next).filter((step) => step.delta !== undefined)
    const { lateDeltas, lateDeltasAfterDone } = this.plan
    for (const step of rest.slice(0, lateDeltas)) this.sendLate(step)
    if (this.message?.open) this.endMessage('incomplete')
    this.finish('cancelled', { type: 'cancelled', reason })
    for (const step of rest.slice(lateDeltas, lateDeltas + lateDeltasAfterDone)) this.sendLate(step)
  }

  /** Nothing more is sent, and nothing is closed: the session has ended. */
  stop(): void {
    this.over = true
    this.timer?.[Symbol.dispose]()
  }

  private pump(): void {
    this.timer = null
    for (;;) {
      const step = this.steps[this.next]
      if (step === undefined || this.over) return
      const waitMs = this.startedMs + step.atMs - this.host.clock.now()
      if (waitMs > 0) {
        this.timer = this.host.clock.after(waitMs, () => this.pump())
        return
      }
      this.next += 1
      step.run()
    }
  }

  private stepsOf({ reply, encoded, modality, pace }: ResponsePlan): Step[] {
    const steps: Step[] = []
    const at = (audioMs: number) => (pace === 0 ? 0 : audioMs / pace)
    const { fault } = reply
    const limitMs = fault !== undefined && 'afterMs' in fault ? fault.afterMs : Number.POSITIVE_INFINITY
    let endMs = 0
    if (reply.text !== undefined || encoded.deltas.length > 0) {
      const words = (reply.text ?? '').match(/\S+\s*/g) ?? []
      steps.push({ atMs: 0, run: () => this.beginMessage() })
      const deltas = modality === 'audio' ? encoded.deltas : []
      let said = 0
      const say = (upTo: number, atMs: number) => {
        const piece = words.slice(said, upTo).join('')
        said = Math.max(said, upTo)
        if (piece !== '') steps.push({ atMs, run: () => this.sendWords(piece) })
      }
      for (const [index, delta] of deltas.entries()) {
        if (delta.startMs >= limitMs) break
        // The transcript runs ahead of the sound.
        say(Math.ceil(((index + 1) / deltas.length) * words.length), at(delta.startMs))
        steps.push({ atMs: at(delta.startMs), run: () => this.sendAudio(delta), delta })
        endMs = delta.startMs
      }
      if (modality === 'text') for (let word = 1; word <= words.length; word += 1) say(word, 0)
      if (limitMs === Number.POSITIVE_INFINITY) steps.push({ atMs: at(endMs), run: () => this.endMessage('completed') })
    }
    const atMs = at(endMs)
    if (fault?.kind === 'stall') return steps
    if (fault?.kind === 'cut') return [...steps, { atMs, run: () => this.host.cut() }]
    if (fault?.kind === 'incomplete')
      return [...steps, { atMs, run: () => this.endEarly(fault.reason ?? 'max_output_tokens') }]
    for (const call of reply.calls ?? []) steps.push({ atMs, run: () => this.callFunction(call) })
    return [...steps, { atMs, run: () => this.finish('completed', null) }]
  }

  private beginMessage(): void {
    const item = this.begin({ type: 'message', role: 'assistant', content: [] }, 'item')
    this.message = { held: item, said: '', open: true }
    const part = this.plan.modality === 'audio' ? { type: 'audio', transcript: '' } : { type: 'text', text: '' }
    this.host.send({ type: 'response.content_part.added', ...this.contentIds(item.id), part })
  }

  private sendWords(delta: string): void {
    const { message } = this
    if (message === null) return
    message.said += delta
    const type =
      this.plan.modality === 'audio' ? 'response.output_audio_transcript.delta' : 'response.output_text.delta'
    this.host.send({ type, ...this.contentIds(message.held.id), delta })
  }

  private sendAudio(delta: EncodedDelta, late = false): void {
    const { message } = this
    if (message === null) return
    this.sentMs += delta.durationMs
    message.held.audioMs += delta.durationMs
    const ids = { responseId: this.id, itemId: message.held.id, outputIndex: this.output.length }
    this.host.sendDelta(ids, delta, late)
  }

  private sendLate(step: Step): void {
    if (step.delta !== undefined) this.sendAudio(step.delta, true)
  }

  private endMessage(status: 'completed' | 'incomplete'): void {
    const { message } = this
    if (message === null) return
    message.open = false
    const { held, said } = message
    const ids = this.contentIds(held.id)
    const isAudio = this.plan.modality === 'audio'
    if (isAudio) {
      this.host.send({ type: 'response.output_audio.done', ...ids })
      this.host.send({ type: 'response.output_audio_transcript.done', ...ids, transcript: said })
    } else this.host.send({ type: 'response.output_text.done', ...ids, text: said })
    const part = isAudio ? { type: 'audio', transcript: said } : { type: 'text', text: said }
    this.host.send({ type: 'response.content_part.done', ...ids, part })
    const content = isAudio ? { type: 'output_audio', transcript: said } : { type: 'output_text', text: said }
    this.end(held, { status, content: [content] })
  }

  private callFunction({ name, arguments: given, callId = this.host.newId('call') }: FunctionCall): void {
    const text = typeof given === 'string' ? given : JSON.stringify(given)
    const call = { type: 'function_call', name, call_id: callId }
    const held = this.begin({ ...call, arguments: '' }, 'item')
    const ids = { response_id: this.id, item_id: held.id, output_index: this.output.length, call_id: callId }
    const half = Math.ceil(text.length / 2)
    for (const delta of [text.slice(0, half), text.slice(half)]) {
      if (delta !== '') this.host.send({ type: 'response.function_call_arguments.delta', ...ids, delta })
    }
    this.host.send({ type: 'response.function_call_arguments.done', ...ids, name, arguments: text })
    this.end(held, { status: 'completed', arguments: text })
  }

  private endEarly(reason: string): void {
    this.endMessage('incomplete')
    this.finish('incomplete', { type: 'incomplete', reason })
  }

  private begin(body: Omit<WireItem, 'id'> & { readonly type: string }, prefix: string): HeldItem {
    const item: WireItem = { id: this.host.newId(prefix), object: 'realtime.item', status: 'in_progress', ...body }
    const added = this.inConversation ? this.host.conversation.append(item) : null
    this.host.send({ type: 'response.output_item.added', response_id: this.id, output_index: this.output.length, item })
    if (added === null) return { id: item.id, item, audioMs: 0 }
    this.host.send({ type: 'conversation.item.added', previous_item_id: added.previousId, item })
    return added.held
  }

  private end(held: HeldItem, change: object): void {
    const item = { ...held.item, ...change }
    held.item = item
    if (this.inConversation) {
      const index = this.host.conversation.items.indexOf(held)
      const previousId = this.host.conversation.items[index - 1]?.id ?? null
      this.host.send({ type: 'conversation.item.done', previous_item_id: previousId, item })
    }
    this.host.send({ type: 'response.output_item.done', response_id: this.id, output_index: this.output.length, item })
    this.output.push(item)
  }

  private finish(status: Status, details: object | null): void {
    this.stop()
    this.host.send({ type: 'response.done', response: this.object(status, details) })
    const limits = [
      { name: 'requests', limit: 1000, remaining: 999, reset_seconds: 0.06 },
      { name: 'tokens', limit: 50_000, remaining: 49_950, reset_seconds: 0.06 },
    ]
    this.host.send({ type: 'rate_limits.updated', rate_limits: limits })
    this.host.ended(this)
  }

  private contentIds(itemId: string) {
    return { response_id: this.id, item_id: itemId, output_index: this.output.length, content_index: 0 }
  }

  private object(status: Status, details: object | null): object {
    const { modality, metadata, conversationId, audio, maxOutputTokens } = this.plan
    return {
      object: 'realtime.response',
      id: this.id,
      status,
      status_details: details,
      output: this.output,
      conversation_id: conversationId,
      output_modalities: [modality],
      max_output_tokens: maxOutputTokens,
      audio,
      usage: status === 'in_progress' ? null : (this.plan.reply.usage ?? this.usage()),
      metadata,
    }
  }

  /** As the documentation counts: a token for 100 ms of the caller's audio, and for 50 ms of the model's. */
  private usage(): object {
    const { text, audio } = this.plan.inputTokens
    const textOut = Math.ceil((this.message?.said.length ?? 0) / 4)
    const audioOut = Math.ceil(this.sentMs / 50)
    const cached = { text_tokens: 0, audio_tokens: 0, image_tokens: 0 }
    const input = {
      text_tokens: text,
      audio_tokens: audio,
      image_tokens: 0,
      cached_tokens: 0,
      cached_tokens_details: cached,
    }
    return {
      total_tokens: text + audio + textOut + audioOut,
      input_tokens: text + audio,
      output_tokens: textOut + audioOut,
      input_token_details: input,
      output_token_details: { text_tokens: textOut, audio_tokens: audioOut },
    }
  }
}
