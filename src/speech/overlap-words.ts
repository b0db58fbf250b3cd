import { resampleWhole } from '#audio/resample.ts'
import { createSession, loadOnnx, type OnnxSession } from './onnx.ts'
import { encoderWidth, judgeFrames } from './overlap-head.ts'
import { overlapHeadWeights } from './overlap-head-weights.ts'
import { decodeWeights } from './weights-text.ts'

/**
 * The beginning of an utterance through Moonshine's encoder and the head that judges it: 15 ms of a core for half a
 * second of speech. No text is made, so it needs no word list and says something of languages the recogniser doesn't
 * know.
 *
 * Shapes: `input_values` [1, samples] float at 16 kHz, `attention_mask` [1, samples] → `last_hidden_state`
 * [1, frames, width], a frame for each 384 samples.
 */
const encoderRateHz = 16_000
const samplesPerFrame = 384
/** Silence on both sides, for what begins at the very edge is not understood. It is not judged. */
const marginSamples = encoderRateHz / 4
/** Frames that see both the margin and the voice are judged as well. */
const edgeFrames = 2
/** Every voice is brought to one level, a very faint one up to 30 dB. */
const levelRms = 0.08
const gainMax = 31.6

export class OverlapWords {
  private readonly runtime: Awaited<ReturnType<typeof loadOnnx>>
  private readonly encoder: OnnxSession
  private readonly weights: Float32Array

  private constructor(runtime: Awaited<ReturnType<typeof loadOnnx>>, encoder: OnnxSession, weights: Float32Array) {
    this.runtime = runtime
    this.encoder = encoder
    this.weights = weights
  }

  /** @param encoderPath Moonshine tiny's encoder_model.ort. Throws when it can't be read. */
  static async load(
    encoderPath: string,
    threads: number,
    weights = decodeWeights(overlapHeadWeights),
  ): Promise<OverlapWords> {
    const runtime = await loadOnnx()
    return new OverlapWords(runtime, await createSession(encoderPath, { threads }), weights)
  }

  /**
   * @param samples from a little before the onset on, at 8 kHz or more; not empty
   * @returns probabilities of an interruption, a backchannel and a noise
   */
  async judge(samples: Int16Array, sampleRateHz: number): Promise<Float32Array> {
    return judgeFrames(this.weights, await this.frames(samples, sampleRateHz))
  }

  /** The encoder's frames of the samples, without those of the margins. */
  async frames(samples: Int16Array, sampleRateHz: number): Promise<Float32Array> {
    const { Tensor } = this.runtime
    const wide = resampleWhole(samples, sampleRateHz, encoderRateHz)
    const values = new Float32Array(wide.length + 2 * marginSamples)
    let squares = 0
    for (const sample of wide) squares += sample * sample
    const rms = Math.sqrt(squares / Math.max(1, wide.length)) / 32768
    const gain = Math.min(gainMax, levelRms / Math.max(1e-6, rms)) / 32768
    for (let index = 0; index < wide.length; index++) values[marginSamples + index] = (wide[index] as number) * gain
    const answer = await this.encoder.run({
      input_values: new Tensor('float32', values, [1, values.length]),
      attention_mask: new Tensor('int64', new BigInt64Array(values.length).fill(1n), [1, values.length]),
    })
    const hidden = answer.last_hidden_state?.data as Float32Array
    const count = hidden.length / encoderWidth
    const first = Math.max(0, Math.floor(marginSamples / samplesPerFrame) - edgeFrames)
    const last = Math.min(count, Math.ceil((marginSamples + wide.length) / samplesPerFrame) + edgeFrames)
    return hidden.slice(first * encoderWidth, last * encoderWidth)
  }
}
