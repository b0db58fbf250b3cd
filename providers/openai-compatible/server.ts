import type { Readiness } from '#agent/provider.ts'
import { type Fetch, lookAtServer } from '#agent/server-look.ts'
import { Backoff } from '#base/backoff.ts'
import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import { namedSecretIn, type Secrets } from '#config/secrets.ts'
import { readBounded } from './bounded-body.ts'
import { failureOfResponse } from './failure-wire.ts'
import { modelNames } from './wire.ts'

/**
 * A server with OpenAI-compatible HTTP, as each part that asks it sees it: its address, its key, and whether it answers. It
 * is looked at before the first call and from time to time, so that a call is not what finds out that it is gone.
 */
export interface ServerOptions {
  /** With its version path; empty where there is a server of our own. */
  readonly base_url: string
  /** Empty: its first. */
  readonly model: string
  /** The variable that holds the key; empty where none is needed. */
  readonly api_key_env: string
}

/** A server of our own that this part starts and ends. */
export interface OwnServer {
  start(): void
  readiness(): Readiness
  /** With its version path; undefined while it isn't up. */
  baseUrl(): string | undefined
  close(): Promise<void>
}

export interface ServerDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly secrets: Secrets
  readonly fetch?: Fetch
}

/** Which part asks, in words for people: `language model`; and where its options stand: `llm`. */
export interface ServerUse {
  readonly what: string
  readonly role: 'stt' | 'llm' | 'tts'
}

/** How to reach the server now; what sessions ask before each request. */
export interface Route {
  readonly baseUrl: string
  readonly model: string
  /** Of the key, where there is one. */
  readonly headers: Readonly<Record<string, string>>
}

/** A server that answered is asked again after so long: a call should not be what finds out that it died. */
const recheckMs = 15_000
/** Looking at our own child costs nothing, and a call may wait for it. */
const ownCheckMs = 100
/** 1 MiB: a list of models is shorter. */
const listBytesMax = 1024 * 1024

export class Server {
  private readonly options: ServerOptions
  private readonly deps: ServerDeps
  private readonly use: ServerUse
  private readonly own: OwnServer | undefined
  private readonly log: Log
  private readonly stop = new AbortController()
  private state: Readiness
  private firstModel = ''
  private polling: Promise<void> | undefined
  private wake = new AbortController()

  /** @param own stands in for `options.base_url` where that is empty */
  constructor(options: ServerOptions, deps: ServerDeps, use: ServerUse, own?: OwnServer) {
    this.options = options
    this.deps = deps
    this.use = use
    this.own = own
    this.log = deps.log.with({ part: use.role })
    this.state = { ready: false, reason: `the ${use.what} has not been asked yet` }
  }

  get readiness(): Readiness {
    return this.state
  }

  get closed(): boolean {
    return this.stop.signal.aborted
  }

  start(): void {
    if (this.polling !== undefined || this.closed) return
    this.own?.start()
    this.polling = this.poll()
  }

  async close(): Promise<void> {
    this.stop.abort()
    this.wake.abort()
    await this.polling
    await this.own?.close()
  }

  /** A request failed as only a dead or refusing server makes it fail: ask it at once, not at the next round. */
  doubt(): void {
    this.wake.abort()
  }

  request(url: string, init: RequestInit): Promise<Response> {
    return (this.deps.fetch ?? fetch)(url, init)
  }

  /** Undefined while there is no address or no model to name. */
  route(): Route | undefined {
    const baseUrl = this.baseUrl()
    const key = this.key()
    const model = this.options.model || this.firstModel
    if (baseUrl === undefined || !key.ok || model === '') return undefined
    return { baseUrl, model, headers: authorization(key.value) }
  }

  key() {
    return namedSecretIn(this.deps.secrets, this.options.api_key_env, `providers.*.${this.use.role}.api_key_env`)
  }

  private baseUrl(): string | undefined {
    const url = this.options.base_url || this.own?.baseUrl()
    return url?.replace(/\/+$/, '')
  }

  private async poll(): Promise<void> {
    const { clock, random } = this.deps
    const { what } = this.use
    const backoff = new Backoff(500, 30_000, random)
    while (!this.closed) {
      this.wake = new AbortController()
      const before = this.state.ready
      const state: Readiness = await this.probe()
      this.state = state
      if (this.closed) break
      if (state.ready && !before) this.log.info(`${what} ready`, { model: this.options.model || this.firstModel })
      if (!state.ready && before) this.log.warn(`${what} not ready`, { reason: state.reason })
      if (state.ready) backoff.reset()
      const pauseMs = state.ready ? recheckMs : this.awaitsOwn() ? ownCheckMs : backoff.next()
      await clock.sleep(pauseMs, this.wake.signal)
    }
  }

  private awaitsOwn(): boolean {
    return this.options.base_url === '' && this.own?.readiness().ready === false
  }

  private async probe(): Promise<Readiness> {
    const own = this.options.base_url === '' ? this.own?.readiness() : undefined
    if (own?.ready === false) return own
    const baseUrl = this.baseUrl()
    if (baseUrl === undefined) return notReady('no base_url is configured and there is no built-in model')
    const key = this.key()
    if (!key.ok) return notReady(key.error)
    const { clock, fetch } = this.deps
    const read = async (response: Response) =>
      this.judge(response.status, (await readBounded(response, listBytesMax)) ?? '')
    const url = `${baseUrl}/models`
    const seen = await lookAtServer({
      clock,
      fetch,
      url,
      headers: authorization(key.value),
      signal: this.stop.signal,
      read,
    })
    return seen.ok ? seen.value : notReady(`the ${this.use.what} at ${baseUrl} cannot be reached: ${seen.error}`)
  }

  private judge(status: number, body: string): Readiness {
    if (status >= 200 && status < 300) {
      this.firstModel = modelNames(body)?.[0] ?? ''
      if (this.options.model === '' && this.firstModel === '')
        return notReady(`the server names no model: set providers.*.${this.use.role}.model`)
      return { ready: true }
    }
    // Some servers have no such path; that they answer is enough where the model is named.
    if ((status === 404 || status === 405) && this.options.model !== '') return { ready: true }
    return notReady(failureOfResponse(status, body).message)
  }
}

function authorization(key: string | undefined): Record<string, string> {
  return key === undefined ? {} : { authorization: `Bearer ${key}` }
}

function notReady(reason: string): Readiness {
  return { ready: false, reason }
}
