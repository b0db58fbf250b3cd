import { describe, expect, test } from 'bun:test'
import { Resampler, resampleWhole } from '#audio/resample.ts'
import { seededRandom } from '#base/random.ts'

/**
 * What the resampler promises to a telephone call, for every pair of the rates that legs and realtime vendors use. The
 * comparison with sox is `test/integration/resample-sox.test.ts`.
 */
const rates = [8000, 16000, 24000, 48000]
const pairs = rates.flatMap((from) => rates.filter((to) => to !== from).map((to): [number, number] => [from, to]))
const narrowing = pairs.filter(([from, to]) => to < from)
const widening = pairs.filter(([from, to]) => to > from)

const amplitude = 16000
const tone = (hz: number, rateHz: number, samples = rateHz / 4) =>
  Int16Array.from({ length: samples }, (_, n) => Math.round(amplitude * Math.sin((2 * Math.PI * hz * n) / rateHz)))
const power = (samples: Int16Array) => samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length
/** Of the settled part, against the tone that went in. */
const levelDb = (samples: Int16Array) =>
  10 * Math.log10(power(samples.subarray(samples.length / 5, -samples.length / 5)) / (amplitude ** 2 / 2))
const steps = (from: number, until: number, by: number) =>
  Array.from({ length: Math.floor((until - from) / by) + 1 }, (_, index) => from + index * by)

/** Power at one frequency alone, against the tone that went in. */
function partDb(samples: Int16Array, hz: number, rateHz: number): number {
  const settled = samples.subarray(samples.length / 5, -samples.length / 5)
  let [real, imaginary, total] = [0, 0, 0]
  for (const [n, sample] of settled.entries()) {
    const window = 1 - Math.cos((2 * Math.PI * n) / settled.length)
    real += sample * window * Math.cos((2 * Math.PI * hz * n) / rateHz)
    imaginary += sample * window * Math.sin((2 * Math.PI * hz * n) / rateHz)
    total += window
  }
  return 20 * Math.log10((2 * Math.hypot(real, imaginary)) / total / amplitude)
}

describe('the resampler’s quality', () => {
  test.each(pairs)('%d → %d Hz: at most 0.5 dB of ripple from 100 to 3,400 Hz', (from, to) => {
    const levels = steps(100, 3400, 100).map((hz) => levelDb(resampleWhole(tone(hz, from), from, to)))
    expect(Math.max(...levels)).toBeLessThan(0.25)
    expect(Math.min(...levels)).toBeGreaterThan(-0.25)
  })

  test.each(pairs.filter(([from, to]) => Math.min(from, to) >= 16_000))(
    '%d → %d Hz: at most 0.5 dB of ripple up to 7,000 Hz',
    (from, to) => {
      const levels = steps(3500, 7000, 100).map((hz) => levelDb(resampleWhole(tone(hz, from), from, to)))
      expect(Math.max(...levels)).toBeLessThan(0.5)
      expect(Math.min(...levels)).toBeGreaterThan(-0.5)
    },
  )

  test.each(narrowing)(
    '%d → %d Hz: what lies above the band is at least 60 dB down, wherever it folds to, from Nyquist on',
    (from, to) => {
      // 4.01 to 11.9 kHz where the way is from 24 to 8 kHz.
      const nyquistHz = to / 2
      for (const hz of [...steps(nyquistHz + 10, nyquistHz * 1.15, 10), ...steps(to * 0.575, from / 2 - 100, 100)]) {
        expect([hz, levelDb(resampleWhole(tone(hz, from), from, to)) < -60]).toEqual([hz, true])
      }
    },
  )

  test.each(widening)('%d → %d Hz: the images above the band are at least 60 dB down', (from, to) => {
    for (const hz of [...steps(200, from * 0.425, 200), ...steps(from * 0.43, from / 2 - 10, from / 400)]) {
      const output = resampleWhole(tone(hz, from), from, to)
      for (const image of steps(from, to, from).flatMap((centre) => [centre - hz, centre + hz])) {
        if (image < to / 2) expect([hz, image, partDb(output, image, to) < -60]).toEqual([hz, image, true])
      }
    }
  })

  test.each(pairs)('%d → %d Hz: 20 ms in are 20 ms out, each time: no lumps', (from, to) => {
    const resampler = new Resampler(from, to)
    for (let frame = 0; frame < 50; frame += 1) {
      expect(resampler.process(new Int16Array(from / 50)).length).toBe(to / 50)
    }
  })

  test.each(pairs)('%d → %d Hz: the delay it states is the one it has, and at most 5 ms', (from, to) => {
    const resampler = new Resampler(from, to)
    const impulse = new Int16Array(from / 10)
    impulse[from / 20] = 20000
    const output = resampler.process(impulse)
    // The centre of gravity of the response: a filter of linear phase has the same delay at every frequency.
    let [moment, sum] = [0, 0]
    for (const [index, sample] of output.entries()) {
      moment += index * sample
      sum += sample
    }
    const delayMs = ((moment / sum) * 1000) / to - 50
    expect(Math.abs(delayMs - resampler.delayMs)).toBeLessThan(0.05)
    expect(resampler.delayMs).toBeLessThanOrEqual(5)
  })

  test.each(pairs)('%d → %d Hz: the same samples whatever the chunks, none and single ones too', (from, to) => {
    const random = seededRandom(from + to)
    const input = Int16Array.from({ length: from }, () => Math.round((random.next() - 0.5) * 60000))
    const whole = new Resampler(from, to).process(input)
    const parts = new Resampler(from, to)
    const collected: number[] = []
    for (let offset = 0; offset < input.length; ) {
      const kind = random.next()
      const size = kind < 0.2 ? 0 : kind < 0.4 ? 1 : Math.floor(random.next() * 3000)
      collected.push(...parts.process(input.subarray(offset, offset + size)))
      offset += size
    }
    expect(collected).toEqual([...whole])
  })
})
