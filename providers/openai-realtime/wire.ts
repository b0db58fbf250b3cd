import * as v from 'valibot'
import type { TokenCounts } from '#agent/usage.ts'
import { identifier } from '#base/identifier.ts'
import type { Invocation } from '#tools/invocations.ts'
import { tokensOf } from './usage-wire.ts'

/**
 * Messages of the Realtime API → what a session does with them; pure, without a socket. What the client sends stands in
 * `client-wire.ts`.
 *
 * The reader is tolerant: an event that it doesn't know is counted and passed over, fields that it doesn't need are not
 * looked at, and the beta's names of events mean the same as those of GA (compatible servers still send them). An event
 * that it knows and that lacks what it needs is malformed.
 */
export type ServerEvent =
  | { readonly type: 'session'; readonly updated: boolean; readonly session: SessionFacts }
  | { readonly type: 'error'; readonly error: ServerError }
  | { readonly type: 'speech_started'; readonly itemId: string }
  | { readonly type: 'speech_stopped'; readonly itemId: string }
  | { readonly type: 'committed'; readonly itemId: string; readonly previousItemId: string | null }
  /** An item is in the conversation, behind `previousItemId` where that is told. */
  | { readonly type: 'item'; readonly item: ItemFacts; readonly previousItemId: string | null }
  /** What the caller said: a piece of it, or all. */
  | { readonly type: 'caller_words'; readonly itemId: string; readonly whole: boolean; readonly text: string }
  | { readonly type: 'caller_words_failed'; readonly itemId: string }
  /** `ask`: what we asked for it with, where the server tells our metadata again. */
  | { readonly type: 'response_created'; readonly responseId: string; readonly ask: string | null }
  | { readonly type: 'response_done'; readonly response: ResponseFacts }
  | { readonly type: 'output_item'; readonly responseId: string; readonly item: ItemFacts }
  | AudioDelta
  | { readonly type: 'audio_done'; readonly responseId: string; readonly itemId: string }
  | AgentWords
  | { readonly type: 'invocation'; readonly responseId: string; readonly invocation: Invocation }
  | { readonly type: 'rate_limits'; readonly limits: readonly RateLimit[] }
  /** Known, and nothing follows from it. */
  | { readonly type: 'acknowledged'; readonly what: string }

export interface AudioDelta {
  readonly type: 'audio'
  readonly responseId: string
  readonly itemId: string
  readonly base64: string
}

/** What the agent says: a piece of it, or all. */
export interface AgentWords {
  readonly type: 'agent_words'
  readonly responseId: string
  readonly itemId: string
  readonly whole: boolean
  readonly text: string
}

export interface ItemFacts {
  readonly id: string
  readonly kind: 'message' | 'function_call' | 'other'
  readonly role: 'user' | 'assistant' | 'system' | null
  /** Of a `function_call`; its name is empty where the event leaves it to the item. */
  readonly invocation: Invocation | null
}

export interface ResponseFacts {
  readonly id: string
  readonly status: 'completed' | 'cancelled' | 'failed' | 'incomplete'
  readonly reason: string
  /** The server's identifier of what went wrong, never its words. */
  readonly code: string
  readonly invocations: readonly Invocation[]
  /** Null: it was not told. */
  readonly tokens: TokenCounts | null
}

export interface ServerError {
  /** The server's identifiers, never its words: those may hold the caller's. */
  readonly code: string
  readonly param: string
  /** Our `event_id` of the message at fault; empty where the server names none. */
  readonly causedBy: string
}

export interface RateLimit {
  readonly name: string
  readonly remaining: number
  readonly resetMs: number
}

/** What a session says of its formats; null where it doesn't. */
export interface SessionFacts {
  readonly inputFormat: string | null
  readonly outputFormat: string | null
}

// ── the shapes ───────────────────────────────────────────────────────────────────────────────────────────────────

const id = v.pipe(v.string(), v.nonEmpty())
const optionalText = v.nullish(v.string())

/** A text, or an object that holds one: servers differ. */
const words = v.union([v.string(), v.looseObject({ text: optionalText, transcript: optionalText })])
const textOf = (value: v.InferOutput<typeof words> | null | undefined): string => {
  if (typeof value === 'string') return value
  return value?.transcript ?? value?.text ?? ''
}

const itemShape = v.looseObject({
  id,
  type: v.string(),
  role: optionalText,
  name: optionalText,
  call_id: optionalText,
  arguments: optionalText,
})
const inResponse = { response_id: id, item_id: id }
const errorShape = v.looseObject({
  type: optionalText,
  code: v.nullish(v.union([v.string(), v.number()])),
  param: optionalText,
  event_id: optionalText,
})
/** GA nests an object, the beta had a word. */
const formatShape = v.nullish(v.union([v.string(), v.looseObject({ type: v.string(), rate: v.nullish(v.number()) })]))
const sessionShape = v.looseObject({
  audio: v.nullish(
    v.looseObject({
      input: v.nullish(v.looseObject({ format: formatShape })),
      output: v.nullish(v.looseObject({ format: formatShape })),
    }),
  ),
  input_audio_format: optionalText,
  output_audio_format: optionalText,
})
const responseShape = v.looseObject({
  id,
  status: v.picklist(['completed', 'cancelled', 'failed', 'incomplete']),
  status_details: v.nullish(
    v.looseObject({
      reason: optionalText,
      error: v.nullish(v.looseObject({ type: optionalText, code: optionalText })),
    }),
  ),
  output: v.nullish(v.array(v.unknown())),
  usage: v.nullish(v.unknown()),
})
const limitsShape = v.looseObject({
  rate_limits: v.array(
    v.looseObject({ name: v.string(), remaining: v.nullish(v.number()), reset_seconds: v.nullish(v.number()) }),
  ),
})

type Reader = (message: unknown) => ServerEvent | null

function reader<const Entries extends v.ObjectEntries>(
  entries: Entries,
  make: (fields: v.InferOutput<v.LooseObjectSchema<Entries, undefined>>) => ServerEvent,
): Reader {
  const shape = v.looseObject(entries)
  return (message) => {
    const parsed = v.safeParse(shape, message)
    return parsed.success ? make(parsed.output) : null
  }
}

const acknowledged: Reader = (message) => ({ type: 'acknowledged', what: (message as { type: string }).type })
const session = (updated: boolean) =>
  reader({ session: sessionShape }, (fields) => ({ type: 'session', updated, session: sessionFacts(fields.session) }))
const item = reader({ item: itemShape, previous_item_id: optionalText }, (fields) => ({
  type: 'item',
  item: itemFacts(fields.item),
  previousItemId: fields.previous_item_id ?? null,
}))
const outputItem = reader({ response_id: id, item: itemShape }, (fields) => ({
  type: 'output_item',
  responseId: fields.response_id,
  item: itemFacts(fields.item),
}))
const audioDone = reader(inResponse, (fields) => ({
  type: 'audio_done',
  responseId: fields.response_id,
  itemId: fields.item_id,
}))
const agentDelta = reader({ ...inResponse, delta: words }, (fields) => ({
  type: 'agent_words',
  responseId: fields.response_id,
  itemId: fields.item_id,
  whole: false,
  text: textOf(fields.delta),
}))
const agentWhole = reader({ ...inResponse, transcript: v.nullish(words), text: v.nullish(words) }, (fields) => ({
  type: 'agent_words',
  responseId: fields.response_id,
  itemId: fields.item_id,
  whole: true,
  text: textOf(fields.transcript) || textOf(fields.text),
}))
const speech = (type: 'speech_started' | 'speech_stopped') =>
  reader({ item_id: v.nullish(v.string()) }, (fields) => ({ type, itemId: fields.item_id ?? '' }))

// keyed by: the type of a server event
const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['session.created', session(false)],
  ['session.updated', session(true)],
  ['error', reader({ error: errorShape }, (fields) => ({ type: 'error', error: errorFacts(fields.error) }))],
  ['input_audio_buffer.speech_started', speech('speech_started')],
  ['input_audio_buffer.speech_stopped', speech('speech_stopped')],
  [
    'input_audio_buffer.committed',
    reader({ item_id: id, previous_item_id: optionalText }, (fields) => ({
      type: 'committed',
      itemId: fields.item_id,
      previousItemId: fields.previous_item_id ?? null,
    })),
  ],
  ['input_audio_buffer.cleared', acknowledged],
  ['input_audio_buffer.timeout_triggered', acknowledged],
  ['conversation.created', acknowledged],
  ['conversation.item.created', item],
  ['conversation.item.added', item],
  ['conversation.item.done', item],
  ['conversation.item.retrieved', acknowledged],
  ['conversation.item.deleted', acknowledged],
  ['conversation.item.truncated', acknowledged],
  [
    'conversation.item.input_audio_transcription.delta',
    reader({ item_id: id, delta: v.nullish(words) }, (fields) => ({
      type: 'caller_words',
      itemId: fields.item_id,
      whole: false,
      text: textOf(fields.delta),
    })),
  ],
  [
    'conversation.item.input_audio_transcription.completed',
    reader({ item_id: id, transcript: words }, (fields) => ({
      type: 'caller_words',
      itemId: fields.item_id,
      whole: true,
      text: textOf(fields.transcript),
    })),
  ],
  ['conversation.item.input_audio_transcription.segment', acknowledged],
  [
    'conversation.item.input_audio_transcription.failed',
    reader({ item_id: id }, (fields) => ({ type: 'caller_words_failed', itemId: fields.item_id })),
  ],
  [
    'response.created',
    reader(
      { response: v.looseObject({ id, metadata: v.nullish(v.looseObject({ ask: v.optional(v.unknown()) })) }) },
      (fields) => {
        const { id: responseId, metadata } = fields.response
        return { type: 'response_created', responseId, ask: typeof metadata?.ask === 'string' ? metadata.ask : null }
      },
    ),
  ],
  [
    'response.done',
    reader({ response: responseShape }, (fields) => ({
      type: 'response_done',
      response: responseFacts(fields.response),
    })),
  ],
  ['response.output_item.added', outputItem],
  ['response.output_item.done', outputItem],
  ['response.content_part.added', acknowledged],
  ['response.content_part.done', acknowledged],
  ['response.output_audio.done', audioDone],
  ['response.audio.done', audioDone],
  ['response.output_audio_transcript.delta', agentDelta],
  ['response.audio_transcript.delta', agentDelta],
  ['response.output_audio_transcript.done', agentWhole],
  ['response.audio_transcript.done', agentWhole],
  ['response.output_text.delta', agentDelta],
  ['response.text.delta', agentDelta],
  ['response.output_text.done', agentWhole],
  ['response.text.done', agentWhole],
  ['response.function_call_arguments.delta', acknowledged],
  [
    'response.function_call_arguments.done',
    reader({ response_id: id, call_id: id, name: optionalText, arguments: v.string() }, (fields) => ({
      type: 'invocation',
      responseId: fields.response_id,
      invocation: { id: fields.call_id, name: fields.name ?? '', text: fields.arguments },
    })),
  ],
  ['rate_limits.updated', reader(limitsShape.entries, (fields) => ({ type: 'rate_limits', limits: limits(fields) }))],
])

/** Many a second and large: looked at by hand. */
const audioTypes = ['response.output_audio.delta', 'response.audio.delta']

/** One message of the server's; `unknown` and `malformed` are for the counters. */
export function readServerEvent(text: string): ServerEvent | 'unknown' | 'malformed' {
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch {
    return 'malformed'
  }
  if (typeof message !== 'object' || message === null) return 'malformed'
  const { type } = message as { type?: unknown }
  if (typeof type !== 'string') return 'malformed'
  if (audioTypes.includes(type)) return audioDelta(message) ?? 'malformed'
  const read = readers.get(type)
  return read === undefined ? 'unknown' : (read(message) ?? 'malformed')
}

function audioDelta(message: object): AudioDelta | null {
  const { response_id: responseId, item_id: itemId, delta } = message as Readonly<Record<string, unknown>>
  if (typeof responseId !== 'string' || typeof itemId !== 'string' || typeof delta !== 'string') return null
  return { type: 'audio', responseId, itemId, base64: delta }
}

function itemFacts(item: v.InferOutput<typeof itemShape>): ItemFacts {
  const { role, type } = item
  return {
    id: item.id,
    kind: type === 'message' || type === 'function_call' ? type : 'other',
    role: role === 'user' || role === 'assistant' || role === 'system' ? role : null,
    invocation: type === 'function_call' && item.call_id ? invocationOf(item.call_id, item.name, item.arguments) : null,
  }
}

function invocationOf(callId: string, name: string | null | undefined, text: string | null | undefined): Invocation {
  return { id: callId, name: name ?? '', text: text ?? '' }
}

function responseFacts(response: v.InferOutput<typeof responseShape>): ResponseFacts {
  const { id: responseId, status, status_details: details, output, usage } = response
  const items = (output ?? []).flatMap((each) => {
    const parsed = v.safeParse(itemShape, each)
    return parsed.success ? [itemFacts(parsed.output)] : []
  })
  return {
    id: responseId,
    status,
    reason: identifier(details?.reason),
    code: identifier(details?.error?.code) || identifier(details?.error?.type),
    invocations: items.flatMap(({ invocation }) => invocation ?? []),
    tokens: tokensOf(usage),
  }
}

function errorFacts({ code, type, param, event_id: causedBy }: v.InferOutput<typeof errorShape>): ServerError {
  return {
    code: identifier(typeof code === 'number' ? String(code) : code) || identifier(type) || 'error',
    param: identifier(param),
    causedBy: identifier(causedBy),
  }
}

function sessionFacts(session: v.InferOutput<typeof sessionShape>): SessionFacts {
  return {
    inputFormat: formatName(session.audio?.input?.format ?? session.input_audio_format),
    outputFormat: formatName(session.audio?.output?.format ?? session.output_audio_format),
  }
}

const pcmHz = 24_000
/** The beta's names, as GA has them. */
const formatNames: Readonly<Record<string, string>> = {
  pcm16: 'audio/pcm',
  g711_ulaw: 'audio/pcmu',
  g711_alaw: 'audio/pcma',
}

/** PCM at another rate than the one of this API is named with it: it is another format. */
function formatName(format: v.InferOutput<typeof formatShape>): string | null {
  if (format === null || format === undefined) return null
  const { type: name, rate } = typeof format === 'string' ? { type: format, rate: null } : format
  const known = formatNames[name] ?? name
  return known === 'audio/pcm' && rate && rate !== pcmHz ? `${known} at ${rate} Hz` : known
}

function limits({ rate_limits: rows }: v.InferOutput<typeof limitsShape>): RateLimit[] {
  return rows.map(({ name, remaining, reset_seconds: resetSeconds }) => ({
    name: identifier(name),
    remaining: remaining ?? 0,
    resetMs: (resetSeconds ?? 0) * 1000,
  }))
}
