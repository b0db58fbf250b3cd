import { describe, expect, test } from 'bun:test'
import { Resampler, resampleWhole } from '#audio/resample.ts'
import { seededRandom } from '#base/random.ts'

const sine = (hz: number, rate: number, samples: number, amplitude = 12000) =>
  Int16Array.from({ length: samples }, (_, n) => Math.round(amplitude * Math.sin((2 * Math.PI * hz * n) / rate)))

const rms = (samples: Int16Array) => Math.sqrt(samples.reduce((sum, s) => sum + s * s, 0) / samples.length)
const decibels = (ratio: number) => 20 * Math.log10(ratio)

const pairs: [number, number][] = [
  [8000, 16000],
  [16000, 8000],
  [8000, 24000],
  [24000, 8000],
  [22050, 8000],
  [22050, 16000],
  [48000, 8000],
  [16000, 24000],
]

describe('Resampler', () => {
  test.each(pairs)('%d → %d Hz keeps a tone of 1 kHz: level within 0.1 dB, residue 60 dB below', (from, to) => {
    const output = resampleWhole(sine(1000, from, from), from, to)
    const ideal = sine(1000, to, to)
    const middle = (samples: Int16Array) => samples.subarray(Math.floor(to * 0.1), Math.floor(to * 0.9))
    expect(Math.abs(decibels(rms(middle(output)) / rms(middle(ideal))))).toBeLessThan(0.1)
    const residue = middle(output).map((sample, index) => sample - (middle(ideal)[index] as number))
    expect(decibels(rms(residue) / rms(middle(ideal)))).toBeLessThan(-60)
  })

  test.each([
    [24000, 8000, 5000],
    [22050, 8000, 6000],
    [16000, 8000, 4600],
    [48000, 8000, 4500],
  ])('%d → %d Hz does not let a tone of %d Hz fold into the band', (from, to, hz) => {
    const output = resampleWhole(sine(hz, from, from), from, to)
    expect(decibels(rms(output.subarray(800, -800)) / 8485)).toBeLessThan(-60)
  })

  test.each(pairs)('%d → %d Hz passes the telephone band to 3,400 Hz within 0.5 dB', (from, to) => {
    const output = resampleWhole(sine(3400, from, from), from, to)
    expect(Math.abs(decibels(rms(output.subarray(to / 10, -to / 10)) / 8485))).toBeLessThan(0.5)
  })

  test.each(pairs)('%d → %d Hz gives the same samples whatever the chunk sizes', (from, to) => {
    const random = seededRandom(7)
    const input = Int16Array.from({ length: from }, () => Math.round((random.next() - 0.5) * 40000))
    const whole = new Resampler(from, to).process(input)
    const parts = new Resampler(from, to)
    const collected: number[] = []
    for (let offset = 0; offset < input.length; ) {
      const size = 1 + Math.floor(random.next() * 700)
      collected.push(...parts.process(input.subarray(offset, offset + size)))
      offset += size
    }
    expect(collected).toEqual([...whole])
  })

  test.each(pairs)('%d → %d Hz loses no time: a second in is a second out', (from, to) => {
    const resampler = new Resampler(from, to)
    const total = resampler.process(new Int16Array(from)).length
    expect(Math.abs(total - to)).toBeLessThanOrEqual(1)
  })

  test('clips what would overflow instead of wrapping around', () => {
    const square = Int16Array.from({ length: 8000 }, (_, n) => (Math.floor(n / 8) % 2 === 0 ? 32767 : -32768))
    const output = resampleWhole(square, 8000, 16000)
    for (let n = 200; n < output.length - 200; n += 1) {
      const expectedSign = Math.sign(square[Math.floor(n / 2)] as number)
      // Away from the edges of the square the sign is the input's; a wrap-around would flip it.
      if (n % 16 > 3 && n % 16 < 12) expect(Math.sign(output[n] as number)).toBe(expectedSign)
    }
  })

  test('a filter never delays more than 6 ms', () => {
    for (const [from, to] of pairs) expect(new Resampler(from, to).delayMs).toBeLessThanOrEqual(6)
  })
})
