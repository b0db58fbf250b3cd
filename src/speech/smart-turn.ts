import { msToSamples } from '#audio/format.ts'
import { resampleWhole } from '#audio/resample.ts'
import { MelFeatures, melBands, melFrames, melRateHz, melSamples } from './mel.ts'
import { createSession, loadOnnx, type OnnxSession } from './onnx.ts'

/**
 * Smart Turn v3 (Daily, BSD-2-Clause; a Whisper tiny encoder with a head of its own): from how somebody's last seconds
 * sound, has this person finished? `input_features` [n, 80, 800] float: `mel.ts`. `logits` [n, 1]: a probability
 * already, the sigmoid is in the graph. Batches bring nothing, so there are none: `scripts/bench/turn-end.ts`.
 */
export const turnEndWindowMs = (melSamples * 1000) / melRateHz

export class SmartTurn {
  private readonly session: OnnxSession
  private readonly runtime: Awaited<ReturnType<typeof loadOnnx>>
  private readonly mel = new MelFeatures()
  private readonly features = new Float32Array(melBands * melFrames)

  private constructor(session: OnnxSession, runtime: Awaited<ReturnType<typeof loadOnnx>>) {
    this.session = session
    this.runtime = runtime
  }

  /** @param model path of the .onnx file. Throws when it can't be read, or is no such model. */
  static async load(model: string, threads: number): Promise<SmartTurn> {
    const runtime = await loadOnnx()
    const smartTurn = new SmartTurn(await createSession(model, { threads }), runtime)
    // The first run allocates, and shows whether the model takes what it will be given.
    await smartTurn.judge(new Int16Array(melRateHz), melRateHz)
    return smartTurn
  }

  /**
   * One at a time.
   * @param samples 16-bit, ending with the silence after the last word; the last 8 s count
   * @returns 0 (has not finished) to 1 (has finished)
   */
  async judge(samples: Int16Array, sampleRateHz: number): Promise<number> {
    const newest = samples.subarray(-msToSamples(turnEndWindowMs, sampleRateHz))
    this.mel.compute(
      sampleRateHz === melRateHz ? newest : resampleWhole(newest, sampleRateHz, melRateHz),
      this.features,
    )
    const { Tensor } = this.runtime
    const answer = await this.session.run({
      input_features: new Tensor('float32', this.features, [1, melBands, melFrames]),
    })
    const [probability] = (answer.logits?.data ?? []) as Float32Array
    if (probability === undefined) throw new Error('the model gave no logits')
    return probability
  }
}
