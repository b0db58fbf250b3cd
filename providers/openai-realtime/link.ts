import { KeptSocket, type KeptSocketDeps, type SessionRefusal } from '#agent/kept-socket.ts'
import type { Log } from '#base/log.ts'
import type { Account } from './account.ts'
import { appendText, type ClientEvent, formatTypes, type WireAudio } from './client-wire.ts'
import { readServerEvent, type ServerError, type ServerEvent, type SessionFacts } from './wire.ts'

/**
 * The connection of one call: agrees on the session whenever its socket is open, and again with PCM where the server does
 * not take the first format. What was said before it does not know; the session puts that back at each `ready`.
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

export interface LinkDeps extends Omit<KeptSocketDeps, 'findOutWhy' | 'url'> {
  readonly log: Log
  readonly account: Account
  /** In the order in which they are asked for. */
  readonly formats: readonly WireAudio[]
  readonly sessionOf: (audio: WireAudio) => Extract<ClientEvent, { type: 'session.update' }>['session']
}

/** What a session sends; the event's id is made here. */
export type Sendable = ClientEvent extends infer Event
  ? Event extends unknown
    ? Omit<Event, 'event_id'>
    : never
  : never

/** Of base64: 24 s, which is what a turn that is said again to a new session takes at once, and more. */
const waitingMaxBytes: Readonly<Record<WireAudio, number>> = { pcmu: 262_144, pcm24: 1_572_864 }

export class Link {
  private readonly deps: LinkDeps
  private readonly listener: LinkListener
  private readonly socket: KeptSocket
  private formatIndex = 0
  private eventNumber = 0
  private updateId = ''

  constructor(deps: LinkDeps, listener: LinkListener) {
    this.deps = deps
    this.listener = listener
    const findOutWhy = this.findOutWhy.bind(this)
    this.socket = new KeptSocket(
      { ...deps, url: deps.account.sessionUrl, findOutWhy },
      {
        opened: () => this.agree(),
        ready: (again) => listener.ready(this.audio, again),
        message: (text) => this.received(text),
        lost: (code, why) => listener.lost(code, why),
        refused: (code, why, hopeless) => listener.refused(code, why, hopeless),
      },
    )
  }

  /** How many there have been, one after the other. */
  get sessions(): number {
    return this.socket.sessions
  }

  get ready(): boolean {
    return this.socket.ready
  }

  open(): void {
    this.socket.open()
  }

  /** False where it was not sent: there is no session now. */
  send(event: Sendable): boolean {
    if (!this.ready) return false
    this.sendNow(event)
    return true
  }

  /** `full`: the socket takes no more; what is older is of no use any more. */
  append(base64: string): 'sent' | 'full' {
    if (!this.socket.takesAudio(waitingMaxBytes[this.audio])) return 'full'
    this.eventNumber += 1
    this.socket.send(appendText(`append_${this.eventNumber}`, base64))
    return 'sent'
  }

  /** Ends the session that is open and makes another one at once. */
  renew(): void {
    this.socket.renew()
  }

  close(): void {
    this.socket.close()
  }

  private sendNow(event: Sendable): string {
    this.eventNumber += 1
    // What it is, and which: an error that names it tells at a glance what was wrong.
    const eventId = `${event.type.replaceAll('.', '-')}_${this.eventNumber}`
    this.socket.send(JSON.stringify({ ...event, event_id: eventId }))
    return eventId
  }

  private agree(): void {
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
        return this.socket.fail('session_expired', 'the session has reached its longest duration')
      if (this.socket.state === 'agreeing') return this.refusedEarly(event.error)
    }
    if (this.ready) this.listener.event(event)
  }

  private sessionSays(updated: boolean, session: SessionFacts): void {
    if (!updated || this.socket.state !== 'agreeing') return
    const { tally, log } = this.deps
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
    this.socket.agreed()
  }

  private mismatched(asked: string, said: string): void {
    if (this.nextFormat()) return this.agree()
    this.socket.giveUp('format_mismatch', `asked for ${asked}, the server has ${said}`)
  }

  private refusedEarly({ code, param, causedBy }: ServerError): void {
    // A key that is refused after the upgrade: the server says so and closes.
    if (causedBy !== this.updateId) {
      this.socket.said = code
      return
    }
    if (/format/.test(param) && this.nextFormat()) return this.agree()
    this.socket.giveUp('session_refused', `session.update was refused: ${code} ${param}`)
  }

  private nextFormat(): boolean {
    if (this.formatIndex + 1 >= this.deps.formats.length) return false
    this.formatIndex += 1
    this.deps.log.warn('the server does not take this audio format: the next is asked for', { next: this.audio })
    return true
  }

  private async findOutWhy(code: string, why: string, status: number | null): Promise<SessionRefusal> {
    const { account } = this.deps
    await account.look()
    if (status !== null) account.refused(status)
    const { readiness, code: known, hopeless, waitMs } = account.state
    if (!readiness.ready) return { code: known, why: readiness.reason, hopeless, waitMs }
    return { code: status === null ? code : `refused_${status}`, why, hopeless: false, waitMs }
  }
}
