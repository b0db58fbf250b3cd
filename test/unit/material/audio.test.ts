import { describe, expect, test } from 'bun:test'
import { levelDbfs } from '#audio/level.ts'
import { noiseSound, toneSound } from '../../bed/sounds.ts'
import {
  ACTIVE_LEVEL_DBFS,
  activeLevelDbfs,
  edgesOf,
  levelled,
  muLawCoded,
  pausesIn,
  RATE_HZ,
  telephoneBand,
  toSamples,
} from '../../material/audio.ts'

const joined = (...parts: Int16Array[]) => Float64Array.from(parts.flatMap((part) => [...part]))
const quiet = (ms: number) => new Int16Array(toSamples(ms))
const tone = (ms: number, hz = 1000, dbfs = -20) => toneSound(ms, hz, dbfs, RATE_HZ)
const bandLevel = (hz: number) =>
  levelDbfs(Int16Array.from(telephoneBand(Float64Array.from(tone(1000, hz))).slice(4000, 7000)))

describe('telephoneBand', () => {
  // A Butterworth filter of the fourth order: −3 dB at its corners, 24 dB an octave beyond.
  test('keeps 1 kHz and lets the corners fall by 3 dB', () => {
    expect(bandLevel(1000)).toBeCloseTo(-20, 0)
    expect(bandLevel(300)).toBeCloseTo(-23, 0)
    expect(bandLevel(3400)).toBeCloseTo(-23, 0)
  })

  test('an octave below its lower corner, little is left', () => {
    expect(bandLevel(150)).toBeLessThan(-42)
    expect(bandLevel(50)).toBeLessThan(-80)
  })
})

describe('levels', () => {
  test('pauses do not count', () => {
    expect(activeLevelDbfs(joined(tone(300), quiet(2000), tone(300)))).toBeCloseTo(-20, 0)
  })

  test('any level becomes the wanted one, and silence stays silent', () => {
    for (const dbfs of [-50, -30, -12]) {
      expect(activeLevelDbfs(levelled(joined(quiet(100), tone(400, 700, dbfs), quiet(100))))).toBeCloseTo(
        ACTIVE_LEVEL_DBFS,
        0,
      )
    }
    expect([...levelled(new Float64Array(100))]).toEqual(Array(100).fill(0))
  })

  test('a peak far above the rest is rounded off and not wrapped', () => {
    const samples = new Float64Array(8000).fill(200)
    samples[4000] = 1e6
    const level = levelled(samples)
    expect(level[4000]).toBeGreaterThan(23_000)
    expect(level[4000]).toBeLessThanOrEqual(32_767)
  })
})

describe('edgesOf', () => {
  test('finds the tone between silences, to 10 ms', () => {
    expect(edgesOf(joined(quiet(200), tone(400), quiet(300)))).toEqual({ onsetSample: 1600, offsetSample: 4800 })
  })

  test('finds it between line noise 40 dB below', () => {
    const { onsetSample, offsetSample } = edgesOf(
      joined(noiseSound(200, -62, RATE_HZ, 1), tone(400), noiseSound(300, -62, RATE_HZ, 2)),
    )
    expect(Math.abs(onsetSample - 1600)).toBeLessThanOrEqual(80)
    expect(Math.abs(offsetSample - 4800)).toBeLessThanOrEqual(80)
  })

  test('a click of 1 ms before it is no beginning', () => {
    const samples = joined(quiet(300), tone(400), quiet(100))
    samples.fill(3000, 400, 408)
    expect(edgesOf(samples).onsetSample).toBe(2400)
  })

  test('silence begins nowhere', () => {
    expect(edgesOf(new Float64Array(800))).toEqual({ onsetSample: 0, offsetSample: 0 })
  })
})

test('pauses are those inside, of the asked length', () => {
  const samples = joined(quiet(500), tone(300), quiet(120), tone(300), quiet(700), tone(300), quiet(900))
  expect(pausesIn(samples, 250)).toEqual([{ fromMs: 1220, untilMs: 1920 }])
  expect(pausesIn(samples, 100)).toEqual([
    { fromMs: 800, untilMs: 920 },
    { fromMs: 1220, untilMs: 1920 },
  ])
})

test('µ-law leaves the sound and changes the samples', () => {
  const samples = tone(200)
  const coded = muLawCoded(samples)
  expect(coded).not.toEqual(samples)
  expect(levelDbfs(coded)).toBeCloseTo(levelDbfs(samples), 0)
})
