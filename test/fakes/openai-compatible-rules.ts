import type { ChatCompletionCreateParamsStreaming } from 'openai/resources/chat/completions'

/**
 * What a server refuses in a conversation, as OpenAI does: members that it does not know, functions of another shape, and
 * functions that were asked for and never answered. The names are held to those of the official package.
 */
type Known = Partial<Record<keyof ChatCompletionCreateParamsStreaming, 'required' | 'optional'>>
/** Those that every compatible server knows. */
const members: Known = {
  model: 'required',
  messages: 'required',
  stream: 'optional',
  temperature: 'optional',
  max_tokens: 'optional',
  max_completion_tokens: 'optional',
  tools: 'optional',
  stream_options: 'optional',
}

interface Message {
  readonly role?: unknown
  readonly content?: unknown
  readonly tool_calls?: readonly { id?: unknown; type?: unknown; function?: { name?: unknown; arguments?: unknown } }[]
  readonly tool_call_id?: unknown
}

/** What is wrong with a request, or null. */
export function chatProblem(body: Readonly<Record<string, unknown>>): string | null {
  const unknown = Object.keys(body).find((name) => !Object.hasOwn(members, name))
  if (unknown !== undefined) return `Unrecognized request argument supplied: ${unknown}`
  if (typeof body.model !== 'string' || !Array.isArray(body.messages)) return 'model and messages are required'
  return toolsProblem(body.tools) ?? messagesProblem(body.messages as readonly Message[])
}

function toolsProblem(tools: unknown): string | null {
  if (tools === undefined) return null
  if (!Array.isArray(tools) || tools.length === 0) return "[] is too short - 'tools'"
  const bad = tools.some(
    ({ type, function: made }: { type?: unknown; function?: { name?: unknown; parameters?: { type?: unknown } } }) =>
      type !== 'function' || typeof made?.name !== 'string' || made.parameters?.type !== 'object',
  )
  return bad ? "Invalid 'tools'" : null
}

function messagesProblem(messages: readonly Message[]): string | null {
  let open: unknown[] = []
  for (const { role, content, tool_calls: calls, tool_call_id: id } of messages) {
    if (role === 'tool') {
      if (!open.includes(id) || typeof content !== 'string')
        return "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'"
      open = open.filter((each) => each !== id)
      continue
    }
    if (open.length > 0)
      return "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'."
    if (!['system', 'user', 'assistant'].includes(String(role))) return `Invalid role ${String(role)}`
    if (typeof content !== 'string' && !(role === 'assistant' && calls !== undefined && content === null))
      return 'Invalid content'
    open = (calls ?? []).map((call) => call.id)
    const isCall = (call: NonNullable<typeof calls>[number]) =>
      call.type === 'function' &&
      typeof call.id === 'string' &&
      typeof call.function?.name === 'string' &&
      isJson(call.function.arguments)
    if (!(calls ?? []).every(isCall) || new Set(open).size !== open.length) return "Invalid 'tool_calls'"
  }
  return open.length > 0 ? 'tool messages are missing' : null
}

function isJson(text: unknown): boolean {
  try {
    return typeof text === 'string' && typeof JSON.parse(text) === 'object'
  } catch {
    return false
  }
}
