import { expect, test } from 'bun:test'
import { seededRandom } from '#base/random.ts'
import { encoderWidth, headParts, headUnits, headWeightCount, judgeFrames } from '#speech/overlap-head.ts'
import { freshHead, type HeadExample, headSlopes, trainHead } from '../../../scripts/overlap/head-training.ts'

const random = seededRandom(5)
/** Frames of noise, with something added to one value in all of them. */
function example(label: number, at: number, count = 6): HeadExample {
  const frames = Float32Array.from({ length: count * encoderWidth }, (_, index) => {
    return 2 * (random.next() - 0.5) + (index % encoderWidth === at ? 6 : 0)
  })
  return { frames, label, share: 1 }
}
const examples = Array.from({ length: 240 }, (_, index) => example(index % 3, 10 * (index % 3), 4 + (index % 5)))

test('judges by the mean and the highest of each unit, by their definitions', () => {
  const weights = freshHead(seededRandom(1), examples)
  const { frames } = example(0, 7, 5)
  const at = (index: number) => weights[index] as number
  const units = Array.from({ length: 5 }, (_, frame) =>
    Array.from({ length: headUnits }, (_, unit) => {
      let sum = at(headParts.firstBias + unit)
      for (let index = 0; index < encoderWidth; index++) {
        const value =
          ((frames[frame * encoderWidth + index] as number) - at(headParts.mean + index)) * at(headParts.scale + index)
        sum += value * at(headParts.first + unit * encoderWidth + index)
      }
      return Math.max(0, sum)
    }),
  )
  const column = (unit: number) => units.map((frame) => frame[unit] as number)
  const means = Array.from({ length: headUnits }, (_, unit) => column(unit).reduce((a, b) => a + b) / 5)
  const highest = Array.from({ length: headUnits }, (_, unit) => Math.max(...column(unit)))
  const results = [0, 1, 2].map((row) =>
    [...means, ...highest].reduce(
      (sum, value, index) => sum + value * at(headParts.second + row * 2 * headUnits + index),
      at(headParts.secondBias + row),
    ),
  )
  const total = results.reduce((sum, result) => sum + Math.exp(result), 0)
  for (const [row, probability] of judgeFrames(weights, frames).entries()) {
    expect(probability).toBeCloseTo(Math.exp(results[row] as number) / total, 4)
  }
})

test('the slopes are those of the loss', () => {
  const weights = freshHead(seededRandom(2), examples)
  const one = example(1, 3)
  const dropout = {
    values: Float32Array.from({ length: encoderWidth }, (_, index) => (index % 4 === 0 ? 0 : 1.3)),
    pooled: Float32Array.from({ length: 2 * headUnits }, (_, index) => (index % 3 === 0 ? 0 : 1.5)),
  }
  const slopes = new Float32Array(headWeightCount)
  headSlopes(weights, slopes, one, dropout)
  const lossWith = (index: number, change: number) => {
    const moved = weights.slice()
    moved[index] = (moved[index] as number) + change
    return headSlopes(moved, new Float32Array(headWeightCount), one, dropout)
  }
  // At the edge of a unit that is cut off, or where two frames are equally high, the loss has a corner and no slope.
  let [compared, alike] = [0, 0]
  for (const from of [headParts.first, headParts.firstBias, headParts.second, headParts.secondBias]) {
    for (let index = from; index < Math.min(from + 600, headWeightCount); index += 11) {
      const slope = (lossWith(index, 2e-3) - lossWith(index, -2e-3)) / 4e-3
      if (Math.abs(slope) < 2e-3) continue
      compared += 1
      if (Math.abs((slopes[index] as number) - slope) < 0.05 * Math.abs(slope) + 5e-4) alike += 1
    }
  }
  expect(compared).toBeGreaterThan(15)
  expect(alike / compared).toBeGreaterThan(0.85)
})

test('it learns what tells examples apart', () => {
  const weights = freshHead(seededRandom(3), examples)
  trainHead(
    weights,
    examples.map((one) => [one]),
    20,
    random,
  )
  const fresh = Array.from({ length: 30 }, (_, index) => example(index % 3, 10 * (index % 3)))
  const right = fresh.filter(({ frames, label }) => (judgeFrames(weights, frames)[label] as number) > 0.5)
  expect(right.length).toBeGreaterThanOrEqual(24)
})
