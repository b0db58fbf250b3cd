import { expect, test } from 'bun:test'
import { FakeLeg } from '../../fakes/leg.ts'
import { constant, playoutBench as setUp } from './playout-bench.ts'

test('frames are counted that the leg took: not those refused, left out, or offered to one that has closed', () => {
  const { leg, playout } = setUp()
  for (const [answer, times] of [
    ['sent', 3],
    ['full', 4],
    ['shed', 5],
    ['closed', 6],
    ['sent', 7],
  ] as const) {
    leg.answer = answer
    playout.writeFrames(times)
  }
  expect(playout.counters).toMatchObject({ frames: 10, full: 4 })
})

test('a frame that is left out has had its time: the reply goes on behind it', () => {
  const { leg, playout, events } = setUp()
  playout.begin(0)
  playout.push(constant(60))
  playout.end()
  leg.answer = 'shed'
  playout.writeFrames(3)
  expect(events).toEqual(['started', 'done'])
  expect(playout.counters).toMatchObject({ frames: 0, full: 0 })
})

test('silence for a leg that is not in the bridge yet counts as well, as far as it is taken', () => {
  const { playout } = setUp()
  const next = new FakeLeg()
  playout.setLeg(null)
  playout.expectLeg(next)
  playout.writeFrames(2)
  next.answer = 'full'
  playout.writeFrames(3)
  expect(playout.counters).toMatchObject({ frames: 2, full: 3 })
})
