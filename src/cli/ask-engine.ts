import type { Milliseconds } from '#base/clock.ts'
import { failed, messageOf, ok, type Result } from '#base/result.ts'
import { checkedToken, readApiToken } from '#config/api-token.ts'
import type { EngineAddress } from './engine-address.ts'
import type { CommandIo } from './io.ts'

export interface EngineRequest {
  readonly method: 'GET' | 'PUT' | 'POST'
  readonly path: string
  /** Sent as JSON. */
  readonly body?: unknown
  /** As the command line gave it; else the variable. */
  readonly token?: string | undefined
  readonly answerMaxMs: Milliseconds
}

/** What a running engine says under /api, or why it says nothing. */
export type EngineAnswer = Result<
  { readonly status: number; readonly body: unknown },
  /** `refused_connection`: there is nobody at that port. */
  { readonly kind: 'refused_connection' | 'no_answer' | 'no_token'; readonly message: string }
>

export async function askEngine(
  { url, authorization }: EngineAddress,
  { method, path, body, token, answerMaxMs }: EngineRequest,
  io: Pick<CommandIo, 'env'>,
): Promise<EngineAnswer> {
  const known = token === undefined ? readApiToken(io.env) : checkedToken(token, '--token')
  if (!known.ok) return failed({ kind: 'no_token', message: known.error })
  const credentials = known.value === undefined ? authorization : `Bearer ${known.value}`
  try {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(credentials === null ? {} : { authorization: credentials }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      signal: AbortSignal.timeout(answerMaxMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return ok({ status: response.status, body: await response.json() })
  } catch (thrown) {
    const refused = thrown instanceof Error && 'code' in thrown && thrown.code === 'ECONNREFUSED'
    return failed({ kind: refused ? 'refused_connection' : 'no_answer', message: messageOf(thrown) })
  }
}

/** What is wrong with an answer: an error, an engine that starts, a port that is somebody else's. Null: nothing. */
export function errorIn(body: unknown): string | null {
  if (typeof body !== 'object' || body === null) return 'what answers there is no engine'
  if ('error' in body) return String(body.error)
  if ('reasons' in body) return `Nothing was changed: ${String(body.reasons)}. Try again.`
  return 'providers' in body || 'outcome' in body ? null : 'what answers there is no engine'
}
