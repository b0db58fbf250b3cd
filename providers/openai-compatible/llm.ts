import type { CallContext, Provider, Readiness, SessionOf } from '#agent/provider.ts'
import { Backoff } from '#base/backoff.ts'
import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import { messageOf } from '#base/result.ts'
import { type Environment, readSecret } from '#config/secrets.ts'
import { failureOfResponse } from './failure-wire.ts'
import { LlmSession } from './llm-session.ts'
import type { OpenAiCompatibleOptions } from './options.ts'
import { commonDialect, type Dialect } from './request-wire.ts'
import { modelNames } from './wire.ts'

/**
 * A language model behind OpenAI-compatible HTTP: Ollama, llama.cpp, vLLM, a cloud, or the engine's own child process,
 * which comes in as an endpoint whose address may change when it is started anew.
 */

/** A server of our own that this provider starts and ends. */
export interface LlmEndpoint {
  start(): void
  readiness(): Readiness
  /** With its version path; undefined while it isn't up. */
  baseUrl(): string | undefined
  close(): Promise<void>
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface LlmDependencies {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly env: Environment
  /** Stands in for `options.base_url` where that is empty. */
  readonly endpoint?: LlmEndpoint
  readonly fetch?: Fetch
}

/** How to reach the server now; what sessions ask before each request. */
export interface Route {
  readonly baseUrl: string
  readonly model: string
  readonly headers: Readonly<Record<string, string>>
}

/** A server that answered is asked again after so long: a call should not be what finds out that it died. */
const recheckMs = 15_000
const probeTimeoutMs = 5000
/** Looking at our own child costs nothing, and a call may wait for it. */
const endpointCheckMs = 100

export function createOpenAiCompatibleLlm(
  options: OpenAiCompatibleOptions,
  deps: LlmDependencies,
): OpenAiCompatibleLlm {
  return new OpenAiCompatibleLlm(options, deps)
}

export class OpenAiCompatibleLlm implements Provider<'llm'> {
  readonly name = 'openai_compatible'
  readonly role = 'llm'
  readonly turnDetection = 'none'
  readonly options: OpenAiCompatibleOptions
  readonly deps: LlmDependencies
  /** Learnt by the sessions, for all that follow. */
  dialect: Dialect
  private readonly log: Log
  private readonly stop = new AbortController()
  private state: Readiness = { ready: false, reason: 'the language model has not been asked yet' }
  private firstModel = ''
  private polling: Promise<void> | undefined
  private wake = new AbortController()

  constructor(options: OpenAiCompatibleOptions, deps: LlmDependencies) {
    this.options = options
    this.deps = deps
    // The built-in model calls no functions.
    this.dialect = options.base_url === '' ? { ...commonDialect, tools: false } : commonDialect
    this.log = deps.log.with({ part: 'llm' })
  }

  readiness(): Readiness {
    return this.state
  }

  start(): void {
    if (this.polling !== undefined || this.stop.signal.aborted) return
    this.deps.endpoint?.start()
    this.polling = this.poll()
  }

  open(context: CallContext): Promise<SessionOf<'llm'>> {
    if (this.stop.signal.aborted) return Promise.reject(new Error('the language model is closed'))
    const key = this.key()
    if (!key.ok) return Promise.reject(new Error(key.error))
    return Promise.resolve(new LlmSession(this, context))
  }

  async close(): Promise<void> {
    this.stop.abort()
    this.wake.abort()
    await this.polling
    await this.deps.endpoint?.close()
  }

  /** A request failed as only a dead or refusing server makes it fail: ask it at once, not at the next round. */
  doubt(): void {
    this.wake.abort()
  }

  /** Undefined while there is no address or no model to name. */
  route(): Route | undefined {
    const baseUrl = this.baseUrl()
    const key = this.key()
    const model = this.options.model || this.firstModel
    if (baseUrl === undefined || !key.ok || model === '') return undefined
    const authorization = key.value === undefined ? {} : { authorization: `Bearer ${key.value}` }
    return { baseUrl, model, headers: { 'content-type': 'application/json', ...authorization } }
  }

  private baseUrl(): string | undefined {
    const url = this.options.base_url || this.deps.endpoint?.baseUrl()
    return url?.replace(/\/+$/, '')
  }

  private key() {
    const name = this.options.api_key_env
    if (name === '') return { ok: true, value: undefined } as const
    const key = readSecret(name, this.deps.env)
    if (key.ok && key.value === undefined) {
      return { ok: false, error: `the environment variable ${name} (providers.*.llm.api_key_env) is not set` } as const
    }
    return key
  }

  private async poll(): Promise<void> {
    const { clock, random } = this.deps
    const backoff = new Backoff(500, 30_000, random)
    while (!this.stop.signal.aborted) {
      this.wake = new AbortController()
      const before = this.state.ready
      const state: Readiness = await this.probe()
      this.state = state
      if (this.stop.signal.aborted) break
      if (state.ready && !before)
        this.log.info('language model ready', { model: this.options.model || this.firstModel })
      if (!state.ready && before) this.log.warn('language model not ready', { reason: state.reason })
      if (state.ready) backoff.reset()
      const pauseMs = state.ready ? recheckMs : this.awaitsEndpoint() ? endpointCheckMs : backoff.next()
      await clock.sleep(pauseMs, this.wake.signal)
    }
  }

  private awaitsEndpoint(): boolean {
    return this.options.base_url === '' && this.deps.endpoint?.readiness().ready === false
  }

  private async probe(): Promise<Readiness> {
    const own = this.options.base_url === '' ? this.deps.endpoint?.readiness() : undefined
    if (own?.ready === false) return own
    const baseUrl = this.baseUrl()
    if (baseUrl === undefined) return notReady('no base_url is configured and there is no built-in model')
    const key = this.key()
    if (!key.ok) return notReady(key.error)
    const deadline = new AbortController()
    using _ = this.deps.clock.after(probeTimeoutMs, () => deadline.abort())
    const signal = AbortSignal.any([deadline.signal, this.stop.signal])
    try {
      const headers: Record<string, string> = key.value === undefined ? {} : { authorization: `Bearer ${key.value}` }
      const response = await (this.deps.fetch ?? fetch)(`${baseUrl}/models`, { headers, signal })
      return this.judge(response.status, await response.text())
    } catch (thrown) {
      const why = deadline.signal.aborted ? `no answer within ${probeTimeoutMs} ms` : plain(messageOf(thrown))
      return notReady(`the language model at ${baseUrl} cannot be reached: ${why}`)
    }
  }

  private judge(status: number, body: string): Readiness {
    if (status >= 200 && status < 300) {
      this.firstModel = modelNames(body)?.[0] ?? ''
      if (this.options.model === '' && this.firstModel === '')
        return notReady('the server names no model: set providers.*.llm.model')
      return { ready: true }
    }
    // Some servers have no such path; that they answer is enough where the model is named.
    if ((status === 404 || status === 405) && this.options.model !== '') return { ready: true }
    return notReady(failureOfResponse(status, body).message)
  }
}

function notReady(reason: string): Readiness {
  return { ready: false, reason }
}

/** Bun adds advice for programmers to its network errors. */
function plain(message: string): string {
  return message.split(/[.?] /)[0] ?? message
}
