import { KeptSocket, type KeptSocketDeps, type KeptSocketListener, type SessionRefusal } from '#agent/kept-socket.ts'
import type { Account } from './account.ts'
import { refusalOf } from './account-wire.ts'

/** The connection of one call to Deepgram: messages as JSON, audio as it is. */
export interface LinkListener extends KeptSocketListener {
  audio(bytes: Uint8Array<ArrayBuffer>): void
}

export interface LinkDeps extends Omit<KeptSocketDeps, 'findOutWhy'> {
  readonly account: Account
}

export class Link {
  private readonly deps: LinkDeps
  private readonly socket: KeptSocket

  constructor(deps: LinkDeps, listener: LinkListener) {
    this.deps = deps
    const findOutWhy = this.findOutWhy.bind(this)
    this.socket = new KeptSocket({ ...deps, findOutWhy }, listener)
  }

  /** Counts those that were open. */
  get sessions(): number {
    return this.socket.sessions
  }

  get ready(): boolean {
    return this.socket.ready
  }

  open(): void {
    this.socket.open()
  }

  /** The session is there. */
  agreed(): void {
    this.socket.agreed()
  }

  /** False where it was not sent: there is no socket now. Before `agreed` it is what there is to agree on. */
  send(message: object): boolean {
    return this.socket.send(JSON.stringify(message))
  }

  /** `full`: the socket takes no more; what is older is of no use any more. */
  audio(bytes: Uint8Array<ArrayBuffer>): 'sent' | 'full' {
    if (!this.socket.takesAudio()) return 'full'
    this.socket.send(bytes)
    return 'sent'
  }

  /** The server has said why it ends. `hopeless`: it would say so again. */
  fail(code: string, why: string, hopeless: boolean): void {
    if (this.ready || !hopeless) this.socket.fail(code, why)
    else if (this.socket.giveUp(code, why)) this.deps.tally.count('session_failed')
  }

  /** Ends the session that is open and makes another one at once. */
  renew(): void {
    this.socket.renew()
  }

  close(): void {
    this.socket.close()
  }

  private async findOutWhy(code: string, why: string, status: number | null): Promise<SessionRefusal> {
    const { account } = this.deps
    const { readiness, code: known, hopeless, waitMs } = await account.look()
    // The look may be older than what was refused just now.
    const refusal = status === null ? null : refusalOf(status, '')
    if (refusal?.hopeless === true && this.socket.state === 'waiting') account.refused(refusal.code, refusal.reason)
    if (!readiness.ready) return { code: known, why: readiness.reason, hopeless, waitMs }
    return refusal === null
      ? { code, why, hopeless: false, waitMs }
      : { code: refusal.code, why: refusal.reason, hopeless: refusal.hopeless, waitMs }
  }
}
