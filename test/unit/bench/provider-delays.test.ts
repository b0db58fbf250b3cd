import { describe, expect, test } from 'bun:test'
import { appendDelays, providerDelays } from '../../../scripts/bench/provider-delays.ts'
import type { CallHeard, SessionSeen } from '../../../scripts/bench/provider-wire.ts'

/** What callers and server noted, made up, so that the delays between them are known. */
const window = { fromMs: 1000, untilMs: 11_000 }
const frames = (fromMs: number, count: number) => Array.from({ length: count }, (_, index) => fromMs + index * 20)
const heard = (call: Partial<CallHeard>): CallHeard => ({ call: 'a', sent: [], audible: [], ...call })
const seen = (session: Partial<SessionSeen>): SessionSeen => ({
  call: 'a',
  appends: [],
  replies: [],
  speechStarted: [],
  errors: [],
  ...session,
})
const delaysOf = (call: Partial<CallHeard>, session: Partial<SessionSeen>) =>
  providerDelays(window, [heard(call)], [seen(session)], 2)

describe('the delays of just bench provider', () => {
  test('an append is as late as its last frame says, wherever the first of them begins', () => {
    const sent = frames(1000, 400)
    for (const first of [0, 1, 2, 5]) {
      const delays = [3, 1, 7, 30, 2]
      const appends = delays.map((delayMs, index) => (sent[first + index * 2] as number) + delayMs)
      expect(appendDelays(sent, appends, 2)).toEqual(delays)
    }
  })

  test('an append whose frames left before any was noted is left out', () => {
    const sent = frames(1000, 400)
    expect(appendDelays(sent, [981 + 3, 1020 + 3, 1060 + 5], 2)).toEqual([3, 5])
  })

  test('appends that get later and later are that late', () => {
    const sent = frames(1000, 400)
    const appends = [1, 21, 41, 61].map((delayMs, index) => (sent[1 + index * 2] as number) + delayMs)
    expect(appendDelays(sent, appends, 2)).toEqual([1, 21, 41, 61])
  })

  test('a reply is as late as its first frame that is no silence', () => {
    const audible = [{ fromMs: 2012, untilMs: 2992 }]
    expect(delaysOf({ audible }, { replies: [2000] })).toMatchObject({ firstAudio: { p50: 12, p95: 12 }, replies: 1 })
  })

  test('a reply that nobody hears is counted, and so is one that begins while another sounds', () => {
    const audible = [{ fromMs: 2012, untilMs: 2992 }]
    expect(delaysOf({ audible }, { replies: [2500, 5000] })).toMatchObject({
      firstAudio: { p50: null, p95: null },
      repliesUnheard: 1,
      repliesOverlaid: 1,
    })
  })

  test('an interruption lasts until the last frame has sounded; speech in silence is none', () => {
    const audible = [{ fromMs: 2012, untilMs: 3012 }]
    expect(delaysOf({ audible }, { speechStarted: [3000, 5000] })).toMatchObject({
      interruption: { p50: 32, p95: 32 },
      interruptions: 1,
    })
  })

  test('a reply whose last frame came just before is quick, and not unmeasured', () => {
    const audible = [{ fromMs: 2012, untilMs: 2995 }]
    expect(delaysOf({ audible }, { speechStarted: [3000] })).toMatchObject({ interruption: { p50: 15, p95: 15 } })
  })
})
