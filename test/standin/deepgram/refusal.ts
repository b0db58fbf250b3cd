import type { Refusal } from './options.ts'

/** Deepgram's shape of an error over HTTP; the upgrade of a socket says it in headers as well. */
export interface HttpFault {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly retryAfterSeconds?: number
}

export function refusalFault({ kind, retryAfterSeconds }: Refusal): HttpFault {
  const wait = retryAfterSeconds === undefined ? {} : { retryAfterSeconds }
  switch (kind) {
    case 'bad_key':
      return { status: 401, code: 'INVALID_AUTH', message: 'Invalid credentials.' }
    case 'rate_limited':
      return { status: 429, code: 'TOO_MANY_REQUESTS', message: 'Too many requests. Please try again later', ...wait }
    case 'insufficient_quota':
      return { status: 402, code: 'ASR_PAYMENT_REQUIRED', message: 'Project does not have enough credits.' }
    case 'server_error':
    case 'never_answers':
      return { status: 503, code: 'INTERNAL_SERVER_ERROR', message: 'An internal server error occurred.', ...wait }
  }
}

export function badRequest(message: string): HttpFault {
  return { status: 400, code: 'Bad Request', message }
}

export function faultResponse({ status, code, message, retryAfterSeconds }: HttpFault, requestId: string): Response {
  const headers: Record<string, string> = {
    'dg-request-id': requestId,
    'dg-error': message,
    ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
  }
  return Response.json({ err_code: code, err_msg: message, request_id: requestId }, { status, headers })
}
