import { type ApiError, invalidRequest, refusalError } from './api-error.ts'
import type { Refusal, StandinOptions } from './options.ts'

/** What a request to connect is answered with, without any socket: the upgrade, or OpenAI's own refusal. */
export type Answer =
  | {
      readonly kind: 'session'
      readonly model: string
      readonly protocol: string | null
      readonly refusal: ClosedWith | null
    }
  | { readonly kind: 'models' }
  | { readonly kind: 'refused'; readonly status: number; readonly error: ApiError; readonly retryAfterSeconds?: number }
  | { readonly kind: 'never' }
  | { readonly kind: 'not_found' }

/** The upgrade succeeds, and the session ends at once. */
export interface ClosedWith {
  readonly code: number
  readonly error: ApiError
}

/** A browser has no headers to set: the key comes as a sub-protocol. The official package does the same. */
const keyProtocol = 'openai-insecure-api-key.'
const betaProtocol = 'openai-beta.realtime-v1'

export function answerTo(request: Request, options: StandinOptions, refusal: Refusal | null): Answer {
  const { pathname, searchParams } = new URL(request.url)
  const base = options.azure === true ? '/openai/v1' : '/v1'
  const isModels = pathname === `${base}/models` || pathname.startsWith(`${base}/models/`)
  if (!isModels && pathname !== `${base}/realtime`) return { kind: 'not_found' }
  const model = isModels ? pathname.slice(`${base}/models/`.length) : (searchParams.get('model') ?? '')
  const key = keyOf(request, options) ?? (options.key === undefined ? '' : null)

  if (key === null) {
    const message = "You didn't provide an API key. Use the header Authorization: Bearer YOUR_KEY."
    return { kind: 'refused', status: 401, error: { ...invalidRequest('', message), code: null } }
  }
  const fault = options.key !== undefined && key !== options.key ? ({ kind: 'bad_key' } as const) : refusal
  // `GET …/models` tells of an account, and knows nothing of the model that somebody asks for elsewhere.
  if (fault !== null && !(isModels && fault.kind === 'unknown_model')) {
    if (fault.kind === 'never_answers') return { kind: 'never' }
    return refusedBy(fault, key, model, isModels)
  }
  if (isModels) {
    if (model !== '' && !isKnown(model, options)) return refusedBy({ kind: 'unknown_model' }, key, model, true)
    return { kind: 'models' }
  }
  return session(request, model, options, key)
}

function session(request: Request, model: string, options: StandinOptions, key: string): Answer {
  const protocols = protocolsOf(request)
  const beta = request.headers.has('openai-beta') || protocols.includes(betaProtocol)
  if (beta && options.names !== 'beta') {
    const message = 'The Realtime Beta API is no longer supported. Please use /v1/realtime for the GA API.'
    return refusedLater(protocols, { code: 4000, error: invalidRequest('beta_api_shape_disabled', message) })
  }
  if (model === '') {
    return {
      kind: 'refused',
      status: 400,
      error: invalidRequest('missing_model', 'You must provide a model parameter.', 'model'),
    }
  }
  if (!isKnown(model, options)) return refusedBy({ kind: 'unknown_model' }, key, model, false)
  return { kind: 'session', model, protocol: protocols.includes('realtime') ? 'realtime' : null, refusal: null }
}

function refusedBy(fault: Refusal, key: string, model: string, isModels: boolean): Answer {
  const { status, error } = refusalError(fault, key, model)
  if (fault.afterUpgrade === true && !isModels) {
    return refusedLater([], { code: fault.kind === 'bad_key' ? 3000 : 4000, error })
  }
  const { retryAfterSeconds } = fault
  return { kind: 'refused', status, error, ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }) }
}

function refusedLater(protocols: readonly string[], refusal: ClosedWith): Answer {
  return { kind: 'session', model: '', protocol: protocols.includes('realtime') ? 'realtime' : null, refusal }
}

function keyOf(request: Request, options: StandinOptions): string | null {
  const bearer = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '')?.[1]
  if (options.azure === true) return request.headers.get('api-key') ?? bearer ?? null
  const inProtocol = protocolsOf(request).find((name) => name.startsWith(keyProtocol))
  return bearer ?? inProtocol?.slice(keyProtocol.length) ?? null
}

function protocolsOf(request: Request): string[] {
  return (request.headers.get('sec-websocket-protocol') ?? '').split(',').map((name) => name.trim())
}

function isKnown(model: string, options: StandinOptions): boolean {
  return options.models === undefined || options.models.includes(model)
}
