import { createHash, timingSafeEqual } from 'node:crypto'
import type { Result } from '#base/result.ts'
import { isLoopback } from '#config/hosts.ts'

/**
 * Who may use the endpoints under /api, which change the engine and not only show it. With a token set, whoever has it;
 * without one, whoever is on this machine, and that only while nobody else can reach the port at all.
 *
 * Being on this machine says little: a web page that its user looks at can send requests to 127.0.0.1 as well. Its own
 * name in `Host` (a name that it has pointed at 127.0.0.1) or in `Origin` tells it from a command.
 */
export const tokenVariable = 'PATCHCORD_API_TOKEN'

export interface AccessRules {
  /** The address that the port is bound to. */
  readonly boundHost: string
  /** The token, where one is set; a failure where it cannot be told, with the cure. */
  readonly token: Result<string | undefined, string>
}

/** The headers of these names; null where there is none. */
export interface AccessFacts {
  readonly host: string | null
  readonly origin: string | null
  readonly authorization: string | null
}

export interface AccessRefusal {
  readonly status: 401 | 403
  readonly error: string
}

/** Null: granted. */
export function accessRefusal(facts: AccessFacts, rules: AccessRules): AccessRefusal | null {
  const { token, boundHost } = rules
  if (!token.ok) return { status: 403, error: token.error }
  if (token.value !== undefined) {
    if (bearerIs(facts.authorization, token.value)) return null
    return { status: 401, error: `expected the header Authorization: Bearer, with the token of ${tokenVariable}` }
  }
  if (!isLoopback(boundHost)) {
    const cure = `set ${tokenVariable} in the engine's environment and send it as a bearer token, or set health.host to 127.0.0.1`
    return {
      status: 403,
      error: `/api is closed: health.host (${boundHost}) can be reached from elsewhere. To open it, ${cure}`,
    }
  }
  const host = hostName(facts.host)
  if (host === null || !(isLoopback(host) || host === boundHost.toLowerCase())) {
    return { status: 403, error: 'the header Host names another machine than this one' }
  }
  if (facts.origin !== null && originHost(facts.origin) !== facts.host?.toLowerCase()) {
    return { status: 403, error: 'web pages of other origins may not use /api' }
  }
  return null
}

/** In a time that does not tell how much of it was right. */
function bearerIs(authorization: string | null, token: string): boolean {
  const given = /^bearer +(\S.*)$/i.exec(authorization ?? '')?.[1]?.trimEnd() ?? ''
  return timingSafeEqual(digest(given), digest(token))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

/** Of a `Host` header: without port and brackets, in small letters. Null: it is none. */
function hostName(header: string | null): string | null {
  const [, bracketed, plain] = /^(?:\[([0-9a-f:.]+)\]|([^[\]:]+?)\.?)(?::\d{1,5})?$/i.exec(header ?? '') ?? []
  return (bracketed ?? plain)?.toLowerCase() ?? null
}

function originHost(origin: string): string | null {
  return /^https?:\/\/(.+)$/i.exec(origin)?.[1]?.toLowerCase() ?? null
}
