import type { Tally } from '#agent/tally.ts'
import type { OpenSocket, WireSocket } from '#agent/wire-socket.ts'
import { Backoff } from '#base/backoff.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import type { Account } from './account.ts'
import { appendText, type ClientEvent, formatTypes, type WireAudio } from './client-wire.ts'
import { readServerEvent, type ServerError, type ServerEvent, type SessionFacts } from './wire.ts'

/**
 * The connection of one call, kept: opens the socket, agrees on the session, and after a loss does both again, with a
 * capped backoff and the server's own word on how long to wait. What was said before it does not know; the session puts
 * that back at each `ready`.
 *
 * | state      | goes on when                                                                                     |
 * |------------|--------------------------------------------------------------------------------------------------|
 * | connecting | the socket is open → agreeing; it is refused or too late → waiting                               |
 * | agreeing   | `session.updated` → ready; our update is refused → again with PCM where that may help, → waiting |
 * | ready      | the socket or the session ends → waiting                                                         |
 * | waiting    | the backoff is over → connecting                                                                 |
 * | closed     |                                                                                                  |
 */
export interface LinkListener {
  /** The session is there, and speaks this. `again`: there was one before. */
  ready(audio: WireAudio, again: boolean): void
  event(event: ServerEvent): void
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
  /** In the order in which they are asked for. */
  readonly formats: readonly WireAudio[]
  readonly sessionOf: (audio: WireAudio) => Extract<ClientEvent, { type: 'session.update' }>['session']
}

type LinkState = 'connecting' | 'agreeing' | 'ready' | 'waiting' | 'closed'
/** What a session sends; the event's id is made here. */
export type Sendable = ClientEvent extends infer Event
  ? Event extends unknown
    ? Omit<Event, 'event_id'>
    : never
  : never

const firstRetryMs: Milliseconds = 200
const retryMaxMs: Milliseconds = 4000
/** A session that stood so long was a good one: the next loss is retried quickly again. */
const steadyMs: Milliseconds = 5000
/** What the kernel does not take, it will not take in time to matter: 256 KiB are half a minute of µ-law. */
const waitingMaxBytes = 262_144

export class Link {
  state: LinkState = 'connecting'
  /** How many there have been, one after the other. */
  sessions = 0
  private readonly deps: LinkDeps
  private readonly listener: LinkListener
  private readonly backoff: Backoff
  private socket: WireSocket | null = null
  private formatIndex = 0
  private timer: Disposable | null = null
  private steady: Disposable | null = null
  private eventNumber = 0
  private updateId = ''
  /** The server's error before the session was there; empty: none. */
  private said = ''

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
    const { account, openSocket, clock, timeoutMs } = this.deps
    const headers = account.headers()
    if (headers === undefined) {
      this.state = 'waiting'
      void this.findOutWhy('no_key', 'there is no API key')
      return
    }
    this.state = 'connecting'
    this.said = ''
    this.timer = clock.after(timeoutMs, () => this.failed('open_timeout', `no session within ${timeoutMs} ms`, null))
    const socket = openSocket(account.sessionUrl, headers, {
      opened: () => this.agree(),
      message: (text) => this.received(text),
      lost: (why, status) => {
        if (this.socket === socket) this.ended(why, status)
      },
    })
    this.socket = socket
  }

  /** False where it was not sent: there is no session now. */
  send(event: Sendable): boolean {
    if (this.state !== 'ready') return false
    this.sendNow(event)
    return true
  }

  /** `full`: the socket takes no more; what is older is of no use any more. */
  append(base64: string): 'sent' | 'full' {
    const { socket } = this
    if (this.state !== 'ready' || socket === null || socket.waitingBytes > waitingMaxBytes) return 'full'
    this.eventNumber += 1
    socket.send(appendText(`append_${this.eventNumber}`, base64))
    return 'sent'
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

  private sendNow(event: Sendable): string {
    this.eventNumber += 1
    // What it is, and which: an error that names it tells at a glance what was wrong.
    const eventId = `${event.type.replaceAll('.', '-')}_${this.eventNumber}`
    this.socket?.send(JSON.stringify({ ...event, event_id: eventId }))
    return eventId
  }

  private agree(): void {
    if (this.state !== 'connecting' && this.state !== 'agreeing') return
    this.state = 'agreeing'
    this.updateId = this.sendNow({ type: 'session.update', session: this.deps.sessionOf(this.audio) })
  }

  private get audio(): WireAudio {
    return this.deps.formats[this.formatIndex] ?? 'pcm24'
  }

  private received(text: string): void {
    const { tally, log } = this.deps
    const event = readServerEvent(text)
    if (event === 'unknown' || event === 'malformed') {
      tally.count(`${event}_event`)
      log.debug('a message of the server that is passed over', { why: event })
      return
    }
    if (event.type === 'session') return this.sessionSays(event.updated, event.session)
    if (event.type === 'error') {
      tally.count(`error_${event.error.code}`)
      if (event.error.code === 'session_expired')
        return this.failed('session_expired', 'the session has reached its longest duration', null)
      if (this.state === 'agreeing') return this.refusedEarly(event.error)
    }
    if (this.state === 'ready') this.listener.event(event)
  }

  private sessionSays(updated: boolean, session: SessionFacts): void {
    if (!updated || this.state !== 'agreeing') return
    const { clock, tally, log } = this.deps
    const asked = formatTypes[this.audio]
    for (const [way, said] of [
      ['in', session.inputFormat],
      ['out', session.outputFormat],
    ] as const) {
      if (said === null || said === asked) continue
      tally.count('format_mismatch')
      log.error('the server agreed to another audio format than was asked', { way, asked, said })
      return this.mismatched(asked, said)
    }
    this.timer?.[Symbol.dispose]()
    this.timer = null
    this.state = 'ready'
    this.steady = clock.after(steadyMs, () => this.backoff.reset())
    this.sessions += 1
    const again = this.sessions > 1
    tally.count(again ? 'session_again' : 'session')
    this.deps.account.proved()
    this.listener.ready(this.audio, again)
  }

  private mismatched(asked: string, said: string): void {
    if (this.nextFormat()) return this.agree()
    this.failed('format_mismatch', `asked for ${asked}, the server has ${said}`, null)
  }

  private refusedEarly({ code, param, causedBy }: ServerError): void {
    // A key that is refused after the upgrade: the server says so and closes.
    if (causedBy !== this.updateId) {
      this.said = code
      return
    }
    if (/format/.test(param) && this.nextFormat()) return this.agree()
    this.failed('session_refused', `session.update was refused: ${code} ${param}`, null)
  }

  private nextFormat(): boolean {
    if (this.formatIndex + 1 >= this.deps.formats.length) return false
    this.formatIndex += 1
    this.deps.log.warn('the server does not take this audio format: the next is asked for', { next: this.audio })
    return true
  }

  private ended(why: string, status: number | null): void {
    if (this.state === 'ready') this.failed('connection_lost', why, status)
    else if (this.said === '') this.failed('unreachable', why, status)
    else this.failed('session_not_opened', `the server said ${this.said}`, status)
  }

  private failed(code: string, why: string, status: number | null): void {
    if (this.state === 'closed' || this.state === 'waiting') return
    const wasReady = this.state === 'ready'
    this.drop()
    this.state = 'waiting'
    if (wasReady) {
      this.listener.lost(code, why)
      this.retryIn(this.backoff.next())
    } else if (code === 'session_refused' || code === 'format_mismatch') {
      // The same words would get the same answer.
      this.listener.refused(code, why, true)
    } else void this.findOutWhy(status === null ? code : `refused_${status}`, why, status)
  }

  /** The upgrade itself tells no reason: one look at the account does, and how long to wait. */
  private async findOutWhy(code: string, why: string, status: number | null = null): Promise<void> {
    const { account, tally } = this.deps
    tally.count('session_failed')
    await account.look()
    if (status !== null) account.refused(status)
    const { readiness, code: known, hopeless } = account.state
    if (this.state !== 'waiting') return
    if (readiness.ready) this.listener.refused(code, why, false)
    else this.listener.refused(known, readiness.reason, hopeless)
    if (this.state === 'waiting') this.retryIn(Math.max(this.backoff.next(), account.waitMs))
  }

  private retryIn(durationMs: Milliseconds): void {
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
