import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import { messageOf } from '#base/result.ts'
import { chooseCandidate, Rests } from './fallback-choice.ts'
import type { PartRole } from './fallback-memory.ts'
import { FallbackSession } from './fallback-session.ts'
import type { CallContext, Provider, Readiness, SessionOf } from './provider.ts'
import { Tally } from './tally.ts'

/**
 * A part of a cascade out of an ordered list: the first that is ready serves a call, and the next takes over where it cannot
 * be opened or fails. One that has failed is left alone for a while, and then asked again, by calls that begin later.
 */
export interface FallbackDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** One that has failed is asked again after so long, doubled with each failure in a row. */
  readonly retryAfterMs: Milliseconds
}

/** @param members at least two */
export function createFallback<R extends PartRole>(
  role: R,
  members: readonly Provider<R>[],
  deps: FallbackDeps,
): Provider<R> {
  const group = new FallbackGroup(role, members, deps)
  const hearsWords = members.filter(({ wordsIn }) => wordsIn !== undefined)
  const first = members[0]
  return {
    name: members.map(({ name }) => name).join(', '),
    role,
    turnDetection: 'none',
    readiness(): Readiness {
      const reasons = members.flatMap((member) => {
        const state = member.readiness()
        return state.ready ? [] : [`${member.name}: ${state.reason}`]
      })
      return reasons.length < members.length ? { ready: true } : { ready: false, reason: reasons.join('; ') }
    },
    audioRates: (legHz) => first?.audioRates?.(legHz) ?? { inputHz: legHz, outputHz: legHz },
    ...(hearsWords.length === 0
      ? {}
      : {
          wordsIn: async (samples, sampleRateHz, signal) => {
            const member = hearsWords.find((each) => each.readiness().ready)
            return (await member?.wordsIn?.(samples, sampleRateHz, signal)) ?? null
          },
        }),
    events: () => group.events,
    queued: () => members.reduce((sum, member) => sum + (member.queued?.() ?? 0), 0),
    start: () => members.forEach((member) => member.start()),
    open: (context) => group.open(context),
    async close() {
      await Promise.all(members.map((member) => member.close()))
    },
  }
}

/** What is known of a list, by all of its sessions. */
export class FallbackGroup<R extends PartRole> {
  readonly role: R
  readonly members: readonly Provider<R>[]
  readonly log: Log
  private readonly clock: Clock
  private readonly rests: Rests
  private readonly tally = new Tally()

  constructor(role: R, members: readonly Provider<R>[], { clock, random, log, retryAfterMs }: FallbackDeps) {
    this.role = role
    this.members = members
    this.clock = clock
    this.log = log.with({ part: role })
    this.rests = new Rests(members.length, retryAfterMs, random)
  }

  /** Its own, and those of each member under its name: `deepgram_session`. */
  get events(): Readonly<Record<string, number>> {
    const all: Record<string, number> = { ...this.tally.all }
    for (const { name, events } of this.members) {
      for (const [event, count] of Object.entries(events?.() ?? {}))
        all[`${name}_${event}`] = (all[`${name}_${event}`] ?? 0) + count
    }
    return all
  }

  async open(context: CallContext): Promise<SessionOf<R>> {
    const tried = new Set<number>()
    const opened = await this.openNext(tried, context)
    if (opened === null) throw new Error(`none of ${this.members.map(({ name }) => name).join(', ')} can be opened`)
    if (opened.index > 0) this.tally.count('fallback_passed_over')
    return new FallbackSession<R>(this, context, opened)
  }

  /** The first of those not tried that can be opened; null where there is none. @param tried is added to */
  async openNext(
    tried: Set<number>,
    context: CallContext,
  ): Promise<{ readonly index: number; readonly session: SessionOf<R> } | null> {
    for (;;) {
      const candidates = this.members.map((member, index) => ({
        ready: member.readiness().ready,
        restsUntilMs: this.rests.until(index),
      }))
      const index = chooseCandidate(candidates, tried, this.clock.now())
      const member = index === null ? undefined : this.members[index]
      if (index === null || member === undefined) return null
      tried.add(index)
      try {
        return { index, session: await member.open(context) }
      } catch (thrown) {
        this.failed(index, 'not_opened', messageOf(thrown), context.callId)
      }
    }
  }

  failed(index: number, code: string, why: string, call: string): void {
    this.rests.failed(index, this.clock.now())
    this.tally.count('fallback_failed')
    // Two of a list may have one name.
    this.log.warn('a part failed', { call, provider: this.members[index]?.name, place: index + 1, code, why })
  }

  worked(index: number): void {
    this.rests.worked(index)
  }

  /** Another has taken over within a call, or (null) there is none left. */
  replaced(index: number | null): void {
    this.tally.count(index === null ? 'fallback_exhausted' : 'fallback_replaced')
  }
}
