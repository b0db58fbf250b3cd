import { expect, test } from 'bun:test'
import { ReadinessLog } from '../../../src/app/readiness-log.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

test('a change is the last one that was seen: of readiness, or of its reason', () => {
  const clock = new ManualClock()
  const log = new ReadinessLog(clock)
  const begun = clock.wallNow()
  const after = () => {
    const seen = log.of('a')
    return seen === null ? null : [seen.changedAtMs - begun, seen.seenAtMs - begun]
  }
  expect(after()).toBeNull()
  log.look({ a: { ready: false, reason: 'loading' } })
  clock.advance(1000)
  log.look({ a: { ready: false, reason: 'loading' } })
  expect(after()).toEqual([0, 1000])
  clock.advance(1000)
  log.look({ a: { ready: false, reason: 'no key' } })
  expect(after()).toEqual([2000, 2000])
  clock.advance(1000)
  log.look({ a: { ready: true } })
  clock.advance(1000)
  log.look({ a: { ready: true } })
  expect(after()).toEqual([3000, 4000])
  // One that is enabled no more is forgotten.
  log.look({})
  expect(after()).toBeNull()
})
