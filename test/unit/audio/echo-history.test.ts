import { describe, expect, test } from 'bun:test'
import { EchoHistory, type EchoRing } from '#audio/echo-history.ts'
import { toneSound } from '../../bed/sounds.ts'

const frame = (value: number) => new Int16Array(160).fill(value)

/** The value of each of the newest frames, oldest first. */
function newest(ring: EchoRing, frames: number, end: number): number[] {
  const samples = new Float64Array(frames * 160)
  ring.read(end - samples.length, samples.length, samples, 0)
  return Array.from({ length: frames }, (_, index) => samples[index * 160 + 80] as number)
}

describe('the two sides of a call', () => {
  test('lie side by side from the first frame of the caller on', () => {
    const history = new EchoHistory(8000)
    for (let each = 1; each <= 30; each += 1) history.sent(frame(each), 20 * each)
    for (let each = 31; each <= 40; each += 1) {
      history.sent(frame(each), 20 * each)
      history.heard(frame(100 + each), 20 * each)
    }
    expect(history.line.end).toBe(history.reference.end)
    expect(newest(history.reference, 2, history.line.end)).toEqual([39, 40])
    expect(newest(history.line, 2, history.line.end)).toEqual([139, 140])
  })

  test('from then on: what we have lost before is lost to both', () => {
    const history = new EchoHistory(8000)
    for (let now = 1; now <= 150; now += 1) {
      if (now < 10 || now > 20) history.sent(frame(now), 20 * now)
      if (now > 50) history.heard(frame(now), 20 * now)
    }
    expect(newest(history.reference, 3, history.line.end)).toEqual([148, 149, 150])
    expect(newest(history.line, 99, history.line.end).filter((value) => value === 0)).toEqual([])
  })

  test('stay so when the line is late and catches up', () => {
    const history = new EchoHistory(8000)
    let heard = 0
    for (let now = 1; now <= 200; now += 1) {
      history.sent(frame(now), 20 * now)
      // Twelve frames of nothing, twice.
      if (now % 100 > 50 && now % 100 <= 62) continue
      while (heard < now) history.heard(frame(++heard), 20 * now)
    }
    expect(history.line.end).toBe(history.reference.end)
    expect(newest(history.line, 3, history.line.end)).toEqual([198, 199, 200])
  })

  test('come together again when frames of the line were lost: silence stands for them', () => {
    const history = new EchoHistory(8000)
    for (let now = 1; now <= 100; now += 1) {
      history.sent(frame(now), 20 * now)
      if (now !== 40 && now !== 41) history.heard(frame(now), 20 * now)
    }
    expect(history.line.end).toBe(history.reference.end)
    expect(newest(history.line, 2, history.line.end)).toEqual([99, 100])
    expect(newest(history.line, 60, history.line.end).filter((value) => value === 0)).toHaveLength(2)
  })

  test('come together again when frames were never sent', () => {
    const history = new EchoHistory(8000)
    for (let now = 1; now <= 100; now += 1) {
      if (now < 40 || now > 44) history.sent(frame(now), 20 * now)
      history.heard(frame(now), 20 * now)
    }
    expect(history.reference.end).toBe(history.line.end)
    expect(newest(history.reference, 2, history.line.end)).toEqual([99, 100])
  })

  test('stay so when a frame of the line that came just before ours comes just after it, or the reverse', () => {
    const history = new EchoHistory(8000)
    for (let now = 1; now <= 300; now += 1) {
      const before = now % 100 < 50
      if (before) history.heard(frame(now), 20 * now - 2)
      history.sent(frame(now), 20 * now)
      if (!before) history.heard(frame(now), 20 * now + 2)
    }
    expect([history.line.end, history.reference.end]).toEqual([300 * 160, 300 * 160])
    expect(newest(history.line, 3, history.line.end)).toEqual([298, 299, 300])
  })

  test('come together again where one frame was lost while the line came first', () => {
    const history = new EchoHistory(8000)
    for (let now = 1; now <= 140; now += 1) {
      if (now !== 60) history.heard(frame(now), 20 * now - 2)
      history.sent(frame(now), 20 * now)
    }
    expect(history.line.end).toBe(history.reference.end)
    expect(newest(history.line, 90, history.line.end).filter((value) => value === 0)).toHaveLength(1)
  })

  test('hold 2 s; what is older, or yet to come, is silent', () => {
    const history = new EchoHistory(8000)
    for (let now = 1; now <= 500; now += 1) history.sent(frame(now), 20 * now)
    const { end } = history.reference
    expect(newest(history.reference, 102, end)[0]).toBe(399)
    expect(newest(history.reference, 110, end)[0]).toBe(0)
    expect(newest(history.reference, 3, end + 320)).toEqual([500, 0, 0])
  })
})

describe('a wider leg', () => {
  const rms = (samples: Float64Array) => Math.sqrt(samples.reduce((sum, each) => sum + each * each, 0) / samples.length)

  test.each([16_000, 24_000, 48_000])('of %d Hz is told by its telephone band', (rateHz) => {
    const levelAt = (toneHz: number) => {
      const history = new EchoHistory(rateHz)
      const tone = toneSound(1000, toneHz, -20, rateHz)
      for (let at = 0; at < tone.length; at += rateHz / 50) history.sent(tone.subarray(at, at + rateHz / 50), 0)
      expect(history.reference.end).toBe(8000)
      const samples = new Float64Array(6400)
      history.reference.read(800, samples.length, samples, 0)
      return 20 * Math.log10(rms(samples) / 32_768)
    }
    expect(levelAt(500)).toBeWithin(-20.5, -19.5)
    // What folds back lands where it disturbs little, and is weaker.
    expect(levelAt(7500)).toBeLessThan(-40)
  })
})
