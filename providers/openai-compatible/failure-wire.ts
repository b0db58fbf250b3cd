import * as v from 'valibot'

/** What servers with OpenAI-compatible HTTP complain of, in words of our own; pure. */
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
export function factsOfBody(body: unknown): ErrorFacts {
  const parsed = v.safeParse(errorSchema, body)
  if (!parsed.success) return { words: typeof body === 'string' ? body : JSON.stringify(body), tag: '', param: '' }
  const { message, type, code, param } = parsed.output.error
  const tags = [type, typeof code === 'string' ? code : undefined].filter((tag) => tag !== undefined && tag !== null)
  // Identifiers only: anything with a space may be a sentence with the caller's words in it.
  const tag = [...new Set(tags.filter((each) => /^[A-Za-z0-9_.-]{1,64}$/.test(each)))].join(' ')
  return { words: `${message} ${tags.join(' ')}`, tag, param: param ?? '' }
}

/** An error that came inside an answer that had begun well. */
export function failureOfBody(body: unknown): WireFailure {
  const { words, tag } = factsOfBody(body)
  const code = (body as { error?: { code?: unknown } }).error?.code
  const status = typeof code === 'number' ? code : /rate.?limit/i.test(words) ? 429 : 500
  return failureOfStatus(status, tag, words)
}

export function failureOfResponse(status: number, body: string): WireFailure {
  const { words, tag } = factsOfBody(parseJson(body) ?? body)
  return failureOfStatus(status, tag, words)
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

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
