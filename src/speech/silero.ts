import { readFileSync } from 'node:fs'
import sileroPath from '../../models/silero_vad.onnx' with { type: 'file' }
import { type DetectionRateHz, windowSamples } from './detection-memory.ts'
import { createSession, loadOnnx, type OnnxSession } from './onnx.ts'

/**
 * Silero VAD v5 (MIT, github.com/snakers4/silero-vad), many calls in one run. Shapes, for a batch of B windows:
 * `input` [B, context + window] float −1 to 1, `state` [2, B, 128], `sr` int64 scalar → `output` [B, 1] the
 * probability of speech, `stateN` [2, B, 128]. The context is the end of the window before: without it the model's
 * verdicts are worthless. 34 to 40 µs a window at a batch of 64, 120 to 170 µs alone.
 */
export const batchMax = 64
const stateSize = 128

function contextSamples(sampleRateHz: DetectionRateHz): number {
  return sampleRateHz === 16000 ? 64 : 32
}

/** What the model remembers of one call. */
export class SileroStream {
  /** Both layers, one after the other. */
  readonly state = new Float32Array(2 * stateSize)
  readonly context = new Float32Array(64)

  reset(): void {
    this.state.fill(0)
    this.context.fill(0)
  }
}

export class Silero {
  private readonly session: OnnxSession
  private readonly runtime: Awaited<ReturnType<typeof loadOnnx>>
  private readonly input = new Float32Array(batchMax * (64 + 512))
  private readonly state = new Float32Array(2 * batchMax * stateSize)

  private constructor(session: OnnxSession, runtime: Awaited<ReturnType<typeof loadOnnx>>) {
    this.session = session
    this.runtime = runtime
  }

  /** Throws when ONNX Runtime can't be loaded. */
  static async load(): Promise<Silero> {
    const runtime = await loadOnnx()
    return new Silero(await createSession(readFileSync(sileroPath), { threads: 1 }), runtime)
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
    const width = context + fresh
    for (let lane = 0; lane < count; lane++) {
      const stream = streams[lane] as SileroStream
      const start = lane * width
      const offset = offsets[lane] as number
      for (let index = 0; index < context; index++) input[start + index] = stream.context[index] as number
      for (let index = 0; index < fresh; index++) {
        input[start + context + index] = (samples[offset + index] as number) / 32768
      }
      for (let index = 0; index < context; index++) {
        stream.context[index] = input[start + width - context + index] as number
      }
      for (let index = 0; index < stateSize; index++) {
        state[lane * stateSize + index] = stream.state[index] as number
        state[(count + lane) * stateSize + index] = stream.state[stateSize + index] as number
      }
    }
    const answer = await this.session.run({
      input: new Tensor('float32', input.subarray(0, count * width), [count, width]),
      state: new Tensor('float32', state.subarray(0, 2 * count * stateSize), [2, count, stateSize]),
      sr: new Tensor('int64', BigInt64Array.of(BigInt(sampleRateHz)), []),
    })
    const output = answer.output?.data as Float32Array
    const next = answer.stateN?.data as Float32Array
    for (let lane = 0; lane < count; lane++) {
      const stream = streams[lane] as SileroStream
      probabilities[lane] = output[lane] as number
      for (let index = 0; index < stateSize; index++) {
        stream.state[index] = next[lane * stateSize + index] as number
        stream.state[stateSize + index] = next[(count + lane) * stateSize + index] as number
      }
    }
  }
}
