import { describe, expect, test } from 'bun:test'
import {
  encoderWidth,
  turnEndFeatureCount,
  turnEndFeatures,
  turnEndProbability,
  turnEndWeightCount,
} from '#speech/turn-end-head.ts'
import { turnEndWeights } from '#speech/turn-end-weights.ts'
import { decodeWeights } from '#speech/weights-text.ts'

describe('the head of the end-of-turn model', () => {
  test('takes what is pooled, the means of the newest 10 and 25 frames, and the model’s own answer', () => {
    const pooled = Float32Array.from({ length: encoderWidth }, (_, value) => value)
    const frames = new Float32Array(400 * encoderWidth)
    // The newest frame is 1 in its first value, the 11th from the end in its second, the 26th in its third.
    frames[399 * encoderWidth] = 1
    frames[389 * encoderWidth + 1] = 1
    frames[374 * encoderWidth + 2] = 1
    const features = turnEndFeatures(pooled, frames, 0.75)
    expect(features).toHaveLength(turnEndFeatureCount)
    expect(features.subarray(0, encoderWidth)).toEqual(pooled)
    const first = [0, 1, 2].map((value) => features[encoderWidth + value])
    const second = [0, 1, 2].map((value) => features[2 * encoderWidth + value])
    expect(first).toEqual([Math.fround(1 / 10), 0, 0])
    expect(second).toEqual([Math.fround(1 / 25), Math.fround(1 / 25), 0])
    expect(features[turnEndFeatureCount - 1]).toBeCloseTo(Math.log(3), 6)
  })

  test('takes a model that is quite sure for no surer than 400 to 1', () => {
    const last = (own: number) =>
      turnEndFeatures(new Float32Array(encoderWidth), new Float32Array(400 * encoderWidth), own)[
        turnEndFeatureCount - 1
      ]
    expect([last(0), last(1)]).toEqual([-6, 6])
  })

  test('weighs each feature, adds the constant, and says a probability', () => {
    const features = new Float32Array(turnEndFeatureCount)
    const weights = new Float32Array(turnEndWeightCount)
    expect(turnEndProbability(features, weights)).toBe(0.5)
    features[3] = 2
    weights[3] = 1.5
    weights[turnEndFeatureCount] = -3 + Math.log(3)
    expect(turnEndProbability(features, weights)).toBeCloseTo(0.75, 6)
  })

  test('has the weights that it needs', () => {
    const weights = decodeWeights(turnEndWeights)
    expect(weights).toHaveLength(turnEndWeightCount)
    expect(weights.every(Number.isFinite)).toBe(true)
  })
})
