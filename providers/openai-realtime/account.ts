import { type AccountState, AccountWatch } from '#agent/account-watch.ts'
import type { Readiness } from '#agent/provider.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import { messageOf } from '#base/result.ts'
import { type Secrets, secretIn } from '#config/secrets.ts'
import { isScopeOfListing, modelIds, refusalOf } from './account-wire.ts'
import type { OpenAiRealtimeOptions } from './options.ts'

/**
 * What the server thinks of our key and model, by `GET {base}/models`; and how the key is sent.
 */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface AccountDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly secrets: Secrets
  readonly fetch?: Fetch
}

const answerMaxMs: Milliseconds = 5000

type Verdict = Omit<AccountState, 'waitMs'>

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
    const log = deps.log.with({ part: 'openai_realtime' })
    this.log = log
    this.watch = new AccountWatch({
      clock: deps.clock,
      random: deps.random,
      ask: (signal) => this.ask(signal),
      changed: ({ readiness, code }, before) => {
        if (readiness.ready && !before.readiness.ready) log.info('the realtime server is ready')
        if (!readiness.ready && code !== before.code)
          log.warn('the realtime server is not ready', { code, why: readiness.reason })
      },
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
    const state = { readiness: notReady(reason), code: `session_refused_${status}`, hopeless: true, waitMs: 0 }
    if (this.state.readiness.ready) this.log.warn('the realtime server is not ready', { code: state.code, why: reason })
    this.refusal = { state, untilMs: this.deps.clock.now() + refusedMs }
  }

  /** A session stands: whatever the last look showed, the server takes us. */
  proved(): void {
    this.refusal = null
    this.watch.proved()
  }

  /** How long the server asked to be left alone. */
  get waitMs(): Milliseconds {
    return this.state.waitMs
  }

  private key() {
    const name = this.options.api_key_env
    if (name === '') return { ok: true, value: undefined } as const
    const key = secretIn(this.deps.secrets, name)
    if (key.ok && key.value === undefined) {
      return {
        ok: false,
        error: `the environment variable ${name} (providers.openai_realtime.api_key_env) is not set`,
      } as const
    }
    return key
  }

  private async ask(stop: AbortSignal): Promise<AccountState> {
    const key = this.key()
    if (!key.ok) return { readiness: notReady(key.error), code: 'no_key', hopeless: true, waitMs: 0 }
    const { clock } = this.deps
    const deadline = new AbortController()
    using _ = clock.after(answerMaxMs, () => deadline.abort())
    const signal = AbortSignal.any([deadline.signal, stop])
    try {
      const headers = this.headers() ?? {}
      const response = await (this.deps.fetch ?? fetch)(`${this.baseUrl}/models`, { headers, signal })
      const body = await response.text()
      return { ...this.judge(response.status, body), waitMs: retryAfterMs(response.headers) }
    } catch (thrown) {
      const why = deadline.signal.aborted ? `no answer within ${answerMaxMs} ms` : firstSentence(messageOf(thrown))
      return {
        readiness: notReady(`the realtime server at ${this.baseUrl} cannot be reached: ${why}`),
        code: 'unreachable',
        hopeless: false,
        waitMs: 0,
      }
    }
  }

  private judge(status: number, body: string): Verdict {
    if (status >= 200 && status < 300) return this.judgeModels(modelIds(body))
    // Some compatible servers have no such path; that they answer is all that can be known.
    if (status === 404 || status === 405 || isScopeOfListing(status, body)) return fine
    const { code, reason, hopeless } = refusalOf(status, body)
    return { readiness: notReady(reason), code, hopeless }
  }

  /** Only OpenAI's own list is all there is: Azure has deployments, a proxy patterns or names of its own. */
  private judgeModels(known: readonly string[] | undefined): Verdict {
    const { model } = this.options
    const names = known ?? []
    if (names.length === 0 || names.includes(model)) return fine
    const like = names.filter((name) => /realtime/.test(name)).slice(0, 4)
    const hint = like.length === 0 ? '' : `; it has ${like.join(', ')}`
    const reason = `the key has no model ${model} (providers.openai_realtime.model)${hint}`
    if (new URL(this.baseUrl).hostname === 'api.openai.com')
      return { readiness: notReady(reason), code: 'unknown_model', hopeless: true }
    if (!this.warned) this.log.warn('the server does not list this model, and may have it all the same', { model })
    this.warned = true
    return fine
  }
}

const fine: Verdict = { readiness: { ready: true }, code: 'ready', hopeless: false }

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
