import type { AgentEvent } from '#agent/provider.ts'
import type { Tally } from '#agent/tally.ts'
import type { Log } from '#base/log.ts'
import type { AgentParts } from './agent-parts.ts'

/**
 * What becomes of a call when its session ends, by itself or because it is left, and when another one begins: what sounds
 * goes on, what is due is asked again, and what nobody can know any more is told to the caller.
 */
export interface SessionChangeDeps {
  readonly log: Log
  readonly tally: Tally
  readonly parts: () => AgentParts
  readonly emit: (event: AgentEvent) => void
  /** Runs it when whoever is at work now has finished, unless something else has been ordered by then. */
  readonly later: (action: () => void) => void
  /** The call has begun to talk to us. */
  readonly engaged: () => boolean
  /** Something is given to the caller's ear. */
  readonly sounding: () => boolean
}

export class SessionChange {
  private readonly deps: SessionChangeDeps

  constructor(deps: SessionChangeDeps) {
    this.deps = deps
  }

  private get parts(): AgentParts {
    return this.deps.parts()
  }

  ready(): void {
    const { age, callerAudio, decoder, keepAlive, outage, refusals, replies, functions } = this.parts
    refusals.over()
    outage.ends()
    age.begins()
    decoder.reset()
    keepAlive.begin()
    callerAudio.ready()
    // What is due is asked for when functions have ended.
    if (!functions.running) replies.ready()
  }

  lost(code: string, why: string): void {
    this.deps.log.warn('the session is lost, and is made anew', { code, why })
    this.deps.emit({ type: 'incident', code, message: why })
    this.leave()
  }

  renew(why: string): void {
    this.deps.log.info(why)
    this.deps.tally.count('session_renewed')
    this.leave()
    this.parts.link.renew()
  }

  /** While something is heard nobody is left in silence. */
  watchOutage(): void {
    const { link, outage, own } = this.parts
    const isHeard = this.deps.sounding() && !own.filling
    if (this.deps.engaged() && !link.ready && !isHeard) outage.begins()
  }

  /** Our own detector has heard them, and the server has no words of it. */
  unheard(): void {
    const { link, replies, turn } = this.parts
    if (!link.ready || this.deps.sounding() || replies.busy) return
    const isToldAnyway = turn.isHeard
    this.renew('the server does not hear the caller: another session is asked')
    if (isToldAnyway) return
    turn.unheard()
    this.missed('caller_unheard', 'the caller spoke, and the server did not hear it')
  }

  /** Nobody knows what the caller was saying. */
  missed(code: string, message: string): void {
    this.deps.later(() => this.deps.emit({ type: 'fault', code, message, retryable: true }))
  }

  /** Nothing more will come of the session that there was. */
  private leave(): void {
    const { age, callerAudio, keepAlive, replies, turn } = this.parts
    this.watchOutage()
    age.end()
    keepAlive.end()
    callerAudio.lost()
    const rest = replies.lost()
    const missed = turn.lost()
    if (rest !== '') replies.request({ kind: 'rest', text: rest })
    if (missed) this.missed('connection_lost', 'the session was lost while the caller spoke')
  }
}
