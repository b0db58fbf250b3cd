import { readFileSync } from 'node:fs'
import { msToSamples } from '#audio/format.ts'
import { resampleWhole } from '#audio/resample.ts'
import { MelFeatures, melBands, melFrames, melRateHz, melSamples } from './mel.ts'
import { createSession, loadOnnx, type OnnxSession } from './onnx.ts'
import { withOutputs } from './onnx-file.ts'
import { turnEndFeatures, turnEndProbability } from './turn-end-head.ts'
import { turnEndWeights } from './turn-end-weights.ts'
import { decodeWeights } from './weights-text.ts'

/**
 * Smart Turn v3 (Daily, BSD-2-Clause; a Whisper tiny encoder): from how somebody's last seconds sound, has this person
 * finished? `input_features` [n, 80, 800] float: `mel.ts`. The model has a head of its own (`logits` [n, 1]: a
 * probability already, the sigmoid is in the graph); ours (`turn-end-head.ts`) weighs it with two tensors from before it: `layer_norm_8` [n, 400, 384], what the encoder made of each 20 ms,
 * and `sum_1` [n, 384], pooled by attention. Batches bring nothing, so there are none: `scripts/bench/turn-end.ts`.
 */
export const turnEndWindowMs = (melSamples * 1000) / melRateHz

const frames = 'layer_norm_8'
const pooled = 'sum_1'

export class SmartTurn {
  private readonly session: OnnxSession
  private readonly runtime: Awaited<ReturnType<typeof loadOnnx>>
  private readonly mel = new MelFeatures()
  private readonly features = new Float32Array(melBands * melFrames)
  private readonly weights = decodeWeights(turnEndWeights)

  private constructor(session: OnnxSession, runtime: Awaited<ReturnType<typeof loadOnnx>>) {
    this.session = session
    this.runtime = runtime
  }

  /** @param model path of the .onnx file. Throws when it can't be read, or is no such model. */
  static async load(model: string, threads: number): Promise<SmartTurn> {
    const runtime = await loadOnnx()
    const smartTurn = new SmartTurn(
      await createSession(withOutputs(readFileSync(model), [frames, pooled]), { threads }),
      runtime,
    )
    // The first run allocates, and shows whether the model takes what it will be given.
    await smartTurn.listen(new Int16Array(melRateHz), melRateHz)
    return smartTurn
  }

  /**
   * One at a time.
   * @param samples 16-bit, ending with the silence after the last word; the last 8 s count
   * @returns 0 (has not finished) to 1 (has finished)
   */
  async judge(samples: Int16Array, sampleRateHz: number): Promise<number> {
    return turnEndProbability(await this.listen(samples, sampleRateHz), this.weights)
  }

  /** What the head is trained on: `turnEndFeatureCount` values. One at a time. */
  async listen(samples: Int16Array, sampleRateHz: number): Promise<Float32Array> {
    const newest = samples.subarray(-msToSamples(turnEndWindowMs, sampleRateHz))
    this.mel.compute(
      sampleRateHz === melRateHz ? newest : resampleWhole(newest, sampleRateHz, melRateHz),
      this.features,
    )
    const { Tensor } = this.runtime
    const answer = await this.session.run({
      input_features: new Tensor('float32', this.features, [1, melBands, melFrames]),
    })
    const [heard, attended, [own]] = [answer[frames], answer[pooled], (answer.logits?.data ?? []) as Float32Array]
    if (heard === undefined || attended === undefined || own === undefined)
      throw new Error('the model gave neither frames nor a sum nor logits')
    return turnEndFeatures(attended.data as Float32Array, heard.data as Float32Array, own)
  }
}
