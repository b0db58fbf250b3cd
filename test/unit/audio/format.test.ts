import { expect, test } from 'bun:test'
import { msToSamples, samplesPerFrame, samplesToMs } from '#audio/format.ts'

test('a frame is 20 ms at every rate', () => {
  expect([8000, 16000, 24000, 48000].map(samplesPerFrame)).toEqual([160, 320, 480, 960])
})

test('milliseconds and samples', () => {
  expect([samplesToMs(160, 8000), samplesToMs(1, 8000), samplesToMs(441, 22_050)]).toEqual([20, 0.125, 20])
  expect([msToSamples(20, 8000), msToSamples(0.2, 8000), msToSamples(1.99, 16_000), msToSamples(0, 8000)]).toEqual([
    160, 1, 31, 0,
  ])
})
