import { expect, test } from 'bun:test'
import { seededRandom } from '#base/random.ts'
import { encoderWidth, headParts, headUnits, headWeightCount, judgeFrames } from '#speech/overlap-head.ts'

test('judges by the mean and the highest of each unit, by their definitions', () => {
  const random = seededRandom(5)
  const noise = (length: number) => Float32Array.from({ length }, () => 2 * (random.next() - 0.5))
  const weights = noise(headWeightCount).map((value) => value / 8)
  const frames = noise(5 * encoderWidth)
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
