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

test('a reply that was announced behind one that sounds is no late rest of it: its own end ends it', () => {
  const { playout, events } = setUp({ graceMs: 300 })
  playout.begin(0)
  playout.push(constant(200))
  playout.end()
  playout.announce()
  playout.push(constant(200))
  // Both have been heard, and the second has not said that it is over: what is missing may take its time.
  playout.writeFrames(20 + 100)
  expect(events).toEqual(['started'])
  playout.push(constant(200))
  playout.end()
  playout.writeFrames(12)
  expect(events).toEqual(['started', 'done'])
})
