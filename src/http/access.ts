import { createHash, timingSafeEqual } from 'node:crypto'
import { isIP } from 'node:net'
import type { Result } from '#base/result.ts'
import { tokenVariable } from '#config/api-token.ts'
import { isLoopback } from '#config/hosts.ts'

/**
 * Who may use the endpoints under /api, which change the engine and not only show it. With a token set, whoever has it;
 * without one, whoever is on this machine, and that only while nobody else can reach the port at all.
 *
 * Being on this machine says little: a web page that its user looks at can send requests to 127.0.0.1 as well. Its own
 * name in `Host` (a name that it has pointed at this machine) or in `Origin` tells it from a command. The name is judged
 * before the token: who comes by a wrong one does not even learn whether there is a token.
 */
export interface AccessRules {
  /** False: nobody may use them. */
  readonly open: boolean
  /** The address that the port is bound to. */
  readonly boundHost: string
  /** The token, where one is set; a failure where it cannot be told, with the cure. */
  readonly token: Result<string | undefined, string>
  /** That of this machine, and those that the configuration allows. */
  readonly names: readonly string[]
}

/** The headers of these names; null where there is none. */
export interface AccessFacts {
  readonly host: string | null
  readonly origin: string | null
  readonly authorization: string | null
}

export interface AccessRefusal {
  readonly status: 401 | 403 | 421
  readonly error: string
}

/** Null: granted. */
export function accessRefusal(facts: AccessFacts, rules: AccessRules): AccessRefusal | null {
  const { open, token, boundHost, names } = rules
  if (!open) return { status: 403, error: 'health.api is false: /api is closed' }
  if (!isOurs(hostName(facts.host), [boundHost, ...names])) {
    const cure = 'use its address, or list the name in health.allowed_hosts of the configuration'
    return { status: 421, error: `the header Host does not name this engine: ${cure}` }
  }
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
  if (facts.origin !== null && originHost(facts.origin) !== facts.host?.toLowerCase()) {
    return { status: 403, error: 'web pages of other origins may not use /api' }
  }
  return null
}

/** An address is nobody's name: no page can have come by it from elsewhere. */
function isOurs(host: string | null, names: readonly string[]): boolean {
  if (host === null) return false
  return isIP(host) !== 0 || isLoopback(host) || names.some((name) => plainName(name) === host)
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

function plainName(name: string): string {
  return name.replace(/\.$/, '').toLowerCase()
}

function originHost(origin: string): string | null {
  return /^https?:\/\/(.+)$/i.exec(origin)?.[1]?.toLowerCase() ?? null
}
