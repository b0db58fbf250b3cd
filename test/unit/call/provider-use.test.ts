import { describe, expect, test } from 'bun:test'
import { ProviderUse } from '#call/provider-use.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

const minute = 60_000
/** Noon of a day of this machine's own. */
const noonMs = new Date(2026, 0, 2, 12).getTime()
const at = (wallMs: number) => new ManualClock(50_000, wallMs)

describe('minutes of sessions', () => {
  test('are summed by provider, open sessions included', () => {
    const clock = at(noonMs)
    const use = new ProviderUse(clock)
    const first = use.begin('deepgram')
    clock.advance(2 * minute)
    use.begin('deepgram')
    clock.advance(3 * minute)
    expect([use.usedMs('deepgram'), use.usedMs('local')]).toEqual([8 * minute, 0])
    first[Symbol.dispose]()
    first[Symbol.dispose]()
    clock.advance(minute)
    expect(use.today).toEqual({ day: '2026-01-02', usedMs: { deepgram: 9 * minute } })
  })

  test('of a session over midnight count on each day for its part', () => {
    const clock = at(new Date(2026, 0, 2, 23, 58).getTime())
    const use = new ProviderUse(clock)
    use.begin('local')
    const over = use.begin('deepgram')
    clock.advance(5 * minute)
    expect(use.usedMs('deepgram')).toBe(3 * minute)
    over[Symbol.dispose]()
    expect(use.today).toEqual({ day: '2026-01-03', usedMs: { deepgram: 3 * minute, local: 3 * minute } })
  })

  test('of the same day go on after a restart; those of another mean nothing', () => {
    const before = { day: '2026-01-02', usedMs: { deepgram: 7 * minute } }
    expect(new ProviderUse(at(noonMs), before).usedMs('deepgram')).toBe(7 * minute)
    expect(new ProviderUse(at(noonMs + 24 * 60 * minute), before).usedMs('deepgram')).toBe(0)
  })

  test('begin anew with the next day where no session is open', () => {
    const clock = at(noonMs)
    const use = new ProviderUse(clock)
    const session = use.begin('deepgram')
    clock.advance(10 * minute)
    session[Symbol.dispose]()
    clock.advance(13 * 60 * minute)
    expect([use.usedMs('deepgram'), use.today]).toEqual([0, { day: '2026-01-03', usedMs: {} }])
  })
})
