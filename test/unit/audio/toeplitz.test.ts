import { describe, expect, test } from 'bun:test'
import { ToeplitzSolver } from '#audio/toeplitz.ts'
import { seededRandom } from '#base/random.ts'

/** The autocorrelation of some noise: always one that can be solved for. */
function autocorrelation(unknowns: number, seed: number): Float64Array {
  const random = seededRandom(seed)
  const noise = Float64Array.from({ length: 4 * unknowns }, () => random.next() - 0.5)
  return Float64Array.from({ length: unknowns }, (_, lag) =>
    noise.reduce((sum, sample, index) => sum + sample * (noise[index + lag] ?? 0), lag === 0 ? 0.1 : 0),
  )
}

describe('a Toeplitz system', () => {
  test.each([1, 2, 3, 4, 7, 32, 129])('of %d unknowns is solved', (unknowns) => {
    const solver = new ToeplitzSolver(129)
    for (let seed = 0; seed < 5; seed += 1) {
      const random = seededRandom(seed + 100)
      const r = autocorrelation(unknowns, seed)
      const wanted = Float64Array.from({ length: unknowns }, () => random.next() - 0.5)
      const b = wanted.map((_, row) =>
        wanted.reduce((sum, value, column) => sum + value * (r[Math.abs(row - column)] as number), 0),
      )
      const answer = new Float64Array(unknowns)
      expect(solver.solve(r, b, answer)).toBe(true)
      for (const [index, value] of wanted.entries()) expect(answer[index]).toBeCloseTo(value, 6)
    }
  })

  test('that no sound can have is refused', () => {
    const solver = new ToeplitzSolver(3)
    const answer = new Float64Array(3)
    expect(solver.solve(Float64Array.of(0, 0, 0), Float64Array.of(1, 1, 1), answer)).toBe(false)
    expect(solver.solve(Float64Array.of(1, 2, 1), Float64Array.of(1, 1, 1), answer)).toBe(false)
  })
})
