import type { Clock, Milliseconds } from '#base/clock.ts'

/**
 * For how long sessions of each provider have been open on the present day: what `limits.provider_minutes_per_day` is
 * held against. A day is a calendar day of this machine's time zone; a session over midnight counts on each of the two
 * days for its part. A wall clock that is set back into the day before does not begin that day anew.
 */
export interface SessionUse {
  /** A session of this provider is open until it is disposed of. */
  begin(provider: string): Disposable
  /** On the present day, sessions that are still open included. */
  usedMs(provider: string): Milliseconds
}

/** What has to outlive the process. */
export interface UseOfDay {
  /** Such as 2026-01-31. */
  readonly day: string
  /** By provider. */
  readonly usedMs: Readonly<Record<string, Milliseconds>>
}

interface OpenSession {
  readonly provider: string
  /** On the clock: when it was opened, or midnight where that came later. */
  sinceMs: Milliseconds
}

export class ProviderUse implements SessionUse {
  private readonly clock: Clock
  private day: string
  // keyed by: provider
  private readonly closedMs = new Map<string, Milliseconds>()
  // keyed by: itself
  private readonly open = new Set<OpenSession>()

  /** `before`: what a process before this one has kept; of another day it means nothing. */
  constructor(clock: Clock, before: UseOfDay | null = null) {
    this.clock = clock
    this.day = localDay(clock.wallNow())
    if (before?.day !== this.day) return
    for (const [provider, usedMs] of Object.entries(before.usedMs)) this.closedMs.set(provider, usedMs)
  }

  begin(provider: string): Disposable {
    this.turnDay()
    const session: OpenSession = { provider, sinceMs: this.clock.now() }
    this.open.add(session)
    return {
      [Symbol.dispose]: () => {
        this.turnDay()
        if (!this.open.delete(session)) return
        this.closedMs.set(provider, (this.closedMs.get(provider) ?? 0) + this.clock.now() - session.sinceMs)
      },
    }
  }

  usedMs(provider: string): Milliseconds {
    this.turnDay()
    return this.sum(provider)
  }

  /** Of every provider that was used today. */
  get today(): UseOfDay {
    this.turnDay()
    const names = [...this.closedMs.keys(), ...[...this.open].map(({ provider }) => provider)]
    return { day: this.day, usedMs: Object.fromEntries(names.map((name) => [name, this.sum(name)])) }
  }

  private sum(provider: string): Milliseconds {
    const nowMs = this.clock.now()
    let sumMs = this.closedMs.get(provider) ?? 0
    for (const session of this.open) if (session.provider === provider) sumMs += nowMs - session.sinceMs
    return sumMs
  }

  private turnDay(): void {
    const wallMs = this.clock.wallNow()
    const day = localDay(wallMs)
    if (day <= this.day) return
    this.day = day
    this.closedMs.clear()
    const midnightMs = this.clock.now() - (wallMs - midnightBefore(wallMs))
    for (const session of this.open) session.sinceMs = Math.max(session.sinceMs, midnightMs)
  }
}

function localDay(wallMs: Milliseconds): string {
  const date = new Date(wallMs)
  const two = (number: number) => String(number).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

function midnightBefore(wallMs: Milliseconds): Milliseconds {
  const date = new Date(wallMs)
  return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime()
}
