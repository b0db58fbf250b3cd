import { readFileSync } from 'node:fs'
import sileroPath from '../../models/silero_vad.onnx' with { type: 'file' }
import { contextSamples, type DetectionRateHz, windowSamples } from './detection-memory.ts'
import { createSession, loadOnnx, type OnnxSession } from './onnx.ts'
import { mirroredSamples, sileroGraph, sileroState } from './silero-graph.ts'
import type { SileroStream } from './silero-stream.ts'

/**
 * Silero VAD v5 (MIT, github.com/snakers4/silero-vad), many calls in one run, in a graph of our own: `silero-graph.ts`.
 * A window goes in with its context, the end of the window before: without it the model's verdicts are worthless.
 */
/** 12 µs a window at 64, and no less beyond; 90 to 140 µs alone. */
export const batchMax = 64
const widthMax = contextSamples(16000) + windowSamples(16000) + mirroredSamples(16000)

export class Silero {
  private readonly narrow: OnnxSession
  private readonly wide: OnnxSession
  private readonly runtime: Awaited<ReturnType<typeof loadOnnx>>
  private readonly input = new Float32Array(batchMax * widthMax)
  private readonly state = new Float32Array(batchMax * sileroState)

  private constructor(narrow: OnnxSession, wide: OnnxSession, runtime: Awaited<ReturnType<typeof loadOnnx>>) {
    this.narrow = narrow
    this.wide = wide
    this.runtime = runtime
  }

  /** Throws when ONNX Runtime can't be loaded. */
  static async load(): Promise<Silero> {
    const runtime = await loadOnnx()
    const model = readFileSync(sileroPath)
    const session = (rateHz: DetectionRateHz) => createSession(sileroGraph(model, rateHz), { threads: 1 })
    return new Silero(await session(8000), await session(16000), runtime)
  }

  /**
   * Judges one window of each stream and moves the streams on. All are of one rate; 1 to `batchMax` of them.
   * @param samples 16-bit windows: the `n`th begins at `offsets[n]`
   * @param probabilities receives the verdicts in the same order
   */
  async run(
    sampleRateHz: DetectionRateHz,
    streams: readonly SileroStream[],
    samples: Int16Array,
    offsets: readonly number[],
    probabilities: Float32Array,
  ): Promise<void> {
    const { Tensor } = this.runtime
    const { input, state } = this
    const count = streams.length
    const fresh = windowSamples(sampleRateHz)
    const context = contextSamples(sampleRateHz)
    const mirrored = mirroredSamples(sampleRateHz)
    const width = context + fresh + mirrored
    for (let lane = 0; lane < count; lane++) {
      const stream = streams[lane] as SileroStream
      const start = lane * width
      const end = start + context + fresh
      const offset = offsets[lane] as number
      for (let index = 0; index < context; index++) input[start + index] = stream.context[index] as number
      for (let index = 0; index < fresh; index++) {
        input[start + context + index] = (samples[offset + index] as number) / 32768
      }
      // The last sample itself is not repeated.
      for (let index = 0; index < mirrored; index++) input[end + index] = input[end - 2 - index] as number
      for (let index = 0; index < context; index++) stream.context[index] = input[end - context + index] as number
      state.set(stream.state, lane * sileroState)
    }
    const answer = await (sampleRateHz === 16000 ? this.wide : this.narrow).run({
      input: new Tensor('float32', input.subarray(0, count * width), [count, width]),
      state: new Tensor('float32', state.subarray(0, count * sileroState), [count, sileroState]),
    })
    const output = answer.output?.data as Float32Array
    const next = answer.stateN?.data as Float32Array
    for (let lane = 0; lane < count; lane++) {
      const stream = streams[lane] as SileroStream
      probabilities[lane] = output[lane] as number
      for (let index = 0, from = lane * sileroState; index < sileroState; index++, from++) {
        stream.state[index] = next[from] as number
      }
    }
  }
}
