import { describe, expect, test } from 'bun:test'
import { levelDbfs } from '#audio/level.ts'

describe('levelDbfs', () => {
  test.each([
    // A constant of full scale is 0 dBFS; half of it is 20·log10(0.5) = −6.02.
    [-32768, 0],
    [16384, -6.0206],
    [-16384, -6.0206],
    // 1/32768 is −90.31 dB: the quietest thing there is.
    [1, -90.309],
  ])('a constant of %d: %d dBFS', (value, level) => {
    expect(levelDbfs(new Int16Array(160).fill(value))).toBeCloseTo(level, 3)
  })

  test('a sine of full scale: −3.01 dBFS', () => {
    const sine = Int16Array.from({ length: 8000 }, (_, n) => Math.round(32767 * Math.sin((2 * Math.PI * n) / 80)))
    expect(levelDbfs(sine)).toBeCloseTo(-3.01, 2)
  })

  test('silence and nothing: −100', () => {
    expect([levelDbfs(new Int16Array(160)), levelDbfs(new Int16Array(0))]).toEqual([-100, -100])
  })
})
