import { type AccountState, AccountWatch } from '#agent/account-watch.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import { messageOf } from '#base/result.ts'
import { type Secrets, secretIn } from '#config/secrets.ts'
import { refusalOf, retryAfterMs } from './account-wire.ts'
import type { DeepgramOptions } from './options.ts'

/** What Deepgram thinks of our key, by `GET /v1/auth/token`; and how the key is sent. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface AccountDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly secrets: Secrets
  readonly fetch?: Fetch
}

const answerMaxMs: Milliseconds = 5000

export class Account {
  private readonly options: DeepgramOptions
  private readonly deps: AccountDeps
  private readonly watch: AccountWatch

  constructor(options: DeepgramOptions, deps: AccountDeps) {
    this.options = options
    this.deps = deps
    const log = deps.log.with({ part: 'deepgram' })
    this.watch = new AccountWatch({
      clock: deps.clock,
      random: deps.random,
      ask: (signal) => this.ask(signal),
      changed: ({ readiness, code }, before) => {
        if (readiness.ready && !before.readiness.ready) log.info('Deepgram is ready')
        if (!readiness.ready && code !== before.code) log.warn('Deepgram is not ready', { code, why: readiness.reason })
      },
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
    this.watch.refused({ readiness: { ready: false, reason }, code, hopeless: true, waitMs: 0 })
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
    const name = this.options.api_key_env
    if (name === '') return { ok: true, value: undefined } as const
    const key = secretIn(this.deps.secrets, name)
    if (key.ok && key.value === undefined) {
      return {
        ok: false,
        error: `the environment variable ${name} (providers.deepgram.api_key_env) is not set`,
      } as const
    }
    return key
  }

  private async ask(stop: AbortSignal): Promise<AccountState> {
    const key = this.key()
    if (!key.ok) return { readiness: { ready: false, reason: key.error }, code: 'no_key', hopeless: true, waitMs: 0 }
    const { clock } = this.deps
    const deadline = new AbortController()
    using _ = clock.after(answerMaxMs, () => deadline.abort())
    const signal = AbortSignal.any([deadline.signal, stop])
    try {
      const headers = this.headers() ?? {}
      const response = await (this.deps.fetch ?? fetch)(`${this.baseUrl}/v1/auth/token`, { headers, signal })
      const body = await response.text()
      const { status } = response
      // A server of one's own may have no such path; that it answers is all that can be known.
      if ((status >= 200 && status < 300) || status === 404 || status === 405) {
        return { readiness: { ready: true }, code: 'ready', hopeless: false, waitMs: 0 }
      }
      const { code, reason, hopeless } = refusalOf(status, body)
      return { readiness: { ready: false, reason }, code, hopeless, waitMs: retryAfterMs(response.headers) }
    } catch (thrown) {
      const why = deadline.signal.aborted ? `no answer within ${answerMaxMs} ms` : firstSentence(messageOf(thrown))
      const reason = `Deepgram at ${this.baseUrl} cannot be reached: ${why}`
      return { readiness: { ready: false, reason }, code: 'unreachable', hopeless: false, waitMs: 0 }
    }
  }
}

/** Bun adds advice for programmers to its network errors. */
function firstSentence(message: string): string {
  return message.split(/[.?] /)[0] ?? message
}
