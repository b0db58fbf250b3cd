import type { Readiness } from '#agent/provider.ts'
import { Backoff } from '#base/backoff.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import { messageOf } from '#base/result.ts'
import { type Environment, readSecret } from '#config/secrets.ts'
import { modelIds, refusalOf } from './account-wire.ts'
import type { OpenAiRealtimeOptions } from './options.ts'

/**
 * What the server thinks of our key and model, by `GET {base}/models`: before the first call, while it refuses, and when a
 * session could not be opened, since a WebSocket's refused upgrade says no reason. One request per step of the backoff,
 * shared by all calls.
 */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface AccountDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly env: Environment
  readonly fetch?: Fetch
}

/** What the last look showed. `hopeless`: no session will open until somebody changes something. */
export interface AccountState {
  readonly readiness: Readiness
  /** Stable, for the log and the metrics: `no_key`, `bad_key`, `no_quota`, `unknown_model`, `unreachable` … */
  readonly code: string
  readonly hopeless: boolean
}

/** A key may be revoked or run dry between two calls. */
const recheckMs: Milliseconds = 60_000
const answerMaxMs: Milliseconds = 5000
/** What an answer of this age says is not asked again. */
const freshMs: Milliseconds = 1000

export class Account {
  state: AccountState = { readiness: notReady('the server has not been asked yet'), code: 'not_asked', hopeless: false }
  private readonly options: OpenAiRealtimeOptions
  private readonly deps: AccountDeps
  private readonly log: Log
  private readonly stop = new AbortController()
  private readonly backoff: Backoff
  private polling: Promise<void> | null = null
  private looking: Promise<AccountState> | null = null
  private lookedMs = Number.NEGATIVE_INFINITY
  private retryAfterMs: Milliseconds = 0

  constructor(options: OpenAiRealtimeOptions, deps: AccountDeps) {
    this.options = options
    this.deps = deps
    this.log = deps.log.with({ part: 'openai_realtime' })
    this.backoff = new Backoff(500, 30_000, deps.random)
  }

  start(): void {
    if (this.stop.signal.aborted) return
    this.polling ??= this.poll()
  }

  async close(): Promise<void> {
    this.stop.abort()
    await this.polling
    await this.looking
  }

  /** Of HTTP, whichever of the two it was written for; without a slash at its end. */
  get baseUrl(): string {
    return this.options.base_url.replace(/^ws/, 'http').replace(/(\/realtime)?\/*$/, '')
  }

  /** Of a session; `http` → `ws`, `https` → `wss`. */
  get sessionUrl(): string {
    return `${this.baseUrl.replace(/^http/, 'ws')}/realtime?model=${encodeURIComponent(this.options.model)}`
  }

  /** Undefined where there is no key; what is missing then stands in `state` after a look. */
  headers(): Record<string, string> | undefined {
    const key = this.key()
    if (!key.ok) return undefined
    const named = this.options.headers.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 1).trim()] as const
    })
    const { key_header: header } = this.options
    const secret =
      key.value === undefined
        ? {}
        : header === 'api-key'
          ? { 'api-key': key.value }
          : { authorization: `Bearer ${key.value}` }
    return { ...Object.fromEntries(named), ...secret }
  }

  /** Asks now, or shares the answer that is on its way or just came. */
  look(): Promise<AccountState> {
    if (this.deps.clock.now() - this.lookedMs < freshMs) return Promise.resolve(this.state)
    this.looking ??= this.ask().finally(() => {
      this.looking = null
    })
    return this.looking
  }

  /** How long the server asked to be left alone. */
  get waitMs(): Milliseconds {
    return this.retryAfterMs
  }

  private async poll(): Promise<void> {
    while (!this.stop.signal.aborted) {
      const { readiness } = await this.look()
      if (this.stop.signal.aborted) break
      if (readiness.ready) this.backoff.reset()
      const pauseMs = readiness.ready ? recheckMs : Math.max(this.backoff.next(), this.retryAfterMs)
      await this.deps.clock.sleep(Math.max(freshMs, pauseMs), this.stop.signal)
    }
  }

  private key() {
    const name = this.options.api_key_env
    if (name === '') return { ok: true, value: undefined } as const
    const key = readSecret(name, this.deps.env)
    if (key.ok && key.value === undefined) {
      return {
        ok: false,
        error: `the environment variable ${name} (providers.openai_realtime.api_key_env) is not set`,
      } as const
    }
    return key
  }

  private async ask(): Promise<AccountState> {
    const before = this.state
    const state = await this.request()
    this.lookedMs = this.deps.clock.now()
    this.state = state
    const { readiness, code } = state
    if (this.stop.signal.aborted) return state
    if (readiness.ready && !before.readiness.ready) this.log.info('the realtime server is ready')
    if (!readiness.ready && code !== before.code)
      this.log.warn('the realtime server is not ready', { code, why: readiness.reason })
    return state
  }

  private async request(): Promise<AccountState> {
    this.retryAfterMs = 0
    const key = this.key()
    if (!key.ok) return { readiness: notReady(key.error), code: 'no_key', hopeless: true }
    const { clock } = this.deps
    const deadline = new AbortController()
    using _ = clock.after(answerMaxMs, () => deadline.abort())
    const signal = AbortSignal.any([deadline.signal, this.stop.signal])
    try {
      const headers = this.headers() ?? {}
      const response = await (this.deps.fetch ?? fetch)(`${this.baseUrl}/models`, { headers, signal })
      const body = await response.text()
      this.retryAfterMs = retryAfterMs(response.headers)
      return this.judge(response.status, body)
    } catch (thrown) {
      const why = deadline.signal.aborted ? `no answer within ${answerMaxMs} ms` : firstSentence(messageOf(thrown))
      return {
        readiness: notReady(`the realtime server at ${this.baseUrl} cannot be reached: ${why}`),
        code: 'unreachable',
        hopeless: false,
      }
    }
  }

  private judge(status: number, body: string): AccountState {
    if (status >= 200 && status < 300) return this.judgeModels(modelIds(body))
    // Some compatible servers have no such path; that they answer is all that can be known.
    if (status === 404 || status === 405) return fine
    const { code, reason, hopeless } = refusalOf(status, body)
    return { readiness: notReady(reason), code, hopeless }
  }

  /** Azure lists models and not deployments, whose names are what counts there. */
  private judgeModels(known: readonly string[] | undefined): AccountState {
    const { model } = this.options
    const names = known ?? []
    const isAzure = /\.azure\.com$/.test(new URL(this.baseUrl).hostname)
    if (isAzure || names.length === 0 || names.includes(model)) return fine
    const like = names.filter((name) => /realtime/.test(name)).slice(0, 4)
    const hint = like.length === 0 ? '' : `; it has ${like.join(', ')}`
    return {
      readiness: notReady(`the key has no model ${model} (providers.openai_realtime.model)${hint}`),
      code: 'unknown_model',
      hopeless: true,
    }
  }
}

const fine: AccountState = { readiness: { ready: true }, code: 'ready', hopeless: false }

function notReady(reason: string): Readiness {
  return { ready: false, reason }
}

/** How long the server asks to wait; 0 where it doesn't say. */
function retryAfterMs(headers: Headers): Milliseconds {
  const exact = Number.parseFloat(headers.get('retry-after-ms') ?? '')
  if (Number.isFinite(exact) && exact >= 0) return Math.min(exact, 600_000)
  const seconds = Number.parseFloat(headers.get('retry-after') ?? '')
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds * 1000, 600_000) : 0
}

/** Bun adds advice for programmers to its network errors. */
function firstSentence(message: string): string {
  return message.split(/[.?] /)[0] ?? message
}
