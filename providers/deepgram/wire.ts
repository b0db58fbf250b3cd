import * as v from 'valibot'
import { identifier } from '#base/identifier.ts'
import type { Invocation } from '#tools/invocations.ts'

/**
 * Messages of the Voice Agent → what a session does with them; pure, without a socket. What the client sends stands in
 * `client-wire.ts`.
 *
 * The reader is tolerant: a message that it doesn't know is counted and passed over, fields that it doesn't need are not
 * looked at. A message that it knows and that lacks what it needs is malformed.
 */
export type ServerMessage =
  | { readonly type: 'welcome'; readonly requestId: string }
  | { readonly type: 'settings_applied' }
  /** The caller is heard; what the agent was saying is said no more. */
  | { readonly type: 'caller_speaks' }
  /** The caller's turn, when it is over; or a sentence of the agent's, before its sound. */
  | { readonly type: 'words'; readonly side: 'caller' | 'agent'; readonly text: string }
  | { readonly type: 'thinking' }
  /** The last of a reply's audio has been sent. */
  | { readonly type: 'audio_done' }
  | { readonly type: 'calls'; readonly calls: readonly Invocation[] }
  | { readonly type: 'calls_cancelled'; readonly ids: readonly string[] }
  | { readonly type: 'injection_refused' }
  | { readonly type: 'latency'; readonly sttMs: number | null; readonly llmMs: number | null }
  | { readonly type: 'warning'; readonly code: string }
  | { readonly type: 'error'; readonly code: string }
  /** Known, and nothing follows from it. */
  | { readonly type: 'acknowledged'; readonly what: string }

const optionalNumber = v.nullish(v.number())
const wordsShape = v.looseObject({ role: v.string(), content: v.string() })
const callsShape = v.looseObject({
  functions: v.array(
    v.looseObject({
      id: v.string(),
      name: v.string(),
      arguments: v.nullish(v.string()),
      client_side: v.nullish(v.boolean()),
    }),
  ),
})
const cancelledShape = v.looseObject({ functions: v.array(v.looseObject({ id: v.string() })) })
const latencyShape = v.looseObject({
  stt_latency: optionalNumber,
  ttt_token_latency: optionalNumber,
  ttt_text_latency: optionalNumber,
})
const codeShape = v.looseObject({ code: v.nullish(v.string()) })
const welcomeShape = v.looseObject({ request_id: v.nullish(v.string()) })

const acknowledged = [
  'AgentStartedSpeaking',
  'History',
  'PromptUpdated',
  'SpeakUpdated',
  'ThinkUpdated',
  'ListenUpdated',
  // Of a function that the server called itself.
  'FunctionCallResponse',
]

export function readServerMessage(text: string): ServerMessage | 'unknown' | 'malformed' {
  const message = parse(text)
  if (message === null) return 'malformed'
  switch (message.type) {
    case 'Welcome': {
      const parsed = v.safeParse(welcomeShape, message)
      return { type: 'welcome', requestId: parsed.success ? identifier(parsed.output.request_id) : '' }
    }
    case 'SettingsApplied':
      return { type: 'settings_applied' }
    case 'UserStartedSpeaking':
      return { type: 'caller_speaks' }
    case 'ConversationText':
      return words(message)
    case 'AgentThinking':
      return { type: 'thinking' }
    case 'AgentAudioDone':
      return { type: 'audio_done' }
    case 'FunctionCallRequest':
      return calls(message)
    case 'FunctionCallCancelled': {
      const parsed = v.safeParse(cancelledShape, message)
      if (!parsed.success) return 'malformed'
      return { type: 'calls_cancelled', ids: parsed.output.functions.map(({ id }) => id) }
    }
    case 'InjectionRefused':
      return { type: 'injection_refused' }
    case 'LatencyReport':
      return latency(message)
    case 'Warning':
    case 'Error': {
      const parsed = v.safeParse(codeShape, message)
      const code = (parsed.success && identifier(parsed.output.code)) || 'unnamed'
      return { type: message.type === 'Error' ? 'error' : 'warning', code }
    }
    default:
      return acknowledged.includes(message.type) ? { type: 'acknowledged', what: message.type } : 'unknown'
  }
}

function words(message: object): ServerMessage | 'malformed' {
  const parsed = v.safeParse(wordsShape, message)
  if (!parsed.success) return 'malformed'
  const { role, content } = parsed.output
  return { type: 'words', side: role === 'user' ? 'caller' : 'agent', text: content.trim() }
}

/** Those that the server calls itself are none of ours. */
function calls(message: object): ServerMessage | 'malformed' {
  const parsed = v.safeParse(callsShape, message)
  if (!parsed.success) return 'malformed'
  const mine = parsed.output.functions.filter(({ client_side: client }) => client !== false)
  return { type: 'calls', calls: mine.map(({ id, name, arguments: text }) => ({ id, name, text: text ?? '' })) }
}

function latency(message: object): ServerMessage | 'malformed' {
  const parsed = v.safeParse(latencyShape, message)
  if (!parsed.success) return 'malformed'
  const { stt_latency: stt, ttt_token_latency: token, ttt_text_latency: text } = parsed.output
  const ms = (seconds: number | null | undefined) =>
    seconds === null || seconds === undefined ? null : Math.round(seconds * 1000)
  return { type: 'latency', sttMs: ms(stt), llmMs: ms(token ?? text) }
}

function parse(text: string): { readonly type: string } | null {
  try {
    const value: unknown = JSON.parse(text)
    const isMessage = typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
    return isMessage ? (value as { type: string }) : null
  } catch {
    return null
  }
}
