import * as v from 'valibot'
import type { ChatMessage } from '#agent/provider.ts'
import { failed, ok, type Result } from '#base/result.ts'
import type { GenerateRequest } from './llm-engine.ts'

/** The child's side of OpenAI-compatible HTTP: request → what to generate, answer → chunks; and its first line. Pure. */

/** The line that a parent sends first: the prompt that calls begin with, as JSON, hence without line breaks. */
export function renderStart(prompt: string): string {
  return JSON.stringify(prompt)
}

/** A line of another kind is no prompt: priming only saves time. */
export function parseStart(line: string): string {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'string' ? value : ''
  } catch {
    return ''
  }
}

const contentSchema = v.union([
  v.string(),
  v.pipe(
    v.array(v.looseObject({ type: v.literal('text'), text: v.string() })),
    v.transform((parts) => parts.map(({ text }) => text).join('')),
  ),
])

const requestSchema = v.looseObject({
  messages: v.pipe(
    v.array(v.looseObject({ role: v.picklist(['system', 'developer', 'user', 'assistant']), content: contentSchema })),
    v.minLength(1),
    v.maxLength(1000),
  ),
  stream: v.nullish(v.boolean(), false),
  temperature: v.nullish(v.pipe(v.number(), v.minValue(0), v.maxValue(2)), 0.4),
  max_tokens: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(1))),
  max_completion_tokens: v.nullish(v.pipe(v.number(), v.integer(), v.minValue(1))),
  seed: v.nullish(v.pipe(v.number(), v.integer())),
  stream_options: v.nullish(v.looseObject({ include_usage: v.nullish(v.boolean()) })),
})

const tokensDefault = 60
const tokensMax = 512

export interface ChatRequest extends GenerateRequest {
  readonly stream: boolean
  /** The last chunk tells how many tokens it has taken. */
  readonly includeUsage: boolean
}

/** The failure names the member that is wrong, never its content. */
export function parseChatRequest(body: string): Result<ChatRequest, string> {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return failed('the body is not JSON')
  }
  const parsed = v.safeParse(requestSchema, value)
  if (!parsed.success) return failed(`${v.getDotPath(parsed.issues[0]) ?? 'the body'} is not what it should be`)
  const { messages, stream, temperature, max_tokens, max_completion_tokens, seed, stream_options } = parsed.output
  return ok({
    messages: messages.map(
      ({ role, content }): ChatMessage => ({ role: role === 'developer' ? 'system' : role, content }),
    ),
    stream,
    includeUsage: stream_options?.include_usage === true,
    temperature,
    maxTokens: Math.min(max_completion_tokens ?? max_tokens ?? tokensDefault, tokensMax),
    seed: seed ?? undefined,
  })
}

export interface AnswerHead {
  readonly id: string
  /** Seconds since 1970. */
  readonly created: number
  readonly model: string
}

type FinishReason = 'stop' | 'length'

export function renderChunk(
  head: AnswerHead,
  delta: { role?: 'assistant'; content?: string },
  finish: FinishReason | null,
): string {
  const choices = [{ index: 0, delta, finish_reason: finish }]
  return renderEvent({ ...head, object: 'chat.completion.chunk', choices, usage: null })
}

/** Behind the last words. */
export function renderUsage(head: AnswerHead, prompt: number, completion: number): string {
  return renderEvent({ ...head, object: 'chat.completion.chunk', choices: [], usage: usageOf(prompt, completion) })
}

function usageOf(prompt: number, completion: number): object {
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion }
}

export function renderEvent(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`
}

export const doneEvent = 'data: [DONE]\n\n'

export function renderCompletion(
  head: AnswerHead,
  content: string,
  finish: FinishReason,
  prompt: number,
  completion: number,
): object {
  const choices = [{ index: 0, message: { role: 'assistant', content }, finish_reason: finish }]
  return { ...head, object: 'chat.completion', choices, usage: usageOf(prompt, completion) }
}

export function renderError(message: string, type: string): object {
  return { error: { message, type, param: null, code: type } }
}
