import type { AgentEvent } from '#agent/provider.ts'
import type { Log } from '#base/log.ts'

/**
 * Sessions that were not opened. Each new reason is said once; where there is no hope (no key, a wrong one) the call is
 * given up as soon as it asks for anything.
 */
export interface RefusalsDeps {
  readonly log: Log
  readonly emit: (event: AgentEvent) => void
  /** Runs it when whoever is at work now has finished. */
  readonly later: (action: () => void) => void
  readonly giveUp: (code: string, why: string) => void
}

export class Refusals {
  private readonly deps: RefusalsDeps
  private told = ''
  private last: { readonly code: string; readonly why: string } | null = null

  constructor(deps: RefusalsDeps) {
    this.deps = deps
  }

  get hopeless(): boolean {
    return this.last !== null
  }

  /** A session is there. */
  over(): void {
    this.told = ''
    this.last = null
  }

  /** @param engaged the call has begun to talk to us */
  refused(code: string, why: string, hopeless: boolean, engaged: boolean): void {
    this.deps.log.warn('no session could be opened', { code, why })
    // Where there is no hope the fault says it.
    if (!hopeless && code !== this.told) this.deps.emit({ type: 'incident', code, message: why })
    this.told = code
    this.last = hopeless ? { code, why } : null
    if (hopeless && engaged) this.deps.giveUp(code, why)
  }

  /** Something is asked of the session. */
  failIfHopeless(): void {
    const { last, deps } = this
    if (last !== null) deps.later(() => deps.giveUp(last.code, last.why))
  }
}
