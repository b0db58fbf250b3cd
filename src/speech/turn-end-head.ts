/**
 * What the end-of-turn model's encoder hears, to a probability that the caller has finished: a straight line through
 * three views of it and the model's own answer. Its last layers were trained on studio speech; on the telephone, in noise
 * and in many languages this tells whole turns from hesitations better, and phrase ends from turn ends a little
 * (`docs/turn-taking.md` has the figures). Trained by `scripts/train-turn-end.ts`, on the `tune` split and on actors.
 *
 * Weights: for each feature one, and the constant. The features are those of `turnEndFeatures`, as they come.
 */
export const encoderWidth = 384
/** The encoder's frames of 8 s, 20 ms each; the newest is the last. */
const frameCount = 400
/** The newest frames that are looked at by themselves: 200 and 500 ms, the last syllable and the last word. */
const newestFrames = [10, 25] as const
export const turnEndFeatureCount = encoderWidth * (1 + newestFrames.length) + 1
/** The model's own answer counts as at most this sure, as a logarithm of odds. */
const oddsMax = 6
export const turnEndWeightCount = turnEndFeatureCount + 1

/**
 * @param pooled what the model's attention makes of all frames: [384]
 * @param frames the encoder's output: [400, 384]
 * @param own the model's own probability
 * @returns `turnEndFeatureCount` values: pooled, then the mean of each of the newest stretches, then its own answer
 */
export function turnEndFeatures(pooled: Float32Array, frames: Float32Array, own: number): Float32Array {
  const features = new Float32Array(turnEndFeatureCount)
  features.set(pooled)
  features[turnEndFeatureCount - 1] = Math.max(-oddsMax, Math.min(oddsMax, Math.log(own / (1 - own))))
  for (const [index, count] of newestFrames.entries()) {
    const at = encoderWidth * (1 + index)
    for (let frame = frameCount - count; frame < frameCount; frame++) {
      for (let value = 0; value < encoderWidth; value++) {
        features[at + value] =
          (features[at + value] as number) + (frames[frame * encoderWidth + value] as number) / count
      }
    }
  }
  return features
}

/** @returns 0 (has not finished) to 1 (has finished) */
export function turnEndProbability(features: Float32Array, weights: Float32Array): number {
  let sum = weights[turnEndFeatureCount] as number
  for (let index = 0; index < turnEndFeatureCount; index++) {
    sum += (features[index] as number) * (weights[index] as number)
  }
  return 1 / (1 + Math.exp(-sum))
}
