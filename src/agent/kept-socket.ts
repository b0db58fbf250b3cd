import { Backoff } from '#base/backoff.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Random } from '#base/random.ts'
import type { Tally } from './tally.ts'
import type { OpenSocket, WireSocket } from './wire-socket.ts'

/**
 * The connection of one call to a vendor's server, kept: opens the socket, and after a loss does so again, with a capped
 * backoff and the server's own word on how long to wait. What there is to agree on, and what was said before, it does not
 * know; its vendor's link and session see to that.
 *
 * | state      | goes on when                                                       |
 * |------------|--------------------------------------------------------------------|
 * | connecting | the socket is open → agreeing; it is refused or too late → waiting |
 * | agreeing   | the link says `agreed` → ready; it is too late → waiting           |
 * | ready      | the socket or the session ends → waiting                           |
 * | waiting    | the backoff is over → connecting                                   |
 * | closed     |                                                                    |
 */
export interface KeptSocketListener {
  /** The socket is open: who has nothing to agree on says `agreed` at once. */
  opened(): void
  /** `again`: there was one before. */
  ready(again: boolean): void
  /** A text message, from the moment the socket is open. */
  message(text: string): void
  audio?(bytes: Uint8Array<ArrayBuffer>): void
  /** An open session has ended; another one is being made. */
  lost(code: string, why: string): void
  /** A session could not be opened. `hopeless`: nor will the next. */
  refused(code: string, why: string, hopeless: boolean): void
}

/** Why no session could be opened, as far as anybody knows, and how long the server asks to be left alone. */
export interface SessionRefusal {
  readonly code: string
  readonly why: string
  readonly hopeless: boolean
  readonly waitMs: Milliseconds
}

export interface KeptSocketDeps {
  readonly clock: Clock
  readonly random: Random
  readonly openSocket: OpenSocket
  readonly tally: Tally
  readonly timeoutMs: Milliseconds
  readonly url: string
  readonly account: {
    /** Undefined where there is no key. */
    headers(): Record<string, string> | undefined
    /** A session stands. */
    proved(): void
  }
  /** The upgrade itself tells little: one look at the account does. `status` is that of a refused upgrade. Never rejects. */
  readonly findOutWhy: (code: string, why: string, status: number | null) => Promise<SessionRefusal>
}

const firstRetryMs: Milliseconds = 200
const retryMaxMs: Milliseconds = 4000
/** A session that stood so long was a good one: the next loss is retried quickly again. */
const steadyMs: Milliseconds = 5000
/** What the kernel does not take, it will not take in time to matter: 256 KiB are half a minute of µ-law at 8 kHz. */
const waitingMaxBytes = 262_144

export class KeptSocket {
  state: 'connecting' | 'agreeing' | 'ready' | 'waiting' | 'closed' = 'connecting'
  /** Counts those that were open. */
  sessions = 0
  /** The server's error before the session was there; empty: none. */
  said = ''
  private readonly deps: KeptSocketDeps
  private readonly listener: KeptSocketListener
  private readonly backoff: Backoff
  private socket: WireSocket | null = null
  private timer: Disposable | null = null
  private steady: Disposable | null = null

  constructor(deps: KeptSocketDeps, listener: KeptSocketListener) {
    this.deps = deps
    this.listener = listener
    this.backoff = new Backoff(firstRetryMs, retryMaxMs, deps.random)
  }

  get ready(): boolean {
    return this.state === 'ready'
  }

  /**
   * False: what is older than what it has already is of no use any more.
   * @param maxBytes that may wait for the kernel
   */
  takesAudio(maxBytes = waitingMaxBytes): boolean {
    return this.state === 'ready' && this.socket !== null && this.socket.waitingBytes <= maxBytes
  }

  open(): void {
    if (this.state === 'closed') return
    const { account, openSocket, clock, timeoutMs, url } = this.deps
    const headers = account.headers()
    if (headers === undefined) {
      this.state = 'waiting'
      void this.notOpened('no_key', 'there is no API key', null)
      return
    }
    this.state = 'connecting'
    this.said = ''
    this.timer = clock.after(timeoutMs, () => this.fail('open_timeout', `no session within ${timeoutMs} ms`))
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
        if (this.socket === socket) this.listener.audio?.(bytes)
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
  send(data: string | Uint8Array<ArrayBuffer>): boolean {
    if (this.state !== 'ready' && this.state !== 'agreeing') return false
    this.socket?.send(data)
    return true
  }

  /** The session is of no use any more: another one is made. */
  fail(code: string, why: string, status: number | null = null): void {
    if (this.state === 'closed' || this.state === 'waiting') return
    const wasReady = this.state === 'ready'
    this.drop()
    this.state = 'waiting'
    if (!wasReady) return void this.notOpened(code, why, status)
    // Whoever listens may close it.
    this.listener.lost(code, why)
    this.retryBehind(0)
  }

  /** Nothing could be agreed on, and the same words would get the same answer: no other is made. False: it was over. */
  giveUp(code: string, why: string): boolean {
    if (this.state === 'closed' || this.state === 'waiting') return false
    this.drop()
    this.state = 'waiting'
    this.listener.refused(code, why, true)
    return true
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
    if (this.state === 'ready') this.fail('connection_lost', why, status)
    else if (this.said === '') this.fail('unreachable', why, status)
    else this.fail('session_not_opened', `the server said ${this.said}`, status)
  }

  private async notOpened(code: string, why: string, status: number | null): Promise<void> {
    this.deps.tally.count('session_failed')
    const refusal = await this.deps.findOutWhy(code, why, status)
    if (this.state !== 'waiting') return
    this.listener.refused(refusal.code, refusal.why, refusal.hopeless)
    this.retryBehind(refusal.waitMs)
  }

  private retryBehind(waitMs: Milliseconds): void {
    if (this.state !== 'waiting') return
    this.timer?.[Symbol.dispose]()
    this.timer = this.deps.clock.after(Math.max(this.backoff.next(), waitMs), () => this.open())
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
