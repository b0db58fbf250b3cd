import { describe, expect, test } from 'bun:test'
import { SampleLine } from '#audio/sample-line.ts'
import { seededRandom } from '#base/random.ts'

const rateHz = 8000

function lineOf(sound: Int16Array): SampleLine {
  const line = new SampleLine(rateHz, 1000)
  line.push(sound, 0, sound.length)
  return line
}

function contents(line: SampleLine): Int16Array {
  const all = new Int16Array(line.length)
  line.take(all, 0, all.length)
  return all
}

const noise = (amplitude: number) => {
  const random = seededRandom(4)
  return Int16Array.from({ length: 480 }, () => Math.round((random.next() - 0.5) * 2 * amplitude))
}

describe('shortening', () => {
  test('a voice loses whole periods, and goes on as if nothing were missing', () => {
    // 125 Hz: a period is 64 samples.
    const sound = Int16Array.from({ length: 480 }, (_, index) =>
      Math.round(8000 * Math.sin((2 * Math.PI * index) / 64)),
    )
    const line = lineOf(sound)
    expect(line.shorten(150, false)).toBe(64)
    expect(contents(line)).toEqual(sound.subarray(64))
  })

  test('no more than is to spare', () => {
    const sound = Int16Array.from({ length: 480 }, (_, index) =>
      Math.round(8000 * Math.sin((2 * Math.PI * index) / 64)),
    )
    expect(lineOf(sound).shorten(40, true)).toBeLessThanOrEqual(40)
    expect(lineOf(sound).shorten(10, true)).toBe(0)
  })

  test('loud noise is left alone, unless it is urgent; where it is quiet nobody hears it', () => {
    expect(lineOf(noise(8000)).shorten(150, false)).toBe(0)
    expect(lineOf(noise(8000)).shorten(150, true)).toBeGreaterThan(0)
    expect(lineOf(noise(50)).shorten(150, false)).toBeGreaterThan(0)
  })

  test('both ends of the fade meet the sound', () => {
    const sound = Int16Array.from({ length: 480 }, (_, index) => index * 60 - 14_000)
    const line = lineOf(sound)
    const lag = line.shorten(150, true)
    const rest = contents(line)
    expect(rest.length).toBe(480 - lag)
    // It begins where the sound began, and from the end of the fade on it is the sound.
    expect(Math.abs((rest[0] as number) - (sound[0] as number))).toBeLessThanOrEqual(60)
    expect(rest.subarray(lag)).toEqual(sound.subarray(2 * lag))
  })
})
