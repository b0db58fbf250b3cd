import type { Readiness } from '#agent/provider.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'

/** Both on the wall clock. */
export interface SeenReadiness {
  readonly changedAtMs: Milliseconds
  readonly seenAtMs: Milliseconds
}

/** How often the engine looks: a change is known to lie within so long before the time that is told. */
export const lookEveryMs: Milliseconds = 1000

/** When each provider's readiness was last seen to change. Providers say how they are when they are asked, not when it changes. */
export class ReadinessLog {
  private readonly clock: Clock
  // keyed by: name of a provider
  private readonly seen = new Map<string, SeenReadiness & { readonly words: string }>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** @param states of every enabled provider; one that is missing is forgotten */
  look(states: Readonly<Record<string, Readiness>>): void {
    const nowMs = this.clock.wallNow()
    for (const name of this.seen.keys()) if (!Object.hasOwn(states, name)) this.seen.delete(name)
    for (const [name, state] of Object.entries(states)) {
      const words = state.ready ? '' : state.reason
      const before = this.seen.get(name)
      const changedAtMs = before?.words === words ? before.changedAtMs : nowMs
      this.seen.set(name, { words, changedAtMs, seenAtMs: nowMs })
    }
  }

  /** Null: never looked at. */
  of(name: string): SeenReadiness | null {
    return this.seen.get(name) ?? null
  }
}
