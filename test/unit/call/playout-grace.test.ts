import { expect, test } from 'bun:test'
import { constant, playoutBench as setUp } from './playout-bench.ts'

// What `provider_grace_ms` decides, and what it does not: docs/audio.md says both.

test('audio that comes long after the end was told, while the reply still sounds, is heard behind it', () => {
  const { leg, playout, events } = setUp()
  playout.begin(0)
  playout.push(constant(2000))
  playout.end()
  // 1 s after the last audio, far beyond the grace of the bench, and 1 s before the last word.
  playout.writeFrames(50)
  playout.push(constant(100))
  playout.end()
  playout.writeFrames(60)
  expect(events).toEqual(['started', 'done'])
  expect(leg.heard.filter((sample) => sample !== 0)).toHaveLength(2100 * 8)
  expect(playout.counters.underruns).toBe(0)
})
