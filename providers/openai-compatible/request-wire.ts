import type { FunctionDeclaration } from '#agent/functions.ts'
import type { ChatMessage } from '#agent/provider.ts'
import { factsOfBody, parseJson } from './failure-wire.ts'

/** What is sent to `POST {base}/chat/completions`, and what a server was found not to take; pure. */

/** Learnt from the server's own complaint, so that nothing is retried blindly. */
export interface Dialect {
  readonly maxTokensKey: 'max_tokens' | 'max_completion_tokens'
  readonly temperature: boolean
  readonly tools: boolean
  /** It tells how many tokens an answer has taken where it is asked to. */
  readonly usage: boolean
}

export const commonDialect: Dialect = { maxTokensKey: 'max_tokens', temperature: true, tools: true, usage: true }

export interface RequestFacts {
  readonly model: string
  readonly messages: readonly ChatMessage[]
  readonly functions?: readonly FunctionDeclaration[]
  readonly temperature: number
  readonly maxTokens: number
  readonly dialect: Dialect
}

/** Only what every compatible server knows. */
export function requestBody({
  model,
  messages,
  functions = [],
  temperature,
  maxTokens,
  dialect,
}: RequestFacts): string {
  const tools = functions.map((each) => ({ type: 'function', function: each }))
  return JSON.stringify({
    model,
    messages: dialect.tools ? messages.map(wireMessage) : wordsOnly(messages),
    stream: true,
    ...(dialect.usage ? { stream_options: { include_usage: true } } : {}),
    [dialect.maxTokensKey]: maxTokens,
    ...(dialect.temperature ? { temperature } : {}),
    ...(dialect.tools && tools.length > 0 ? { tools } : {}),
  })
}

function wireMessage({ role, content, calls, callId }: ChatMessage): object {
  if (calls !== undefined) {
    const toolCalls = calls.map(({ id, name, text }) => ({
      id,
      type: 'function',
      function: { name, arguments: text.trim() === '' ? '{}' : text },
    }))
    return { role, content: content === '' ? null : content, tool_calls: toolCalls }
  }
  return callId === undefined ? { role, content } : { role, content, tool_call_id: callId }
}

/** For a server that knows no functions. */
function wordsOnly(messages: readonly ChatMessage[]): object[] {
  return messages
    .filter(({ role, content, calls }) => role !== 'tool' && (calls === undefined || content !== ''))
    .map(({ role, content }) => ({ role, content }))
}

/** The system messages, and of the others the last `turns` pairs with the newest message; what functions brought goes with them. */
export function recentMessages(messages: readonly ChatMessage[], turns: number): readonly ChatMessage[] {
  const isSpoken = ({ role, calls }: ChatMessage) => (role === 'user' || role === 'assistant') && calls === undefined
  const oldest = messages.filter(isSpoken).at(-(turns * 2 + 1)) ?? messages.find(isSpoken)
  const from = oldest === undefined ? 0 : messages.indexOf(oldest)
  return messages.filter((message, index) => message.role === 'system' || index >= from)
}

/** Which parameter of ours a 400 complains about, if it is one that can be left out or renamed. */
export function dialectAfter(status: number, body: string, dialect: Dialect): Dialect | undefined {
  // Servers that check a body by its schema have a status of their own for it.
  if (status !== 400 && status !== 422) return undefined
  const { words, param } = factsOfBody(parseJson(body) ?? body)
  const about = (name: string) => param === name || (param === '' && new RegExp(`\\b${name}\\b`).test(words))
  if (dialect.usage && (about('stream_options') || about('include_usage') || param.startsWith('stream_options.')))
    return { ...dialect, usage: false }
  if (status !== 400) return undefined
  if (about('max_tokens') && dialect.maxTokensKey === 'max_tokens')
    return { ...dialect, maxTokensKey: 'max_completion_tokens' }
  if (about('temperature') && dialect.temperature) return { ...dialect, temperature: false }
  if (dialect.tools && (about('tools') || about('tool_choice') || about('tool choice')))
    return { ...dialect, tools: false }
  return undefined
}
