import { describe, expect, test } from 'bun:test'
import { EnergyDetector } from '#speech/energy-detector.ts'

describe('EnergyDetector', () => {
  /** A sine at `dbfs` of root mean square: its peak is √2 higher. */
  const sine = (ms: number, dbfs: number) =>
    Int16Array.from({ length: ms * 8 }, (_, index) =>
      Math.round(32768 * 10 ** (dbfs / 20) * Math.SQRT2 * Math.sin((2 * Math.PI * 440 * index) / 8000)),
    )

  test('speech stands out from the line noise before it; silence does not', () => {
    const detector = new EnergyDetector({ capacity: 1 })
    const probabilities: number[] = []
    const session = detector.open(8000, (probability) => probabilities.push(probability))
    session?.push(sine(320, -60))
    session?.push(sine(320, -20))
    session?.push(new Int16Array(2560))
    expect(Math.max(...probabilities.slice(0, 10))).toBeLessThan(0.35)
    expect(Math.min(...probabilities.slice(10, 20))).toBeGreaterThan(0.9)
    expect(Math.max(...probabilities.slice(20))).toBe(0)
  })

  test('a noise that lasts becomes the floor', () => {
    const detector = new EnergyDetector({ capacity: 1 })
    const probabilities: number[] = []
    const session = detector.open(8000, (probability) => probabilities.push(probability))
    session?.push(sine(20_000, -30))
    expect(probabilities[0]).toBeGreaterThan(0.5)
    expect(probabilities.at(-1)).toBeLessThan(0.35)
  })

  test('places are bounded and given back', () => {
    const detector = new EnergyDetector({ capacity: 1 })
    const first = detector.open(8000, () => {})
    expect(detector.open(8000, () => {})).toBeNull()
    first?.close()
    expect(detector.open(8000, () => {})).not.toBeNull()
  })
})
