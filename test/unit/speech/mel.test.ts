import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { MelFeatures, melBands, melFrames, melRateHz, melSamples } from '#speech/mel.ts'

const featureCount = melBands * melFrames

/** Whole numbers, the same in any language: a linear congruential generator modulo 2³¹. */
function noise(count: number, seed: number): Int16Array {
  let state = seed
  return Int16Array.from({ length: count }, () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return ((state >> 16) % 2001) - 1000
  })
}

/** The signals of test/fixtures/smart-turn/make-features.py. */
const signals: Readonly<Record<string, () => Int16Array>> = {
  noise_8s: () => noise(melSamples, 1),
  long_10s: () => noise(10 * melRateHz, 2).map((value, at) => value * (1 + Math.floor(at / melRateHz))),
  tone_3s: () =>
    noise(3 * melRateHz, 3).map(
      (value, at) => value + Math.floor(8000 * Math.sin((2 * Math.PI * 440 * at) / melRateHz) + 0.5),
    ),
  click_half_second: () => new Int16Array(melRateHz / 2).fill(12_000, 4000, 4001),
}

function featuresOf(samples: Int16Array): Float32Array {
  const into = new Float32Array(featureCount)
  new MelFeatures().compute(samples, into)
  return into
}

interface Fixture {
  readonly step: number
  readonly signals: Readonly<Record<string, { readonly sum: number; readonly values: readonly number[] }>>
}

/**
 * Straight from the definition: mirrored padding by index, the discrete Fourier transform as a sum, each triangle as a
 * function of frequency. Slow, in double precision, sharing nothing with the code it is held against.
 */
function plainFeature(samples: Int16Array, band: number, frames: readonly number[]): readonly number[] {
  const window = new Float64Array(melSamples)
  const kept = samples.subarray(Math.max(0, samples.length - melSamples))
  for (const [at, sample] of kept.entries()) window[melSamples - kept.length + at] = sample / 32768
  const mean = window.reduce((sum, value) => sum + value, 0) / melSamples
  const variance = window.reduce((sum, value) => sum + (value - mean) ** 2, 0) / melSamples
  const at = (index: number) => {
    const mirrored = index < 0 ? -index : index >= melSamples ? 2 * (melSamples - 1) - index : index
    return ((window[mirrored] as number) - mean) / Math.sqrt(variance + 1e-7)
  }
  const edge = (number: number) => {
    const mel = ((15 + (27 * Math.log(8)) / Math.log(6.4)) * number) / 81
    return mel < 15 ? mel / 0.015 : 1000 * 6.4 ** ((mel - 15) / 27)
  }
  const [low, middle, high] = [edge(band), edge(band + 1), edge(band + 2)]
  return frames.map((frame) => {
    let power = 0
    for (let bin = 0; bin <= 200; bin++) {
      const hz = bin * 40
      const height = Math.max(0, Math.min((hz - low) / (middle - low), (high - hz) / (high - middle)))
      if (height === 0) continue
      let real = 0
      let imaginary = 0
      for (let n = 0; n < 400; n++) {
        const value = at(frame * 160 - 200 + n) * Math.sin((Math.PI * n) / 400) ** 2
        real += value * Math.cos((2 * Math.PI * bin * n) / 400)
        imaginary -= value * Math.sin((2 * Math.PI * bin * n) / 400)
      }
      power += ((height * 2) / (high - low)) * (real ** 2 + imaginary ** 2)
    }
    return Math.log10(Math.max(power, 1e-10))
  })
}

describe('MelFeatures', () => {
  const fixture = JSON.parse(
    readFileSync(join(import.meta.dir, '..', '..', 'fixtures', 'smart-turn', 'features.json'), 'utf8'),
  ) as Fixture

  test('every signal of the reference is here', () => {
    expect(Object.keys(fixture.signals).sort()).toEqual(Object.keys(signals).sort())
  })

  for (const [name, make] of Object.entries(signals)) {
    test(`${name}: as the reference computes it`, () => {
      const found = featuresOf(make())
      const expected = fixture.signals[name]
      const sampled = found.filter((_, index) => index % fixture.step === 0)
      expect(sampled.length).toBe(expected?.values.length ?? 0)
      let most = 0
      for (const [index, value] of sampled.entries()) {
        most = Math.max(most, Math.abs(value - (expected?.values[index] ?? 0)))
      }
      // The reference brings the audio to mean 0 in single precision.
      expect(most).toBeLessThan(1e-4)
      expect(Math.abs(found.reduce((sum, value) => sum + value, 0) - (expected?.sum ?? 0))).toBeLessThan(1)
    })
  }

  test('as the definition says, at both ends and between', () => {
    const samples = (signals.tone_3s as () => Int16Array)()
    const frames = [0, 499, 500, 501, 650, 798, 799]
    const found = featuresOf(samples)
    const greatest = Math.max(...found) * 4 - 4
    for (const band of [0, 1, 10, 25, 40, 79]) {
      const expected = plainFeature(samples, band, frames).map((log) => (Math.max(log, greatest - 8) + 4) / 4)
      for (const [index, frame] of frames.entries()) {
        expect(found[band * melFrames + frame] as number).toBeCloseTo(expected[index] as number, 5)
      }
    }
  })

  test('of longer audio the last 8 s count', () => {
    const long = noise(melSamples + 5000, 4)
    expect(featuresOf(long)).toEqual(featuresOf(long.slice(5000)))
  })

  test('short audio ends where the window ends', () => {
    const features = featuresOf(noise(melRateHz, 5))
    const level = (frame: number) => features[30 * melFrames + frame] as number
    expect([level(0), level(690)]).toEqual([level(350), level(350)])
    expect(level(750)).toBeGreaterThan(level(350) + 1)
  })

  test('one after the other, they leave nothing behind, and each stays at its place', () => {
    const mel = new MelFeatures()
    const into = new Float32Array(2 * featureCount)
    mel.compute(noise(melSamples, 6), into, 0)
    mel.compute(noise(melRateHz, 7), into, featureCount)
    expect([...into.subarray(0, featureCount)]).toEqual([...featuresOf(noise(melSamples, 6))])
    expect([...into.subarray(featureCount)]).toEqual([...featuresOf(noise(melRateHz, 7))])
  })

  test('silence, and no audio at all, give numbers', () => {
    for (const samples of [new Int16Array(0), new Int16Array(melRateHz), new Int16Array(melSamples).fill(-3)]) {
      // Nothing above the lowest power, 1e-10: (−10 + 4) / 4.
      expect(new Set(featuresOf(samples))).toEqual(new Set([-1.5]))
    }
  })
})
