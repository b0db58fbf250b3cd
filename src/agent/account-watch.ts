import { Backoff } from '#base/backoff.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import type { Readiness } from './provider.ts'

/**
 * What a vendor thinks of our key, asked before the first call, while it refuses, and when a session could not be opened:
 * the refused upgrade of a WebSocket tells no reason. One request per step of the backoff, shared by all calls.
 */
export interface AccountState {
  readonly readiness: Readiness
  /** Stable, for the log and the metrics: `no_key`, `bad_key`, `no_quota`, `unreachable` … */
  readonly code: string
  /** No session will open until somebody changes something. */
  readonly hopeless: boolean
  /** How long the server asked to be left alone. */
  readonly waitMs: Milliseconds
}

export interface AccountWatchDeps {
  readonly clock: Clock
  readonly random: Random
  /** One look; never rejects. */
  readonly ask: (signal: AbortSignal) => Promise<AccountState>
  readonly changed: (state: AccountState, before: AccountState) => void
}

export const accountReady: AccountState = { readiness: { ready: true }, code: 'ready', hopeless: false, waitMs: 0 }

/** @param waitMs so long the server asked to be left alone */
export function accountRefused(
  { code, reason, hopeless }: { readonly code: string; readonly reason: string; readonly hopeless: boolean },
  waitMs: Milliseconds = 0,
): AccountState {
  return { readiness: { ready: false, reason }, code, hopeless, waitMs }
}

/** For `changed`: the log has it when the server becomes ready, and each further reason why it is not. */
export function toldTo(log: Log, server: string): AccountWatchDeps['changed'] {
  return ({ readiness, code }, before) => {
    if (readiness.ready && !before.readiness.ready) log.info(`${server} is ready`)
    if (!readiness.ready && code !== before.code) log.warn(`${server} is not ready`, { code, why: readiness.reason })
  }
}

/** A key may be revoked or run dry between two calls. */
const recheckMs: Milliseconds = 60_000
/** What an answer of this age says is not asked again. */
const freshMs: Milliseconds = 1000
const firstRetryMs: Milliseconds = 500
const retryMaxMs: Milliseconds = 30_000

export class AccountWatch {
  state: AccountState = {
    readiness: { ready: false, reason: 'the server has not been asked yet' },
    code: 'not_asked',
    hopeless: false,
    waitMs: 0,
  }
  private readonly deps: AccountWatchDeps
  private readonly stop = new AbortController()
  private readonly backoff: Backoff
  private polling: Promise<void> | null = null
  private looking: Promise<AccountState> | null = null
  private lookedMs = Number.NEGATIVE_INFINITY

  constructor(deps: AccountWatchDeps) {
    this.deps = deps
    this.backoff = new Backoff(firstRetryMs, retryMaxMs, deps.random)
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

  /** Asks now, or shares the answer that is on its way or just came. */
  look(): Promise<AccountState> {
    if (this.deps.clock.now() - this.lookedMs < freshMs) return Promise.resolve(this.state)
    this.looking ??= this.ask().finally(() => {
      this.looking = null
    })
    return this.looking
  }

  /** A session stands: whatever the last look showed, the server takes us. */
  proved(): void {
    const before = this.state
    if (before.readiness.ready) return
    this.state = accountReady
    this.deps.changed(this.state, before)
  }

  /** A session was refused behind a look that was answered well: the next look asks anew. */
  refused(state: AccountState): void {
    const before = this.state
    if (!before.readiness.ready) return
    this.state = state
    this.lookedMs = Number.NEGATIVE_INFINITY
    this.deps.changed(state, before)
  }

  private async poll(): Promise<void> {
    while (!this.stop.signal.aborted) {
      const { readiness, waitMs } = await this.look()
      if (this.stop.signal.aborted) break
      if (readiness.ready) this.backoff.reset()
      const pauseMs = readiness.ready ? recheckMs : Math.max(this.backoff.next(), waitMs)
      await this.deps.clock.sleep(Math.max(freshMs, pauseMs), this.stop.signal)
    }
  }

  private async ask(): Promise<AccountState> {
    const before = this.state
    const state = await this.deps.ask(this.stop.signal)
    this.lookedMs = this.deps.clock.now()
    this.state = state
    if (!this.stop.signal.aborted) this.deps.changed(state, before)
    return state
  }
}
