import type { Random } from '../../src/base/random.ts'
import {
  encoderWidth,
  headParts,
  headResults,
  headUnits,
  headWeightCount,
  scaleFrame,
} from '../../src/speech/overlap-head.ts'
import { softmax } from '../../src/speech/overlap-network.ts'
import { Adam, spreadOf } from './adam.ts'

/** One utterance so far, as the encoder hears it. */
export interface HeadExample {
  /** `encoderWidth` values a frame. */
  readonly frames: Float32Array
  /** 0 an interruption, 1 a backchannel, 2 a noise. */
  readonly label: number
  readonly share: number
}

const batchSize = 32
const rateMax = 2e-3
const decay = 5e-2
const firstMoment = 0.9
const secondMoment = 0.99
const valueDropout = 0.2
const pooledDropout = 0.35

export function freshHead(random: Random, examples: readonly HeadExample[]): Float32Array {
  const weights = new Float32Array(headWeightCount)
  const { mean, scale } = spreadOf(
    examples.map(({ frames }) => frames),
    encoderWidth,
  )
  weights.set(mean, headParts.mean)
  weights.set(scale, headParts.scale)
  const fill = (from: number, count: number, width: number) => {
    for (let index = from; index < from + count; index++) weights[index] = (random.next() * 2 - 1) / Math.sqrt(width)
  }
  fill(headParts.first, headUnits * encoderWidth, encoderWidth)
  fill(headParts.second, headResults * 2 * headUnits, 2 * headUnits)
  return weights
}

/** Adds an example's slopes to `slopes`, by the definition of `judgeFrames`. @returns its loss */
export function headSlopes(
  weights: Float32Array,
  slopes: Float32Array,
  { frames, label, share }: HeadExample,
  dropout: { readonly values: Float32Array; readonly pooled: Float32Array },
): number {
  const count = frames.length / encoderWidth
  const scaled = new Float32Array(count * encoderWidth)
  const units = new Float32Array(count * headUnits)
  const pooled = new Float32Array(2 * headUnits)
  const loudest = new Int32Array(headUnits).fill(-1)
  for (let frame = 0; frame < count; frame++) {
    const own = scaled.subarray(frame * encoderWidth, (frame + 1) * encoderWidth)
    scaleFrame(weights, frames, frame, own)
    for (let index = 0; index < encoderWidth; index++)
      own[index] = (own[index] as number) * (dropout.values[index] as number)
    for (let unit = 0, at = headParts.first; unit < headUnits; unit++) {
      let sum = weights[headParts.firstBias + unit] as number
      for (let index = 0; index < encoderWidth; index++, at++) sum += (weights[at] as number) * (own[index] as number)
      if (sum <= 0) continue
      units[frame * headUnits + unit] = sum
      pooled[unit] = (pooled[unit] as number) + sum / count
      if (sum > (pooled[headUnits + unit] as number)) {
        pooled[headUnits + unit] = sum
        loudest[unit] = frame
      }
    }
  }
  for (let index = 0; index < 2 * headUnits; index++)
    pooled[index] = (pooled[index] as number) * (dropout.pooled[index] as number)
  const results = new Float32Array(headResults)
  for (let row = 0, at = headParts.second; row < headResults; row++) {
    let sum = weights[headParts.secondBias + row] as number
    for (let index = 0; index < 2 * headUnits; index++, at++) sum += (weights[at] as number) * (pooled[index] as number)
    results[row] = sum
  }
  softmax(results)
  const towards = new Float32Array(2 * headUnits)
  for (let row = 0, at = headParts.second; row < headResults; row++) {
    const off = share * ((results[row] as number) - (row === label ? 1 : 0))
    slopes[headParts.secondBias + row] = (slopes[headParts.secondBias + row] as number) + off
    for (let index = 0; index < 2 * headUnits; index++, at++) {
      slopes[at] = (slopes[at] as number) + off * (pooled[index] as number)
      towards[index] = (towards[index] as number) + off * (weights[at] as number) * (dropout.pooled[index] as number)
    }
  }
  for (let frame = 0; frame < count; frame++) {
    for (let unit = 0; unit < headUnits; unit++) {
      if ((units[frame * headUnits + unit] as number) <= 0) continue
      const ofLoudest = loudest[unit] === frame ? (towards[headUnits + unit] as number) : 0
      const delta = (towards[unit] as number) / count + ofLoudest
      slopes[headParts.firstBias + unit] = (slopes[headParts.firstBias + unit] as number) + delta
      for (let index = 0, at = headParts.first + unit * encoderWidth; index < encoderWidth; index++, at++) {
        slopes[at] = (slopes[at] as number) + delta * (scaled[frame * encoderWidth + index] as number)
      }
    }
  }
  return -share * Math.log((results[label] as number) + 1e-9)
}

/** Each epoch takes one of an utterance's beginnings. @returns the mean loss of each epoch */
export function trainHead(
  weights: Float32Array,
  utterances: readonly (readonly HeadExample[])[],
  epochs: number,
  random: Random,
): number[] {
  const adam = new Adam(weights, headParts.first, { firstMoment, secondMoment, decay })
  const slopes = new Float32Array(headWeightCount)
  const mask = (count: number, share: number) =>
    Float32Array.from({ length: count }, () => (random.next() < share ? 0 : 1 / (1 - share)))
  return Array.from({ length: epochs }, (_, epoch) => {
    const order = utterances.map((beginnings) => ({ beginnings, at: random.next() })).sort((a, b) => a.at - b.at)
    const rate = rateMax * (1 - epoch / epochs)
    let loss = 0
    for (let from = 0; from < order.length; from += batchSize) {
      slopes.fill(0)
      const batch = order.slice(from, from + batchSize)
      for (const { beginnings } of batch) {
        const example = beginnings[Math.floor(random.next() * beginnings.length)] as HeadExample
        const dropout = { values: mask(encoderWidth, valueDropout), pooled: mask(2 * headUnits, pooledDropout) }
        loss += headSlopes(weights, slopes, example, dropout)
      }
      adam.step(slopes, 1 / batch.length, rate)
    }
    return loss / order.length
  })
}
