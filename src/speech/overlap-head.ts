import { softmax } from './overlap-network.ts'

/**
 * What a recogniser's encoder has heard of a voice, as an overlap's score: each frame of it through one layer, the mean
 * and the highest of all frames, and a second layer. The recogniser was trained on the speech of very many people, and
 * so tells the words of a stranger apart; the overlap network knows a few dozen voices, and sounds rather than words.
 *
 * Weights in one array: mean and scale of each value · first layer [units][width], bias · second layer [3][mean of each
 * unit, then highest of each], bias.
 */
/** Values of a frame of Moonshine tiny's encoder. */
export const encoderWidth = 288
export const headUnits = 96
export const headResults = 3

let end = 0
const place = (count: number) => {
  end += count
  return end - count
}
export const headParts = {
  mean: place(encoderWidth),
  scale: place(encoderWidth),
  first: place(headUnits * encoderWidth),
  firstBias: place(headUnits),
  second: place(headResults * 2 * headUnits),
  secondBias: place(headResults),
} as const
export const headWeightCount = end

/**
 * @param frames of the encoder, `encoderWidth` values each; at least one
 * @returns probabilities of an interruption, a backchannel and a noise
 */
export function judgeFrames(weights: Float32Array, frames: Float32Array): Float32Array {
  const count = frames.length / encoderWidth
  const pooled = new Float32Array(2 * headUnits)
  const scaled = new Float32Array(encoderWidth)
  for (let frame = 0; frame < count; frame++) {
    scaleFrame(weights, frames, frame, scaled)
    for (let unit = 0, at = headParts.first; unit < headUnits; unit++) {
      let sum = weights[headParts.firstBias + unit] as number
      for (let index = 0; index < encoderWidth; index++, at++)
        sum += (weights[at] as number) * (scaled[index] as number)
      if (sum <= 0) continue
      pooled[unit] = (pooled[unit] as number) + sum / count
      if (sum > (pooled[headUnits + unit] as number)) pooled[headUnits + unit] = sum
    }
  }
  const results = new Float32Array(headResults)
  for (let row = 0, at = headParts.second; row < headResults; row++) {
    let sum = weights[headParts.secondBias + row] as number
    for (let index = 0; index < 2 * headUnits; index++, at++) sum += (weights[at] as number) * (pooled[index] as number)
    results[row] = sum
  }
  softmax(results)
  return results
}

/** One frame with mean 0 and spread 1 in each value. */
export function scaleFrame(weights: Float32Array, frames: Float32Array, frame: number, scaled: Float32Array): void {
  for (let index = 0; index < encoderWidth; index++) {
    const value = (frames[frame * encoderWidth + index] as number) - (weights[headParts.mean + index] as number)
    scaled[index] = value * (weights[headParts.scale + index] as number)
  }
}
