import { type AccountState, AccountWatch, accountReady, accountRefused, toldTo } from '#agent/account-watch.ts'
import { type Fetch, lookAtServer } from '#agent/server-look.ts'
import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import { namedSecretIn, type Secrets } from '#config/secrets.ts'
import { refusalOf, retryAfterMs } from './account-wire.ts'
import type { DeepgramOptions } from './options.ts'

/** What Deepgram thinks of our key, by `GET /v1/auth/token`; and how the key is sent. */
export interface AccountDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly secrets: Secrets
  readonly fetch?: Fetch
}

export class Account {
  private readonly options: DeepgramOptions
  private readonly deps: AccountDeps
  private readonly watch: AccountWatch

  constructor(options: DeepgramOptions, deps: AccountDeps) {
    this.options = options
    this.deps = deps
    this.watch = new AccountWatch({
      clock: deps.clock,
      random: deps.random,
      ask: (signal) => this.ask(signal),
      changed: toldTo(deps.log.with({ part: 'deepgram' }), 'Deepgram'),
    })
  }

  get state(): AccountState {
    return this.watch.state
  }

  start(): void {
    this.watch.start()
  }

  close(): Promise<void> {
    return this.watch.close()
  }

  look(): Promise<AccountState> {
    return this.watch.look()
  }

  /** A session stands: whatever the last look showed, the server takes us. */
  proved(): void {
    this.watch.proved()
  }

  /** A session was refused for what no later one can do without. */
  refused(code: string, reason: string): void {
    this.watch.refused(accountRefused({ code, reason, hopeless: true }))
  }

  /** Undefined where there is no key; what is missing then stands in `state` after a look. */
  headers(): Record<string, string> | undefined {
    const key = this.key()
    if (!key.ok) return undefined
    return key.value === undefined ? {} : { authorization: `Token ${key.value}` }
  }

  /** Of HTTP, without a slash at its end. */
  get baseUrl(): string {
    return this.options.base_url.replace(/\/+$/, '')
  }

  /** The same for sockets. */
  get socketUrl(): string {
    return this.baseUrl.replace(/^http/, 'ws')
  }

  private key() {
    return namedSecretIn(this.deps.secrets, this.options.api_key_env, 'providers.deepgram.api_key_env')
  }

  private async ask(signal: AbortSignal): Promise<AccountState> {
    const key = this.key()
    if (!key.ok) return accountRefused({ code: 'no_key', reason: key.error, hopeless: true })
    const { clock, fetch } = this.deps
    const url = `${this.baseUrl}/v1/auth/token`
    const read = async (response: Response) => judge(response, await response.text())
    const seen = await lookAtServer({ clock, fetch, url, headers: this.headers() ?? {}, signal, read })
    if (seen.ok) return seen.value
    const reason = `Deepgram at ${this.baseUrl} cannot be reached: ${seen.error}`
    return accountRefused({ code: 'unreachable', reason, hopeless: false })
  }
}

function judge({ status, headers }: Response, body: string): AccountState {
  // A server of one's own may have no such path; that it answers is all that can be known.
  if ((status >= 200 && status < 300) || status === 404 || status === 405) return accountReady
  return accountRefused(refusalOf(status, body), retryAfterMs(headers))
}
