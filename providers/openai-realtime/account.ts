import { type AccountState, AccountWatch, accountReady, accountRefused, toldTo } from '#agent/account-watch.ts'
import { type Fetch, lookAtServer } from '#agent/server-look.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import { namedSecretIn, type Secrets } from '#config/secrets.ts'
import { isScopeOfListing, modelIds, refusalOf } from './account-wire.ts'
import type { OpenAiRealtimeOptions } from './options.ts'

/**
 * What the server thinks of our key and model, by `GET {base}/models`; and how the key is sent.
 */
export interface AccountDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly secrets: Secrets
  readonly fetch?: Fetch
}

/** For so long a refused session speaks for all of them: then a call may prove otherwise. */
const refusedMs: Milliseconds = 30_000

export class Account {
  private readonly options: OpenAiRealtimeOptions
  private readonly deps: AccountDeps
  private readonly log: Log
  private readonly watch: AccountWatch
  /** What a session was refused with that the list of models knows nothing of. */
  private refusal: { readonly state: AccountState; readonly untilMs: Milliseconds } | null = null
  private warned = false

  constructor(options: OpenAiRealtimeOptions, deps: AccountDeps) {
    this.options = options
    this.deps = deps
    this.log = deps.log.with({ part: 'openai_realtime' })
    this.watch = new AccountWatch({
      clock: deps.clock,
      random: deps.random,
      ask: (signal) => this.ask(signal),
      changed: toldTo(this.log, 'the realtime server'),
    })
  }

  start(): void {
    this.watch.start()
  }

  close(): Promise<void> {
    return this.watch.close()
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
    return this.watch.look()
  }

  /** What the last look showed, or a session's refusal since. */
  get state(): AccountState {
    const { refusal } = this
    const seen = this.watch.state
    const counts = refusal !== null && seen.readiness.ready && this.deps.clock.now() < refusal.untilMs
    return counts ? refusal.state : seen
  }

  /** A session's upgrade was refused; the list of models may be open to the same key, as Azure's is for any deployment. */
  refused(status: number): void {
    if (!this.watch.state.readiness.ready || (status !== 401 && status !== 403 && status !== 404)) return
    const reason = `the realtime server refuses sessions (${status}): may the key use the model ${this.options.model} (providers.openai_realtime.model), and is that its name there?`
    const state = accountRefused({ code: `session_refused_${status}`, reason, hopeless: true })
    if (this.state.readiness.ready) this.log.warn('the realtime server is not ready', { code: state.code, why: reason })
    this.refusal = { state, untilMs: this.deps.clock.now() + refusedMs }
  }

  /** A session stands: whatever the last look showed, the server takes us. */
  proved(): void {
    this.refusal = null
    this.watch.proved()
  }

  private key() {
    return namedSecretIn(this.deps.secrets, this.options.api_key_env, 'providers.openai_realtime.api_key_env')
  }

  private async ask(signal: AbortSignal): Promise<AccountState> {
    const key = this.key()
    if (!key.ok) return accountRefused({ code: 'no_key', reason: key.error, hopeless: true })
    const { clock, fetch } = this.deps
    const url = `${this.baseUrl}/models`
    const read = async (response: Response) => this.judge(response, await response.text())
    const seen = await lookAtServer({ clock, fetch, url, headers: this.headers() ?? {}, signal, read })
    if (seen.ok) return seen.value
    const reason = `the realtime server at ${this.baseUrl} cannot be reached: ${seen.error}`
    return accountRefused({ code: 'unreachable', reason, hopeless: false })
  }

  private judge({ status, headers }: Response, body: string): AccountState {
    const waitMs = retryAfterMs(headers)
    if (status >= 200 && status < 300) return { ...this.judgeModels(modelIds(body)), waitMs }
    // Some compatible servers have no such path; that they answer is all that can be known.
    if (status === 404 || status === 405 || isScopeOfListing(status, body)) return { ...accountReady, waitMs }
    return accountRefused(refusalOf(status, body), waitMs)
  }

  /** Only OpenAI's own list is all there is: Azure has deployments, a proxy patterns or names of its own. */
  private judgeModels(known: readonly string[] | undefined): AccountState {
    const { model } = this.options
    const names = known ?? []
    if (names.length === 0 || names.includes(model)) return accountReady
    const like = names.filter((name) => /realtime/.test(name)).slice(0, 4)
    const hint = like.length === 0 ? '' : `; it has ${like.join(', ')}`
    const reason = `the key has no model ${model} (providers.openai_realtime.model)${hint}`
    if (new URL(this.baseUrl).hostname === 'api.openai.com')
      return accountRefused({ code: 'unknown_model', reason, hopeless: true })
    if (!this.warned) this.log.warn('the server does not list this model, and may have it all the same', { model })
    this.warned = true
    return accountReady
  }
}

/** How long the server asks to wait; 0 where it doesn't say. */
function retryAfterMs(headers: Headers): Milliseconds {
  const exact = Number.parseFloat(headers.get('retry-after-ms') ?? '')
  if (Number.isFinite(exact) && exact >= 0) return Math.min(exact, 600_000)
  const seconds = Number.parseFloat(headers.get('retry-after') ?? '')
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds * 1000, 600_000) : 0
}
