import * as v from 'valibot'
import type { ChatMessage } from '#agent/provider.ts'

/**
 * Bytes of `POST {base}/chat/completions` ↔ what a session does with them; pure, without a socket. The parser is
 * tolerant where servers differ: line ends, comments, characters split across reads, chunks without choices,
 * reasoning in three places, errors in the middle, a missing `[DONE]`.
 */

export type WireEvent =
  | { readonly type: 'text'; readonly delta: string }
  /** The server says that the answer is complete. */
  | { readonly type: 'finish' }
  | { readonly type: 'error'; readonly failure: WireFailure }

export interface WireFailure {
  /** Stable and snake_case: a metric label. */
  readonly code:
    | 'unauthorized'
    | 'model_not_found'
    | 'rate_limited'
    | 'timeout'
    | 'unreachable'
    | 'bad_request'
    | 'bad_answer'
    | 'server_error'
  /** Ours, with at most an identifier of the server's: its own sentences may repeat what the caller said. */
  readonly message: string
  readonly retryable: boolean
}

// ── request ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** What a server was found not to take; learnt from its own complaint, so that nothing is retried blindly. */
export interface Dialect {
  readonly maxTokensKey: 'max_tokens' | 'max_completion_tokens'
  readonly temperature: boolean
}

export const commonDialect: Dialect = { maxTokensKey: 'max_tokens', temperature: true }

export interface RequestFacts {
  readonly model: string
  readonly messages: readonly ChatMessage[]
  readonly temperature: number
  readonly maxTokens: number
  readonly dialect: Dialect
}

/** Only what every compatible server knows. */
export function requestBody({ model, messages, temperature, maxTokens, dialect }: RequestFacts): string {
  return JSON.stringify({
    model,
    messages,
    stream: true,
    [dialect.maxTokensKey]: maxTokens,
    ...(dialect.temperature ? { temperature } : {}),
  })
}

/** The system messages, and of the others the last `turns` pairs with the newest message. */
export function recentMessages(messages: readonly ChatMessage[], turns: number): readonly ChatMessage[] {
  const spoken = messages.filter(({ role }) => role !== 'system')
  const kept = new Set(spoken.slice(-(turns * 2 + 1)))
  return messages.filter((message) => message.role === 'system' || kept.has(message))
}

// ── answer ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** 1 MiB: one event of a chat answer has some hundred bytes. */
const eventBytesMax = 1024 * 1024

/** Server-sent events: bytes → the `data` of each event. */
export class SseParser {
  private readonly decoder = new TextDecoder()
  private pending = ''
  private data: string[] = []
  private dataLength = 0
  overflowed: boolean = false

  push(bytes: Uint8Array): string[] {
    return this.take(this.decoder.decode(bytes, { stream: true }))
  }

  /** The stream has ended: a last event without its empty line still counts. */
  end(): string[] {
    return this.take(`${this.decoder.decode()}\n\n`)
  }

  private take(text: string): string[] {
    const events: string[] = []
    const lines = (this.pending + text).split('\n')
    this.pending = lines.pop() ?? ''
    for (const raw of lines) {
      const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw
      if (line === '') {
        if (this.data.length > 0) events.push(this.data.join('\n'))
        this.data = []
        this.dataLength = 0
      } else if (line.startsWith('data:')) {
        this.data.push(line.slice(line[5] === ' ' ? 6 : 5))
        this.dataLength += line.length
      }
    }
    if (this.pending.length + this.dataLength > eventBytesMax) {
      this.overflowed = true
      this.pending = ''
      this.data = []
      this.dataLength = 0
    }
    return events
  }
}

/**
 * Takes `<think>…</think>` out of text that comes in pieces: some servers don't separate what a model thinks from what
 * it says. A piece that may be the beginning of a tag is held back until the next one tells.
 */
export class ThinkFilter {
  private held = ''
  private thinking: boolean = false

  push(text: string): string {
    let rest = this.held + text
    let spoken = ''
    this.held = ''
    while (rest !== '') {
      const tag = this.thinking ? '</think>' : '<think>'
      const found = rest.indexOf(tag)
      if (found >= 0) {
        if (!this.thinking) spoken += rest.slice(0, found)
        rest = rest.slice(found + tag.length)
        // The empty lines after a thought are no part of the answer.
        if (this.thinking) rest = rest.trimStart()
        this.thinking = !this.thinking
        continue
      }
      const tail = partialTag(rest, tag)
      if (!this.thinking) spoken += rest.slice(0, rest.length - tail)
      this.held = rest.slice(rest.length - tail)
      break
    }
    return spoken
  }

  end(): string {
    const rest = this.thinking ? '' : this.held
    this.held = ''
    return rest
  }
}

/** How many characters at the end of `text` are the beginning of `tag`. */
function partialTag(text: string, tag: string): number {
  for (let length = Math.min(tag.length - 1, text.length); length > 0; length -= 1) {
    if (tag.startsWith(text.slice(-length))) return length
  }
  return 0
}

const contentSchema = v.nullish(v.union([v.string(), v.array(v.looseObject({ text: v.optional(v.string(), '') }))]))
const messageSchema = v.nullish(v.looseObject({ content: contentSchema, refusal: v.nullish(v.string()) }))
const choiceSchema = v.looseObject({
  index: v.optional(v.number(), 0),
  /** In a stream. */
  delta: messageSchema,
  /** In an answer that came whole. */
  message: messageSchema,
  finish_reason: v.nullish(v.string()),
})
const chunkSchema = v.looseObject({
  choices: v.nullish(v.array(choiceSchema)),
  error: v.nullish(v.unknown()),
})

/** A whole answer's events: network bytes in, text and an end out. */
export class ChatStream {
  private readonly sse = new SseParser()
  private readonly think = new ThinkFilter()
  private finished: boolean = false

  push(bytes: Uint8Array): readonly WireEvent[] {
    return this.events(this.sse.push(bytes))
  }

  /** A clean close without `[DONE]` is a normal end where the server had said why it ended. */
  end(): readonly WireEvent[] {
    const events = this.events(this.sse.end())
    const rest = this.think.end()
    const last: WireEvent = this.finished
      ? { type: 'finish' }
      : { type: 'error', failure: { code: 'bad_answer', message: 'the answer broke off', retryable: true } }
    return [...events, ...(rest === '' ? [] : [{ type: 'text', delta: rest } as const]), last]
  }

  private events(payloads: readonly string[]): WireEvent[] {
    let text = ''
    let failure: WireFailure | undefined
    for (const payload of payloads) {
      if (payload.trim() === '[DONE]') {
        this.finished = true
        continue
      }
      const chunk = v.safeParse(chunkSchema, parseJson(payload))
      if (!chunk.success)
        failure ??= { code: 'bad_answer', message: 'a chunk of the answer is not what it should be', retryable: true }
      else if (chunk.output.error) failure ??= failureOfBody(chunk.output)
      else text += this.think.push(this.textOf(chunk.output))
    }
    if (this.sse.overflowed)
      failure ??= { code: 'bad_answer', message: 'an event of the answer has no end', retryable: false }
    const spoken: WireEvent[] = text === '' ? [] : [{ type: 'text', delta: text }]
    return failure === undefined ? spoken : [...spoken, { type: 'error', failure }]
  }

  private textOf({ choices }: v.InferOutput<typeof chunkSchema>): string {
    // The last chunk of a stream with usage figures has no choices at all.
    const choice = choices?.find(({ index }) => index === 0)
    if (choice === undefined) return ''
    if (typeof choice.finish_reason === 'string') this.finished = true
    return wordsOf(choice.delta) || wordsOf(choice.message)
  }
}

/** What is meant to be said: content or a refusal, never `reasoning` or `reasoning_content`. */
function wordsOf(message: v.InferOutput<typeof messageSchema>): string {
  const content = message?.content
  if (typeof content === 'string' && content !== '') return content
  if (Array.isArray(content)) return content.map(({ text }) => text).join('')
  return message?.refusal ?? ''
}

/** The answer of a server that does not stream, although it was asked to. */
export function wholeAnswer(body: string): readonly WireEvent[] {
  const parsed = v.safeParse(chunkSchema, parseJson(body))
  if (!parsed.success)
    return [
      { type: 'error', failure: { code: 'bad_answer', message: 'the answer is not JSON of a chat', retryable: true } },
    ]
  if (parsed.output.error) return [{ type: 'error', failure: failureOfBody(parsed.output) }]
  const think = new ThinkFilter()
  const text = think.push(wordsOf(parsed.output.choices?.[0]?.message)) + think.end()
  return text === '' ? [{ type: 'finish' }] : [{ type: 'text', delta: text }, { type: 'finish' }]
}

// ── errors ───────────────────────────────────────────────────────────────────────────────────────────────────────

const errorSchema = v.looseObject({
  error: v.looseObject({
    message: v.optional(v.string(), ''),
    type: v.nullish(v.string()),
    param: v.nullish(v.string()),
    code: v.nullish(v.union([v.string(), v.number()])),
  }),
})

interface ErrorFacts {
  readonly words: string
  /** The server's own identifiers, for the log. */
  readonly tag: string
  readonly param: string
}

/** `{error: {…}}`, `{error: "text"}`, `{detail: …}` and plain text all occur. */
function factsOfBody(body: unknown): ErrorFacts {
  const parsed = v.safeParse(errorSchema, body)
  if (!parsed.success) return { words: typeof body === 'string' ? body : JSON.stringify(body), tag: '', param: '' }
  const { message, type, code, param } = parsed.output.error
  const tags = [type, typeof code === 'string' ? code : undefined].filter((tag) => tag !== undefined && tag !== null)
  // Identifiers only: anything with a space may be a sentence with the caller's words in it.
  const tag = [...new Set(tags.filter((each) => /^[A-Za-z0-9_.-]{1,64}$/.test(each)))].join(' ')
  return { words: `${message} ${tags.join(' ')}`, tag, param: param ?? '' }
}

/** An error that came inside an answer that had begun well. */
function failureOfBody(body: unknown): WireFailure {
  const { words, tag } = factsOfBody(body)
  const code = (body as { error?: { code?: unknown } }).error?.code
  const status = typeof code === 'number' ? code : /rate.?limit/i.test(words) ? 429 : 500
  return failureOfStatus(status, tag, words)
}

export function failureOfResponse(status: number, body: string): WireFailure {
  const { words, tag } = factsOfBody(parseJson(body) ?? body)
  return failureOfStatus(status, tag, words)
}

/** Which parameter of ours a 400 complains about, if it is one that can be left out or renamed. */
export function dialectAfter(status: number, body: string, dialect: Dialect): Dialect | undefined {
  if (status !== 400) return undefined
  const { words, param } = factsOfBody(parseJson(body) ?? body)
  const about = (name: string) => param === name || (param === '' && new RegExp(`\\b${name}\\b`).test(words))
  if (about('max_tokens') && dialect.maxTokensKey === 'max_tokens')
    return { ...dialect, maxTokensKey: 'max_completion_tokens' }
  if (about('temperature') && dialect.temperature) return { ...dialect, temperature: false }
  return undefined
}

function failureOfStatus(status: number, tag: string, words: string): WireFailure {
  const said = tag === '' ? `the server answered ${status}` : `the server answered ${status} (${tag})`
  if (status === 401 || status === 403)
    return { code: 'unauthorized', message: `${said}: is the API key right?`, retryable: false }
  if (status === 404 || /model.?not.?found|model .* (does not exist|not found)/i.test(words)) {
    if (/model/i.test(words))
      return { code: 'model_not_found', message: `${said}: it does not have this model`, retryable: false }
    return { code: 'bad_request', message: `${said}: is base_url right, with its version path?`, retryable: false }
  }
  if (status === 429) {
    // Money that is used up does not come back within a call.
    return { code: 'rate_limited', message: said, retryable: !/quota|billing/i.test(words) }
  }
  if (status === 408 || status === 409 || status >= 500) return { code: 'server_error', message: said, retryable: true }
  return { code: 'bad_request', message: said, retryable: false }
}

/** How long the server asks to wait, in milliseconds; undefined where it doesn't say. */
export function retryAfterMs(headers: Headers): number | undefined {
  const exact = Number.parseFloat(headers.get('retry-after-ms') ?? '')
  if (Number.isFinite(exact) && exact >= 0) return exact
  const seconds = Number.parseFloat(headers.get('retry-after') ?? '')
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined
}

// ── models ───────────────────────────────────────────────────────────────────────────────────────────────────────

const modelsSchema = v.looseObject({ data: v.array(v.looseObject({ id: v.string() })) })

/** The names in the answer of `GET {base}/models`; undefined when it isn't one. */
export function modelNames(body: string): readonly string[] | undefined {
  const parsed = v.safeParse(modelsSchema, parseJson(body))
  return parsed.success ? parsed.output.data.map(({ id }) => id) : undefined
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
