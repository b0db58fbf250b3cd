import type { Tally } from '#agent/tally.ts'
import type { OpenSocket, WireSocket } from '#agent/wire-socket.ts'
import { Backoff } from '#base/backoff.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import type { Account } from './account.ts'
import { refusalOf } from './account-wire.ts'

/**
 * The connection of one call, kept: opens the socket, and after a loss does so again, with a capped backoff and the
 * server's own word on how long to wait. What was said before it does not know; the session sees to that at each `ready`.
 *
 * | state      | goes on when                                                       |
 * |------------|--------------------------------------------------------------------|
 * | connecting | the socket is open → agreeing; it is refused or too late → waiting |
 * | agreeing   | the session says `agreed` → ready; it is too late → waiting        |
 * | ready      | the socket or the session ends → waiting                           |
 * | waiting    | the backoff is over → connecting                                   |
 * | closed     |                                                                    |
 */
export interface LinkListener {
  /** The socket is open: who has nothing to agree on says `agreed` at once. */
  opened(): void
  /** `again`: there was one before. */
  ready(again: boolean): void
  /** A text message, from the moment the socket is open. */
  message(text: string): void
  audio(bytes: Uint8Array<ArrayBuffer>): void
  /** An open session has ended; another one is being made. */
  lost(code: string, why: string): void
  /** A session could not be opened. `hopeless`: nor will the next. */
  refused(code: string, why: string, hopeless: boolean): void
}

export interface LinkDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly account: Account
  readonly openSocket: OpenSocket
  readonly tally: Tally
  readonly timeoutMs: Milliseconds
  readonly url: string
}

const firstRetryMs: Milliseconds = 200
const retryMaxMs: Milliseconds = 4000
/** A session that stood so long was a good one: the next loss is retried quickly again. */
const steadyMs: Milliseconds = 5000
/** What the kernel does not take, it will not take in time to matter: 256 KiB are 16 s of 16 bits at 8 kHz. */
const waitingMaxBytes = 262_144

type LinkState = 'connecting' | 'agreeing' | 'ready' | 'waiting' | 'closed'

export class Link {
  /** Counts those that were open. */
  sessions = 0
  private state: LinkState = 'connecting'
  private readonly deps: LinkDeps
  private readonly listener: LinkListener
  private readonly backoff: Backoff
  private socket: WireSocket | null = null
  private timer: Disposable | null = null
  private steady: Disposable | null = null

  constructor(deps: LinkDeps, listener: LinkListener) {
    this.deps = deps
    this.listener = listener
    this.backoff = new Backoff(firstRetryMs, retryMaxMs, deps.random)
  }

  get ready(): boolean {
    return this.state === 'ready'
  }

  open(): void {
    if (this.state === 'closed') return
    const { account, openSocket, clock, timeoutMs, url } = this.deps
    const headers = account.headers()
    if (headers === undefined) {
      this.state = 'waiting'
      void this.findOutWhy('no_key', 'there is no API key', null)
      return
    }
    this.state = 'connecting'
    this.timer = clock.after(timeoutMs, () => this.failed('open_timeout', `no session within ${timeoutMs} ms`, null))
    const socket = openSocket(url, headers, {
      opened: () => {
        if (this.state !== 'connecting') return
        this.state = 'agreeing'
        this.listener.opened()
      },
      message: (text) => {
        if (this.socket === socket) this.listener.message(text)
      },
      audio: (bytes) => {
        if (this.socket === socket) this.listener.audio(bytes)
      },
      lost: (why, status) => {
        if (this.socket === socket) this.ended(why, status)
      },
    })
    this.socket = socket
  }

  /** The session is there. */
  agreed(): void {
    if (this.state !== 'agreeing') return
    const { clock, tally, account } = this.deps
    this.timer?.[Symbol.dispose]()
    this.timer = null
    this.state = 'ready'
    this.steady = clock.after(steadyMs, () => this.backoff.reset())
    this.sessions += 1
    const again = this.sessions > 1
    tally.count(again ? 'session_again' : 'session')
    account.proved()
    this.listener.ready(again)
  }

  /** False where it was not sent: there is no socket now. Before `agreed` it is what there is to agree on. */
  send(message: object): boolean {
    if (this.state !== 'ready' && this.state !== 'agreeing') return false
    this.socket?.send(JSON.stringify(message))
    return true
  }

  /** `full`: the socket takes no more; what is older is of no use any more. */
  audio(bytes: Uint8Array<ArrayBuffer>): 'sent' | 'full' {
    const { socket } = this
    if (this.state !== 'ready' || socket === null || socket.waitingBytes > waitingMaxBytes) return 'full'
    socket.send(bytes)
    return 'sent'
  }

  /** The server has said why it ends. `hopeless`: it would say so again. */
  fail(code: string, why: string, hopeless: boolean): void {
    if (this.state === 'ready' || !hopeless) return this.failed(code, why, null)
    if (this.state === 'closed' || this.state === 'waiting') return
    this.drop()
    this.state = 'waiting'
    this.deps.tally.count('session_failed')
    this.listener.refused(code, why, true)
  }

  /** Ends the session that is open and makes another one at once. */
  renew(): void {
    if (this.state !== 'ready') return
    this.drop()
    this.open()
  }

  close(): void {
    this.drop()
    this.state = 'closed'
  }

  private ended(why: string, status: number | null): void {
    if (this.state === 'ready') this.failed('connection_lost', why, status)
    else this.failed('unreachable', why, status)
  }

  private failed(code: string, why: string, status: number | null): void {
    if (this.state === 'closed' || this.state === 'waiting') return
    const wasReady = this.state === 'ready'
    this.drop()
    this.state = 'waiting'
    if (!wasReady) return void this.findOutWhy(code, why, status)
    // Whoever listens may close it.
    this.listener.lost(code, why)
    this.retryIn(this.backoff.next())
  }

  /** The upgrade itself tells little: one look at the account does, and how long to wait. */
  private async findOutWhy(code: string, why: string, status: number | null): Promise<void> {
    const { account, tally } = this.deps
    tally.count('session_failed')
    const { readiness, code: known, hopeless, waitMs } = await account.look()
    if (this.state !== 'waiting') return
    // The look may be older than what was refused just now.
    const refusal = status === null ? null : refusalOf(status, '')
    if (refusal?.hopeless === true) account.refused(refusal.code, refusal.reason)
    if (!readiness.ready) this.listener.refused(known, readiness.reason, hopeless)
    else if (refusal !== null) this.listener.refused(refusal.code, refusal.reason, refusal.hopeless)
    else this.listener.refused(code, why, false)
    this.retryIn(Math.max(this.backoff.next(), waitMs))
  }

  private retryIn(durationMs: Milliseconds): void {
    if (this.state !== 'waiting') return
    this.timer?.[Symbol.dispose]()
    this.timer = this.deps.clock.after(durationMs, () => this.open())
  }

  private drop(): void {
    this.timer?.[Symbol.dispose]()
    this.timer = null
    this.steady?.[Symbol.dispose]()
    this.steady = null
    const { socket } = this
    this.socket = null
    socket?.close()
  }
}
