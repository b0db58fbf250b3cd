import { describe, expect, test } from 'bun:test'
import { audibleStretches, cut, levelDbfs, locate, toneShare } from '../../bed/wav-analysis.ts'
import { encodeWav, parseWav } from '../../bed/wav-file.ts'

const RATE_HZ = 8000

/** `parts` are [milliseconds, amplitude, frequency]; amplitude 0 is silence. */
function sound(...parts: readonly (readonly [number, number, number])[]): Int16Array {
  return Int16Array.from(
    parts.flatMap(([ms, amplitude, hz]) =>
      Array.from({ length: (ms * RATE_HZ) / 1000 }, (_, i) => amplitude * Math.sin((2 * Math.PI * hz * i) / RATE_HZ)),
    ),
  )
}

/** Noise that never repeats, so a match has only one place. */
function noise(length: number, seed: number): Int16Array {
  let state = seed
  return Int16Array.from({ length }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return ((state >>> 16) % 8000) - 4000
  })
}

describe('levelDbfs', () => {
  test('a full-scale sine has −3, silence has no level', () => {
    expect(levelDbfs(sound([100, 32_767, 1000]))).toBeCloseTo(-3, 1)
    expect(levelDbfs(new Int16Array(80))).toBe(Number.NEGATIVE_INFINITY)
  })
})

describe('audibleStretches', () => {
  const options = { sampleRateHz: RATE_HZ }

  test('start and end of each sound', () => {
    const samples = sound([500, 0, 0], [300, 8000, 440], [1000, 0, 0], [200, 8000, 440], [100, 0, 0])
    expect(audibleStretches(samples, options)).toEqual([
      { startMs: 500, endMs: 800 },
      { startMs: 1800, endMs: 2000 },
    ])
  })

  test('a short pause joins, a click is dropped', () => {
    const samples = sound([100, 8000, 440], [150, 0, 0], [100, 8000, 440], [500, 0, 0], [10, 8000, 440], [90, 0, 0])
    expect(audibleStretches(samples, options)).toEqual([{ startMs: 0, endMs: 350 }])
  })

  test('what is below the threshold is silence', () => {
    const samples = sound([300, 100, 440])
    expect(audibleStretches(samples, options)).toEqual([])
    expect(audibleStretches(samples, { ...options, thresholdDbfs: -60 })).toEqual([{ startMs: 0, endMs: 300 }])
  })

  test('no samples, no stretches', () => {
    expect(audibleStretches(new Int16Array(0), options)).toEqual([])
  })
})

describe('toneShare', () => {
  test('tells one tone from another', () => {
    const tone = sound([500, 5000, 620])
    expect(toneShare(tone, RATE_HZ, 620)).toBeGreaterThan(0.95)
    expect(toneShare(tone, RATE_HZ, 440)).toBeLessThan(0.05)
    expect(toneShare(new Int16Array(100), RATE_HZ, 440)).toBe(0)
  })
})

describe('locate', () => {
  test('finds a sound where it lies, and says when it is not there', () => {
    const needle = noise(4000, 1)
    const haystack = new Int16Array(20_000)
    haystack.set(needle, 8800)
    const found = locate(haystack, needle, RATE_HZ)
    expect(found.atMs).toBe(1100)
    expect(found.correlation).toBeCloseTo(1, 5)
    expect(locate(noise(20_000, 99), needle, RATE_HZ).correlation).toBeLessThan(0.2)
  })
})

describe('a WAV file', () => {
  test('comes back as it was written', () => {
    const samples = sound([20, 3000, 300])
    expect(parseWav(encodeWav({ sampleRateHz: RATE_HZ, samples }))).toEqual({ sampleRateHz: RATE_HZ, samples })
  })

  test('of a killed recorder is read to its end', () => {
    const bytes = encodeWav({ sampleRateHz: RATE_HZ, samples: new Int16Array(160) })
    new DataView(bytes.buffer).setUint32(40, 0, true)
    expect(parseWav(bytes).samples.length).toBe(160)
  })

  test('of another kind is refused', () => {
    expect(() => parseWav(new Uint8Array(64))).toThrow('not a WAV')
  })
})

test('cut gives the samples of a stretch', () => {
  expect(cut(new Int16Array(8000), RATE_HZ, { startMs: 250, endMs: 500 }).length).toBe(2000)
})
