import type { Readiness } from '#agent/provider.ts'
import { samplesToMs } from '#audio/format.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import { failed, ok, type Result } from '#base/result.ts'
import { InferenceLane, type InferenceWorker } from './inference-lane.ts'
import type { SpeechFailure } from './speech-failure.ts'

/**
 * Speech to text for all calls, in a worker of its own: a transcript that waits for another call's sentence to be spoken
 * (250 ms and more) would be heard as a slow answer. Figures: `scripts/bench/speech.ts`.
 */
export interface RecognitionOptions {
  readonly clock: Clock
  readonly log: Log
  /** Of a Moonshine model: encoder_model.ort, decoder_model_merged.ort, tokenizer.bin. */
  readonly folder: string
  /** ONNX threads; one keeps the cores free for audio. */
  readonly threads?: number
  /** Jobs that may wait. */
  readonly queueMax?: number
  readonly random?: Random
  readonly createWorker?: () => InferenceWorker
}

export interface Transcription {
  /** Empty when no words were heard. */
  readonly text: string
  /** Length of the audio. */
  readonly audioMs: Milliseconds
  /** Time in the worker, waiting not counted. */
  readonly durationMs: Milliseconds
  /** The model went round in circles; the text was cut back. */
  readonly looped: boolean
}

/** Longer speech makes the model go round in circles: cut it at a pause. */
export const utteranceMsMax: Milliseconds = 30_000
const defaultQueueMax = 64

export class Recognition {
  private readonly lane: InferenceLane

  constructor(options: RecognitionOptions) {
    const { folder, threads = 1, queueMax = defaultQueueMax, ...rest } = options
    this.lane = new InferenceLane({
      ...rest,
      name: 'recognition',
      queueMax,
      load: { type: 'load_recognition', folder, threads },
    })
  }

  /** Begins loading in the background; idempotent, never throws. */
  start(): void {
    this.lane.start()
  }

  get readiness(): Readiness {
    return this.lane.readiness
  }

  get stats(): { readonly waiting: number; readonly restarts: number } {
    return { waiting: this.lane.waiting, restarts: this.lane.restarts }
  }

  /**
   * @param samples up to 30 s at any rate; an array that fills its buffer is given away
   * @param signal aborts a job that waits at once, and one that runs at its next token
   */
  async transcribe(
    samples: Int16Array<ArrayBuffer>,
    sampleRateHz: number,
    signal: AbortSignal,
  ): Promise<Result<Transcription, SpeechFailure>> {
    const audioMs = samplesToMs(samples.length, sampleRateHz)
    if (audioMs > utteranceMsMax) return failed({ code: 'too_long', message: `${Math.round(audioMs)} ms of speech` })
    if (samples.length === 0) return ok({ text: '', audioMs, durationMs: 0, looped: false })
    const transfer = samples.byteLength === samples.buffer.byteLength ? [samples.buffer] : []
    const result = await this.lane.submit(
      (job) => ({ type: 'transcribe', job, samples, sampleRateHz }),
      transfer,
      signal,
    )
    if (!result.ok) return result
    const { answer, runMs } = result.value
    if (answer.type !== 'transcribed') return failed({ code: 'failed', message: 'an answer of another kind' })
    return ok({ text: answer.text, audioMs, durationMs: runMs, looped: answer.looped })
  }

  /** Idempotent. */
  close(): Promise<void> {
    return this.lane.close()
  }
}
