import type { Random } from '../../src/base/random.ts'
import { featureCount } from '../../src/speech/overlap-features.ts'
import {
  hiddenUnits,
  inputCount,
  parts,
  resultCount,
  stateUnits,
  weightCount,
} from '../../src/speech/overlap-network.ts'
import { Adam, spreadOf } from './adam.ts'
import { Gradient, type Sequence } from './gradient.ts'
import { windowsMax } from './sequences.ts'

/** Adam with decoupled decay, in batches; the rate rises for a fifth of the way and then falls to nothing. */
const batchSize = 32
const rateMax = 3e-3
const decay = 1e-2
const firstMoment = 0.9
const secondMoment = 0.99
const slopeMax = 1
const dropoutShare = 0.25

export function freshWeights(random: Random): Float32Array {
  const weights = new Float32Array(weightCount)
  const fill = (from: number, count: number, width: number) => {
    const reach = 1 / Math.sqrt(width)
    for (let index = from; index < from + count; index++) weights[index] = (random.next() * 2 - 1) * reach
  }
  fill(parts.convolution, hiddenUnits * inputCount, inputCount / 3)
  fill(parts.input, 3 * stateUnits * hiddenUnits, hiddenUnits)
  fill(parts.state, 3 * stateUnits * stateUnits, stateUnits)
  fill(parts.result, resultCount * stateUnits, stateUnits)
  return weights
}

/** Makes each feature's mean 0 and its spread 1 over these sequences. */
export function setScale(weights: Float32Array, sequences: readonly Sequence[]): void {
  const { mean, scale } = spreadOf(
    sequences.map(({ features }) => features),
    featureCount,
  )
  weights.set(mean, parts.mean)
  weights.set(scale, parts.scale)
}

export class Trainer {
  private readonly gradient: Gradient
  private readonly adam: Adam
  private readonly random: Random
  private readonly batchesInAll: number
  private batches = 0

  constructor(weights: Float32Array, random: Random, sequencesInAll: number) {
    this.random = random
    this.gradient = new Gradient(weights, windowsMax)
    // Mean and scale of the features, before the convolution, are measured.
    this.adam = new Adam(weights, parts.convolution, { firstMoment, secondMoment, decay })
    this.batchesInAll = Math.ceil(sequencesInAll / batchSize) + 1
  }

  /** Once over all sequences, in any order. @returns the mean loss */
  epoch(sequences: readonly Sequence[]): number {
    const order = sequences.map((sequence) => ({ sequence, at: this.random.next() })).sort((a, b) => a.at - b.at)
    let loss = 0
    for (let from = 0; from < order.length; from += batchSize) {
      const batch = order.slice(from, from + batchSize)
      this.gradient.slopes.fill(0)
      for (const { sequence } of batch) loss += this.gradient.add(sequence, this.dropout())
      this.move(batch.length)
    }
    return loss / sequences.length
  }

  private dropout() {
    const mask = (count: number) =>
      Float32Array.from({ length: count }, () => (this.random.next() < dropoutShare ? 0 : 1 / (1 - dropoutShare)))
    return { hidden: mask(hiddenUnits), state: mask(stateUnits) }
  }

  private move(count: number): void {
    const { slopes } = this.gradient
    this.batches += 1
    const way = this.batches / this.batchesInAll
    const rate = rateMax * (way < 0.2 ? way / 0.2 : 0.5 + 0.5 * Math.cos((Math.PI * (way - 0.2)) / 0.8))
    let squares = 0
    for (let index = parts.convolution; index < weightCount; index++) squares += (slopes[index] as number) ** 2
    this.adam.step(slopes, Math.min(1 / count, slopeMax / Math.sqrt(squares + 1e-12)), rate)
  }
}
