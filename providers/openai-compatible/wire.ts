import * as v from 'valibot'
import type { FunctionCall } from '#agent/functions.ts'
import type { TokenCounts } from '#agent/usage.ts'
import { failureOfBody, parseJson, type WireFailure } from './failure-wire.ts'
import { SseParser, ThinkFilter } from './sse.ts'
import { CallFragments, fragmentSchema } from './tool-calls-wire.ts'
import { tokensOf } from './usage-wire.ts'

/**
 * Bytes of `POST {base}/chat/completions` ↔ what a session does with them; pure, without a socket. The parser is
 * tolerant where servers differ: line ends, comments, characters split across reads, chunks without choices,
 * reasoning in three places, errors in the middle, a missing `[DONE]`.
 */

export type WireEvent =
  | { readonly type: 'text'; readonly delta: string }
  /** A function is being asked for: what it is and with what comes at the end. */
  | { readonly type: 'calling' }
  | { readonly type: 'calls'; readonly calls: readonly FunctionCall[] }
  /** Of the whole answer. */
  | { readonly type: 'usage'; readonly tokens: TokenCounts }
  /** The server says that the answer is complete. */
  | { readonly type: 'finish' }
  | { readonly type: 'error'; readonly failure: WireFailure }

// ── answer ───────────────────────────────────────────────────────────────────────────────────────────────────────

const contentSchema = v.nullish(v.union([v.string(), v.array(v.looseObject({ text: v.optional(v.string(), '') }))]))
const messageSchema = v.nullish(
  v.looseObject({
    content: contentSchema,
    refusal: v.nullish(v.string()),
    tool_calls: v.nullish(v.array(fragmentSchema)),
  }),
)
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
  usage: v.nullish(v.unknown()),
})

/** A whole answer's events: network bytes in, text and an end out. */
export class ChatStream {
  private readonly sse = new SseParser()
  private readonly think = new ThinkFilter()
  private readonly calls = new CallFragments()
  private finished: boolean = false
  /** The server has said that nothing more will come: whoever waits for the connection to close may wait in vain. */
  done = false
  /** Some servers tell it with every chunk: the last one counts. */
  private tokens: TokenCounts | null = null

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
    const calls = this.finished ? callsOf(this.calls) : []
    const text = rest === '' ? [] : [{ type: 'text', delta: rest } as const]
    return [...events, ...text, ...calls, ...usageOf(this.tokens), last]
  }

  private events(payloads: readonly string[]): WireEvent[] {
    let text = ''
    let calling = false
    let failure: WireFailure | undefined
    for (const payload of payloads) {
      if (payload.trim() === '[DONE]') {
        this.finished = true
        this.done = true
        continue
      }
      const chunk = v.safeParse(chunkSchema, parseJson(payload))
      if (!chunk.success)
        failure ??= { code: 'bad_answer', message: 'a chunk of the answer is not what it should be', retryable: true }
      else if (chunk.output.error) failure ??= failureOfBody(chunk.output)
      else {
        this.tokens = tokensOf(chunk.output.usage) ?? this.tokens
        text += this.think.push(this.textOf(chunk.output))
        calling = this.callsIn(chunk.output) || calling
      }
    }
    if (this.sse.overflowed)
      failure ??= { code: 'bad_answer', message: 'an event of the answer has no end', retryable: false }
    const given: WireEvent[] = text === '' ? [] : [{ type: 'text', delta: text }]
    if (calling) given.push({ type: 'calling' })
    return failure === undefined ? given : [...given, { type: 'error', failure }]
  }

  private callsIn({ choices }: v.InferOutput<typeof chunkSchema>): boolean {
    const choice = choices?.find(({ index }) => index === 0)
    const fragments = choice?.delta?.tool_calls ?? choice?.message?.tool_calls ?? []
    this.calls.add(fragments)
    return fragments.length > 0
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
  const message = parsed.output.choices?.[0]?.message
  const text = think.push(wordsOf(message)) + think.end()
  const fragments = new CallFragments()
  fragments.add(message?.tool_calls ?? [])
  const words = text === '' ? [] : [{ type: 'text', delta: text } as const]
  return [...words, ...callsOf(fragments), ...usageOf(tokensOf(parsed.output.usage)), { type: 'finish' }]
}

function usageOf(tokens: TokenCounts | null): WireEvent[] {
  return tokens === null ? [] : [{ type: 'usage', tokens }]
}

function callsOf({ calls }: CallFragments): WireEvent[] {
  return calls.length === 0 ? [] : [{ type: 'calls', calls }]
}

// ── models ───────────────────────────────────────────────────────────────────────────────────────────────────────

const modelsSchema = v.looseObject({ data: v.array(v.looseObject({ id: v.string() })) })

/** The names in the answer of `GET {base}/models`; undefined when it isn't one. */
export function modelNames(body: string): readonly string[] | undefined {
  const parsed = v.safeParse(modelsSchema, parseJson(body))
  return parsed.success ? parsed.output.data.map(({ id }) => id) : undefined
}
