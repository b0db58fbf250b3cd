/** Adam with decoupled decay, over the weights from `from` on: what lies before is measured and not trained. */
export class Adam {
  private readonly weights: Float32Array
  private readonly from: number
  private readonly options: AdamOptions
  private readonly first: Float32Array
  private readonly second: Float32Array
  private steps = 0

  constructor(weights: Float32Array, from: number, options: AdamOptions) {
    this.weights = weights
    this.from = from
    this.options = options
    this.first = new Float32Array(weights.length)
    this.second = new Float32Array(weights.length)
  }

  /** @param slopes of all weights @param scale for each of them: a mean, or a limit of their length */
  step(slopes: Float32Array, scale: number, rate: number): void {
    const { weights, first, second } = this
    const { firstMoment, secondMoment, decay } = this.options
    this.steps += 1
    const firstCorrection = 1 - firstMoment ** this.steps
    const secondCorrection = 1 - secondMoment ** this.steps
    for (let index = this.from; index < weights.length; index++) {
      const slope = (slopes[index] as number) * scale
      const one = firstMoment * (first[index] as number) + (1 - firstMoment) * slope
      const two = secondMoment * (second[index] as number) + (1 - secondMoment) * slope * slope
      first[index] = one
      second[index] = two
      const step = one / firstCorrection / (Math.sqrt(two / secondCorrection) + 1e-8)
      weights[index] = (weights[index] as number) * (1 - rate * decay) - rate * step
    }
  }
}

export interface AdamOptions {
  readonly firstMoment: number
  readonly secondMoment: number
  readonly decay: number
}

/** Mean and one over the spread of each of `width` values that follow each other in the lists. */
export function spreadOf(lists: readonly Float32Array[], width: number): { mean: Float32Array; scale: Float32Array } {
  const mean = new Float32Array(width)
  const scale = new Float32Array(width)
  for (let index = 0; index < width; index++) {
    let [count, sum, squares] = [0, 0, 0]
    for (const values of lists) {
      for (let at = index; at < values.length; at += width) {
        const value = values[at] as number
        count += 1
        sum += value
        squares += value * value
      }
    }
    mean[index] = sum / count
    scale[index] = 1 / Math.sqrt(Math.max(1e-6, squares / count - (sum / count) ** 2))
  }
  return { mean, scale }
}
