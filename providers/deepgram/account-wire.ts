import * as v from 'valibot'
import type { Milliseconds } from '#base/clock.ts'
import { identifier } from '#base/identifier.ts'

/** A refusal over HTTP → what it says of key and credit; pure. Deepgram has two shapes of an error. */
export interface Refusal {
  readonly code: string
  /** In plain words, with the cure; at most an identifier of the server's own. */
  readonly reason: string
  /** It will be the same until somebody changes something. */
  readonly hopeless: boolean
}

const errorShape = v.looseObject({ err_code: v.nullish(v.string()), category: v.nullish(v.string()) })

export function refusalOf(status: number, body: string): Refusal {
  const parsed = v.safeParse(errorShape, parse(body))
  const tag = parsed.success ? identifier(parsed.output.err_code ?? parsed.output.category) : ''
  const said = `Deepgram answered ${status}${tag === '' ? '' : ` (${tag})`}`
  if (status === 401) return { code: 'bad_key', reason: `${said}: is the API key right?`, hopeless: true }
  if (status === 403) return { code: 'bad_key', reason: `${said}: may the API key use this model?`, hopeless: true }
  if (status === 402) return { code: 'no_quota', reason: `${said}: the project has no credit left`, hopeless: true }
  if (status === 429) return { code: 'rate_limited', reason: `${said}: too many requests`, hopeless: false }
  if (status >= 500) return { code: 'server_error', reason: said, hopeless: false }
  return { code: 'refused', reason: `${said}: is base_url right, without a version path?`, hopeless: true }
}

/** How long the server asks to wait; 0 where it doesn't say. */
export function retryAfterMs(headers: Headers): Milliseconds {
  const seconds = Number.parseFloat(headers.get('retry-after') ?? '')
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds * 1000, 600_000) : 0
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
