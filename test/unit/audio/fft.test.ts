import { describe, expect, test } from 'bun:test'
import { RealFft } from '#audio/fft.ts'
import { seededRandom } from '#base/random.ts'

const noise = (length: number, seed: number) => {
  const random = seededRandom(seed)
  return Float64Array.from({ length }, () => random.next() - 0.5)
}

/** By the definition, in the manner of `RealFft`. */
function spectrumOf(samples: Float64Array): Float64Array {
  const size = samples.length
  const spectrum = new Float64Array(size)
  for (let bin = 0; bin <= size / 2; bin += 1) {
    let re = 0
    let im = 0
    for (const [index, sample] of samples.entries()) {
      re += sample * Math.cos((2 * Math.PI * bin * index) / size)
      im -= sample * Math.sin((2 * Math.PI * bin * index) / size)
    }
    if (bin === 0) spectrum[0] = re
    else if (bin === size / 2) spectrum[1] = re
    else spectrum.set([re, im], 2 * bin)
  }
  return spectrum
}

const farthest = (one: Float64Array, other: Float64Array) =>
  one.reduce((most, value, index) => Math.max(most, Math.abs(value - (other[index] as number))), 0)

describe('a transform of real samples', () => {
  test.each([8, 16, 32, 64, 256, 1024])('of %d is what the definition says', (size) => {
    const samples = noise(size, size)
    const spectrum = samples.slice()
    new RealFft(size).forward(spectrum)
    expect(farthest(spectrum, spectrumOf(samples))).toBeLessThan(1e-10)
  })

  test.each([8, 128, 4096])('of %d comes back as it was', (size) => {
    const samples = noise(size, 7)
    const fft = new RealFft(size)
    const back = samples.slice()
    fft.forward(back)
    fft.inverse(back)
    expect(farthest(back, samples)).toBeLessThan(1e-12)
  })

  test.each([0, 4, 12, 100])('has no size of %d', (size) => {
    expect(() => new RealFft(size)).toThrow('power of two')
  })
})
