import { featureCount } from './overlap-features.ts'

/**
 * The overlap model's network: what of 60 ms matters (a convolution over three windows), what it means after all that
 * came before (a gated recurrent unit), and which of three things it is. 64,000 weights, 70 µs a window.
 *
 * All weights lie in one array, and `scripts/overlap/train.py` writes them so:
 * mean and scale of each feature · convolution [hidden units][3 windows, oldest first][features], bias ·
 * of the reset gate, the update gate and the candidate one after the other: [state units][hidden units], bias ·
 * [state units][state units], bias · result [3][state units], bias.
 */
export const hiddenUnits = 96
export const stateUnits = 96
export const resultCount = 3
export const tapCount = 3
export const inputCount = featureCount * tapCount

let end = 0
const place = (count: number) => {
  end += count
  return end - count
}
/** Where each part begins. */
export const parts = {
  mean: place(featureCount),
  scale: place(featureCount),
  convolution: place(hiddenUnits * inputCount),
  convolutionBias: place(hiddenUnits),
  input: place(3 * stateUnits * hiddenUnits),
  inputBias: place(3 * stateUnits),
  state: place(3 * stateUnits * stateUnits),
  stateBias: place(3 * stateUnits),
  result: place(resultCount * stateUnits),
  resultBias: place(resultCount),
} as const
export const weightCount = end

export class OverlapNetwork {
  /** Of an interruption, a backchannel, a noise; together 1. */
  readonly probabilities = new Float32Array(resultCount)
  private readonly weights: Float32Array
  /** The three newest windows, oldest first. */
  private readonly inputs = new Float32Array(inputCount)
  private readonly hidden = new Float32Array(hiddenUnits)
  private readonly state = new Float32Array(stateUnits)
  private readonly ofInput = new Float32Array(3 * stateUnits)
  private readonly ofState = new Float32Array(3 * stateUnits)

  /** @param weights `weightCount` of them */
  constructor(weights: Float32Array) {
    this.weights = weights
  }

  reset(): void {
    this.inputs.fill(0)
    this.state.fill(0)
    this.probabilities.fill(0)
  }

  /** One window more: `featureCount` values. */
  step(features: Float32Array): void {
    const { weights, inputs, hidden, state, ofInput, ofState } = this
    inputs.copyWithin(0, featureCount)
    for (let index = 0, at = inputCount - featureCount; index < featureCount; index++, at++) {
      const mean = weights[parts.mean + index] as number
      inputs[at] = ((features[index] as number) - mean) * (weights[parts.scale + index] as number)
    }
    product(weights, parts.convolution, parts.convolutionBias, inputs, hidden)
    for (let unit = 0; unit < hiddenUnits; unit++) if ((hidden[unit] as number) < 0) hidden[unit] = 0
    product(weights, parts.input, parts.inputBias, hidden, ofInput)
    product(weights, parts.state, parts.stateBias, state, ofState)
    for (let unit = 0; unit < stateUnits; unit++) {
      const reset = sigmoid((ofInput[unit] as number) + (ofState[unit] as number))
      const update = sigmoid((ofInput[unit + stateUnits] as number) + (ofState[unit + stateUnits] as number))
      const offered = (ofInput[unit + 2 * stateUnits] as number) + reset * (ofState[unit + 2 * stateUnits] as number)
      state[unit] = (1 - update) * Math.tanh(offered) + update * (state[unit] as number)
    }
    product(weights, parts.result, parts.resultBias, state, this.probabilities)
    softmax(this.probabilities)
  }
}

/** out = matrix · vector + bias. */
export function product(
  weights: Float32Array,
  matrix: number,
  bias: number,
  vector: Float32Array,
  out: Float32Array,
): void {
  const width = vector.length
  for (let row = 0, at = matrix; row < out.length; row++) {
    let sum = weights[bias + row] as number
    for (let column = 0; column < width; column++, at++) sum += (weights[at] as number) * (vector[column] as number)
    out[row] = sum
  }
}

export function softmax(values: Float32Array): void {
  let highest = values[0] as number
  for (let index = 1; index < values.length; index++) highest = Math.max(highest, values[index] as number)
  let sum = 0
  for (let index = 0; index < values.length; index++) {
    const value = Math.exp((values[index] as number) - highest)
    values[index] = value
    sum += value
  }
  for (let index = 0; index < values.length; index++) values[index] = (values[index] as number) / sum
}

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))
