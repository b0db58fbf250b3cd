import type { Refusal } from './options.ts'

/** OpenAI's one shape of an error, in an event `error` and in the body of an HTTP answer. */
export interface ApiError {
  readonly type: string
  readonly code: string | null
  readonly message: string
  readonly param: string | null
}

export function invalidRequest(code: string, message: string, param: string | null = null): ApiError {
  return { type: 'invalid_request_error', code, message, param }
}

export function refusalError(refusal: Refusal, key: string, model: string): { status: number; error: ApiError } {
  switch (refusal.kind) {
    case 'bad_key': {
      const shown = `${key.slice(0, 3)}${'*'.repeat(8)}${key.slice(-4)}`
      const message = `Incorrect API key provided: ${shown}. You can find your API key in your account.`
      return { status: 401, error: invalidRequest('invalid_api_key', message) }
    }
    case 'rate_limited': {
      const message = 'Rate limit reached: too many requests. Please try again later.'
      return { status: 429, error: { type: 'requests', code: 'rate_limit_exceeded', message, param: null } }
    }
    case 'insufficient_quota': {
      const message = 'You exceeded your current quota, please check your plan and billing details.'
      return { status: 429, error: { type: 'insufficient_quota', code: 'insufficient_quota', message, param: null } }
    }
    case 'unknown_model': {
      const message = `The model '${model}' does not exist or you do not have access to it.`
      return { status: 404, error: invalidRequest('model_not_found', message, 'model') }
    }
    case 'server_error':
    case 'never_answers':
      return { status: 500, error: serverError() }
  }
}

export function serverError(): ApiError {
  const message = 'The server had an error while processing your request. Sorry about that!'
  return { type: 'server_error', code: null, message, param: null }
}
