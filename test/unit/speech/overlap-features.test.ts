import { describe, expect, test } from 'bun:test'
import { seededRandom } from '#base/random.ts'
import { bandCount, featureCount, OverlapFeatures, stepSamples, windowSamples } from '#speech/overlap-features.ts'

/** Windows of a sound, each with its features. */
function featuresOf(samples: readonly number[]): Float32Array[] {
  const features = new OverlapFeatures()
  return samples.flatMap((sample) => (features.push(sample) ? [features.values.slice()] : []))
}

const seconds = (length: number, at: (seconds: number) => number) =>
  Array.from({ length: Math.round(length * 8000) }, (_, index) => at(index / 8000))
const tone =
  (hz: number, amplitude = 0.1) =>
  (t: number) =>
    amplitude * Math.sin(2 * Math.PI * hz * t)
/** A voice's buzz: all harmonics of a pitch. */
const buzz = (hz: number) => (t: number) => {
  let sum = 0
  for (let harmonic = 1; harmonic * hz < 3500; harmonic++) sum += Math.cos(2 * Math.PI * harmonic * hz * t)
  return (0.1 * sum) / Math.sqrt(3500 / hz)
}

/** The loudness of one band by the definition: a plain transform, a triangle drawn by hand. */
function bandByDefinition(samples: readonly number[], band: number): number {
  const mel = (hz: number) => 2595 * Math.log10(1 + hz / 700)
  const corner = (index: number) => 700 * (10 ** ((mel(150) + ((mel(3700) - mel(150)) * index) / 25) / 2595) - 1)
  const [low, middle, high] = [corner(band), corner(band + 1), corner(band + 2)]
  let [power, sum] = [0, 0]
  for (let bin = 0; bin <= 128; bin++) {
    const hz = bin * 31.25
    const height = Math.min((hz - low) / (middle - low), (high - hz) / (high - middle))
    if (height <= 0) continue
    let [re, im] = [0, 0]
    for (let n = 0; n < 256; n++) {
      const value = (samples[n] as number) * (0.5 - 0.5 * Math.cos((2 * Math.PI * (n + 0.5)) / 256))
      re += value * Math.cos((2 * Math.PI * bin * n) / 256)
      im += value * Math.sin((2 * Math.PI * bin * n) / 256)
    }
    power += height * (re * re + im * im)
    sum += height
  }
  return Math.log(power / sum / 256 + 1e-7)
}

describe('OverlapFeatures', () => {
  test('a window every 20 ms, the first after 32', () => {
    expect(featuresOf(seconds(0.031, tone(300)))).toHaveLength(0)
    expect(featuresOf(seconds(0.032, tone(300)))).toHaveLength(1)
    expect(featuresOf(seconds(1, tone(300)))).toHaveLength(1 + Math.floor((8000 - windowSamples) / stepSamples))
  })

  test('bands are as a transform and triangles by definition have them, below the loudest moment', () => {
    const random = seededRandom(3)
    const samples = Array.from({ length: 256 }, () => 0.2 * (random.next() - 0.5) + tone(1000)(random.next()))
    const [values] = featuresOf(samples)
    const bands = Array.from({ length: bandCount }, (_, band) => bandByDefinition(samples, band))
    const mean = bands.reduce((sum, band) => sum + band, 0) / bandCount
    for (const [band, loudness] of bands.entries()) expect(values?.[band]).toBeCloseTo(loudness - mean, 3)
    expect(values?.[bandCount]).toBe(0)
  })

  test('what follows a loud moment is measured from it, and gain changes nothing', () => {
    const hiss = (gain: number) => {
      const random = seededRandom(7)
      return seconds(0.4, (t) => (t < 0.2 ? gain : gain / 10) * (random.next() - 0.5))
    }
    const loud = featuresOf(hiss(0.8))
    const faint = featuresOf(hiss(0.2))
    // A tenth of the amplitude is 20 dB less in every band: ln(100).
    const level = (windows: readonly Float32Array[], from: number, to: number) =>
      windows.slice(from, to).reduce((sum, values) => sum + (values[bandCount] ?? 0), 0) / (to - from)
    expect(level(loud, 0, 8) - level(loud, 12, 18)).toBeCloseTo(Math.log(100), 0)
    expect(level(faint, 12, 18)).toBeCloseTo(level(loud, 12, 18), 0)
  })

  test('a voice repeats itself at its pitch, noise does not', () => {
    const random = seededRandom(5)
    const hiss = featuresOf(seconds(0.5, () => 0.2 * (random.next() - 0.5))).at(-1)
    expect(hiss?.[bandCount + 1]).toBeLessThan(0.5)
    for (const hz of [100, 160, 250]) {
      const voice = featuresOf(seconds(0.5, buzz(hz))).at(-1)
      expect(voice?.[bandCount + 1]).toBeGreaterThan(0.9)
      expect((voice?.[bandCount + 2] ?? 0) / (voice?.[bandCount + 1] ?? 1)).toBeCloseTo(Math.log2(hz / 200), 1)
    }
  })

  test('silence has features like any sound', () => {
    const values = featuresOf(seconds(0.2, () => 0)).at(-1)
    expect(values).toHaveLength(featureCount)
    expect([...(values ?? [Number.NaN])].every(Number.isFinite)).toBe(true)
    expect(values?.[bandCount + 1]).toBe(0)
  })

  test('after a reset nothing is remembered', () => {
    const features = new OverlapFeatures()
    for (const sample of seconds(0.3, tone(500, 0.9))) features.push(sample)
    features.reset()
    const again = seconds(0.1, tone(700, 0.01)).flatMap((sample) =>
      features.push(sample) ? [features.values.slice()] : [],
    )
    expect(again.map((values) => [...values])).toEqual(
      featuresOf(seconds(0.1, tone(700, 0.01))).map((values) => [...values]),
    )
  })
})
