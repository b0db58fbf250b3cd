import { featureCount } from '../../src/speech/overlap-features.ts'
import {
  hiddenUnits,
  inputCount,
  parts,
  product,
  resultCount,
  sigmoid,
  softmax,
  stateUnits,
  weightCount,
} from '../../src/speech/overlap-network.ts'

/**
 * What one sequence would have the weights of `overlap-network.ts` be changed by: the network forward with everything
 * remembered, then backward through time. Plain loops over one array of weights; the unit test compares each part with
 * the slope that two runs of the loss show.
 */
export interface Sequence {
  /** `featureCount` per window. */
  readonly features: Float32Array
  /** Of the loss, per window; 0 where the model needs no opinion. */
  readonly weights: Float32Array
  /** 0 an interruption, 1 a backchannel, 2 a noise. */
  readonly label: number
}

/** Multiplies units in training: 0, or 1 / what is kept, so that the mean stays. */
export interface Dropout {
  readonly hidden: Float32Array
  readonly state: Float32Array
}

const gates = 3 * stateUnits

export class Gradient {
  readonly slopes = new Float32Array(weightCount)
  private readonly weights: Float32Array
  private readonly windowsMax: number
  private readonly inputs: Float32Array
  private readonly hidden: Float32Array
  private readonly states: Float32Array
  private readonly reset: Float32Array
  private readonly update: Float32Array
  private readonly offered: Float32Array
  private readonly stateOffer: Float32Array
  private readonly results: Float32Array
  private readonly deltaInput: Float32Array
  private readonly deltaState: Float32Array
  private readonly ofInput = new Float32Array(gates)
  private readonly ofState = new Float32Array(gates)
  private readonly seen = new Float32Array(stateUnits)
  private readonly towardsPast = new Float32Array(stateUnits)
  private readonly deltaHidden = new Float32Array(hiddenUnits)

  constructor(weights: Float32Array, windowsMax: number) {
    this.weights = weights
    this.windowsMax = windowsMax
    const remembered = (count: number) => new Float32Array(windowsMax * count)
    this.inputs = remembered(inputCount)
    this.hidden = remembered(hiddenUnits)
    this.states = new Float32Array((windowsMax + 1) * stateUnits)
    this.reset = remembered(stateUnits)
    this.update = remembered(stateUnits)
    this.offered = remembered(stateUnits)
    this.stateOffer = remembered(stateUnits)
    this.results = remembered(resultCount)
    this.deltaInput = remembered(gates)
    this.deltaState = remembered(gates)
  }

  /** Adds the sequence's slopes, without those of mean and scale, to `slopes`. @returns its loss */
  add(sequence: Sequence, dropout: Dropout): number {
    const windows = Math.min(this.windowsMax, sequence.weights.length)
    const loss = this.forward(sequence, windows, dropout)
    this.backward(sequence, windows, dropout)
    return loss
  }

  private forward({ features, weights: shares, label }: Sequence, windows: number, dropout: Dropout): number {
    const { weights, states, results, seen, ofInput, ofState } = this
    let loss = 0
    states.fill(0, 0, stateUnits)
    for (let t = 0; t < windows; t++) {
      const inputs = this.inputs.subarray(t * inputCount, (t + 1) * inputCount)
      if (t === 0) inputs.fill(0)
      else inputs.set(this.inputs.subarray((t - 1) * inputCount + featureCount, t * inputCount))
      for (let index = 0, at = inputCount - featureCount; index < featureCount; index++, at++) {
        const value = (features[t * featureCount + index] as number) - (weights[parts.mean + index] as number)
        inputs[at] = value * (weights[parts.scale + index] as number)
      }
      const hidden = this.hidden.subarray(t * hiddenUnits, (t + 1) * hiddenUnits)
      product(weights, parts.convolution, parts.convolutionBias, inputs, hidden)
      for (let unit = 0; unit < hiddenUnits; unit++) {
        hidden[unit] = Math.max(0, hidden[unit] as number) * (dropout.hidden[unit] as number)
      }
      product(weights, parts.input, parts.inputBias, hidden, ofInput)
      const before = states.subarray(t * stateUnits, (t + 1) * stateUnits)
      product(weights, parts.state, parts.stateBias, before, ofState)
      for (let unit = 0, at = t * stateUnits; unit < stateUnits; unit++, at++) {
        const reset = sigmoid((ofInput[unit] as number) + (ofState[unit] as number))
        const update = sigmoid((ofInput[unit + stateUnits] as number) + (ofState[unit + stateUnits] as number))
        const stateOffer = ofState[unit + 2 * stateUnits] as number
        const offered = Math.tanh((ofInput[unit + 2 * stateUnits] as number) + reset * stateOffer)
        this.reset[at] = reset
        this.update[at] = update
        this.stateOffer[at] = stateOffer
        this.offered[at] = offered
        const state = (1 - update) * offered + update * (before[unit] as number)
        states[at + stateUnits] = state
        seen[unit] = state * (dropout.state[unit] as number)
      }
      const result = results.subarray(t * resultCount, (t + 1) * resultCount)
      product(weights, parts.result, parts.resultBias, seen, result)
      softmax(result)
      loss -= (shares[t] as number) * Math.log((result[label] as number) + 1e-9)
    }
    return loss
  }

  private backward({ weights: shares, label }: Sequence, windows: number, dropout: Dropout): void {
    const { weights, slopes, states, towardsPast } = this
    towardsPast.fill(0)
    for (let t = windows - 1; t >= 0; t--) {
      const share = shares[t] as number
      if (share > 0) {
        for (let index = 0; index < resultCount; index++) {
          const off = share * ((this.results[t * resultCount + index] as number) - (index === label ? 1 : 0))
          slopes[parts.resultBias + index] = (slopes[parts.resultBias + index] as number) + off
          for (let unit = 0, at = parts.result + index * stateUnits; unit < stateUnits; unit++, at++) {
            const kept = dropout.state[unit] as number
            slopes[at] = (slopes[at] as number) + off * (states[(t + 1) * stateUnits + unit] as number) * kept
            towardsPast[unit] = (towardsPast[unit] as number) + off * (weights[at] as number) * kept
          }
        }
      }
      this.backwardGates(t)
      this.backwardHidden(t, dropout)
    }
  }

  /** Through the recurrent unit: from what its state should be to what its gates, and the state before, should. */
  private backwardGates(t: number): void {
    const { weights, states, towardsPast, slopes } = this
    const deltaInput = this.deltaInput.subarray(t * gates, (t + 1) * gates)
    const deltaState = this.deltaState.subarray(t * gates, (t + 1) * gates)
    for (let unit = 0, at = t * stateUnits; unit < stateUnits; unit++, at++) {
      const reset = this.reset[at] as number
      const update = this.update[at] as number
      const offered = this.offered[at] as number
      const delta = towardsPast[unit] as number
      const ofUpdate = delta * ((states[at] as number) - offered) * update * (1 - update)
      const ofOffer = delta * (1 - update) * (1 - offered * offered)
      const ofReset = ofOffer * (this.stateOffer[at] as number) * reset * (1 - reset)
      deltaInput[unit] = ofReset
      deltaInput[unit + stateUnits] = ofUpdate
      deltaInput[unit + 2 * stateUnits] = ofOffer
      deltaState[unit] = ofReset
      deltaState[unit + stateUnits] = ofUpdate
      deltaState[unit + 2 * stateUnits] = ofOffer * reset
      towardsPast[unit] = delta * update
    }
    const before = states.subarray(t * stateUnits, (t + 1) * stateUnits)
    spread(weights, slopes, parts.state, parts.stateBias, deltaState, before, towardsPast)
  }

  private backwardHidden(t: number, dropout: Dropout): void {
    const { weights, slopes, deltaHidden } = this
    const hidden = this.hidden.subarray(t * hiddenUnits, (t + 1) * hiddenUnits)
    deltaHidden.fill(0)
    const deltaInput = this.deltaInput.subarray(t * gates, (t + 1) * gates)
    spread(weights, slopes, parts.input, parts.inputBias, deltaInput, hidden, deltaHidden)
    const inputs = this.inputs.subarray(t * inputCount, (t + 1) * inputCount)
    for (let unit = 0; unit < hiddenUnits; unit++) {
      if ((hidden[unit] as number) <= 0) continue
      const delta = (deltaHidden[unit] as number) * (dropout.hidden[unit] as number)
      slopes[parts.convolutionBias + unit] = (slopes[parts.convolutionBias + unit] as number) + delta
      for (let index = 0, at = parts.convolution + unit * inputCount; index < inputCount; index++, at++) {
        slopes[at] = (slopes[at] as number) + delta * (inputs[index] as number)
      }
    }
  }
}

/** Backward through `product`: adds to the slopes of matrix and bias, and to what the vector should have been. */
function spread(
  weights: Float32Array,
  slopes: Float32Array,
  matrix: number,
  bias: number,
  deltas: Float32Array,
  vector: Float32Array,
  towards: Float32Array,
): void {
  const width = vector.length
  for (let row = 0, at = matrix; row < deltas.length; row++) {
    const delta = deltas[row] as number
    slopes[bias + row] = (slopes[bias + row] as number) + delta
    for (let column = 0; column < width; column++, at++) {
      slopes[at] = (slopes[at] as number) + delta * (vector[column] as number)
      towards[column] = (towards[column] as number) + delta * (weights[at] as number)
    }
  }
}
