import type { Refusal, StandinOptions } from './options.ts'
import {
  type FluxQuery,
  fluxQuery,
  type ListenOnceQuery,
  type ListenQuery,
  listenOnceQuery,
  listenQuery,
  type Parsed,
  type SpeakQuery,
  speakQuery,
} from './query.ts'
import { badRequest, type HttpFault, refusalFault } from './refusal.ts'

/** What a request is answered with, without any socket. */
export type Answer =
  | { readonly kind: 'session'; readonly session: SessionKind }
  | { readonly kind: 'speak'; readonly query: SpeakQuery }
  | { readonly kind: 'transcribe'; readonly query: ListenOnceQuery }
  | { readonly kind: 'token' }
  | { readonly kind: 'refused'; readonly fault: HttpFault }
  | { readonly kind: 'never' }
  | { readonly kind: 'not_found' }

export type SessionKind =
  | { readonly kind: 'agent' }
  | { readonly kind: 'listen'; readonly query: ListenQuery }
  | { readonly kind: 'flux'; readonly query: FluxQuery }
  | { readonly kind: 'speak'; readonly query: SpeakQuery }

export function answerTo(request: Request, options: StandinOptions, refusal: Refusal | null): Answer {
  const { pathname, searchParams } = new URL(request.url)
  const wanted = wantedBy(request.method, pathname, searchParams)
  if (wanted === null) return { kind: 'not_found' }
  const key = keyOf(request)
  if (options.key !== undefined && key !== options.key) return refused(refusalFault({ kind: 'bad_key' }))
  if (refusal !== null) return refusal.kind === 'never_answers' ? { kind: 'never' } : refused(refusalFault(refusal))
  return wanted
}

function wantedBy(method: string, pathname: string, params: URLSearchParams): Answer | null {
  if (method === 'GET' && pathname === '/v1/auth/token') return { kind: 'token' }
  if (method === 'POST' && pathname === '/v1/speak') {
    const parsed = speakQuery(params, true)
    return 'fault' in parsed ? refused(parsed.fault) : { kind: 'speak', query: parsed.query }
  }
  if (method === 'POST' && pathname === '/v1/listen') {
    const parsed = listenOnceQuery(params)
    return 'fault' in parsed ? refused(parsed.fault) : { kind: 'transcribe', query: parsed.query }
  }
  if (method !== 'GET') return null
  switch (pathname) {
    case '/v1/agent/converse': {
      const [name] = params.keys()
      if (name !== undefined) return refused(badRequest(`Unexpected query parameter: ${name}`))
      return { kind: 'session', session: { kind: 'agent' } }
    }
    case '/v1/listen':
      return sessionOf(listenQuery(params), (query) => ({ kind: 'listen', query }))
    case '/v2/listen':
      return sessionOf(fluxQuery(params), (query) => ({ kind: 'flux', query }))
    case '/v1/speak':
      return sessionOf(speakQuery(params, false), (query) => ({ kind: 'speak', query }))
    default:
      return null
  }
}

function sessionOf<Query>(parsed: Parsed<Query>, make: (query: Query) => SessionKind): Answer {
  if ('fault' in parsed) return refused(parsed.fault)
  return { kind: 'session', session: make(parsed.query) }
}

function refused(fault: HttpFault): Answer {
  return { kind: 'refused', fault }
}

/** `Authorization: Token KEY` or `Bearer JWT`; a browser, which has no headers to set, gives both as sub-protocols. */
function keyOf(request: Request): string | null {
  const inHeader = /^(?:Token|Bearer) (.+)$/.exec(request.headers.get('authorization') ?? '')?.[1]
  return inHeader ?? protocolsOf(request)?.key ?? null
}

/** The sub-protocol that is answered with, where the key came as one. */
export function protocolsOf(request: Request): { readonly name: string; readonly key: string } | null {
  const [name = '', key = ''] = (request.headers.get('sec-websocket-protocol') ?? '')
    .split(',')
    .map((each) => each.trim())
  return /^(token|bearer)$/i.test(name) && key !== '' ? { name, key } : null
}
