import type { Readiness } from '#agent/provider.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import { InferenceLane, type InferenceWorker } from './inference-lane.ts'
import type { ModelStore } from './model-store.ts'
import { ModelWait } from './model-wait.ts'

/**
 * The judge of overlaps by their words, for all calls, in a worker of its own: behind a recognition or the end of a turn
 * its answer would come when the caller has long been interrupted by the agent. An answer takes 15 ms of a core; one
 * that comes late is worth nothing, so few questions may wait.
 */
export interface OverlapJudgeOptions {
  readonly clock: Clock
  readonly log: Log
  readonly store: ModelStore
  /** ONNX threads; one keeps the cores free for audio. */
  readonly threads?: number
  readonly random?: Random
  readonly createWorker?: () => InferenceWorker
}

export interface OverlapJudgeStats {
  readonly waiting: number
  readonly restarts: number
  /** Questions answered, and not: not ready, too much to do, too late, failed. */
  readonly judged: number
  readonly unanswered: number
  /** Time in the worker of the last answer; 0 before the first. */
  readonly lastRunMs: Milliseconds
}

/** A name in `models/registry.json`, and the one file of it that is needed. */
export const overlapModelId = 'moonshine-tiny-en'
const encoderFile = 'encoder_model.ort'
/** By then another question about the same voice has more of it. */
const deadlineMs: Milliseconds = 200
const queueMax = 16

export class OverlapJudge {
  private readonly clock: Clock
  private readonly lane: InferenceLane
  private readonly models: ModelWait
  private judged = 0
  private unanswered = 0
  private lastRunMs: Milliseconds = 0

  constructor(options: OverlapJudgeOptions) {
    const { store, threads = 1, ...rest } = options
    this.clock = options.clock
    const encoder = store.path(overlapModelId, encoderFile)
    this.lane = new InferenceLane({
      ...rest,
      name: 'overlaps',
      queueMax,
      load: { type: 'load_overlap', encoder, threads },
    })
    this.models = new ModelWait(store, [overlapModelId], options.clock, () => this.lane.start())
  }

  /** Begins in the background, as soon as the model is in the store; idempotent, never throws. */
  start(): void {
    this.models.start()
  }

  readiness(): Readiness {
    return this.models.readiness.ready ? this.lane.readiness : this.models.readiness
  }

  get stats(): OverlapJudgeStats {
    const { judged, unanswered, lastRunMs } = this
    return { waiting: this.lane.waiting, restarts: this.lane.restarts, judged, unanswered, lastRunMs }
  }

  /**
   * @param samples from a little before the onset to now; given away
   * @returns probabilities of an interruption, a backchannel and a noise; null where there is no answer in time
   */
  async judge(samples: Int16Array<ArrayBuffer>, sampleRateHz: number): Promise<Float32Array | null> {
    const abort = new AbortController()
    using _deadline = this.clock.after(deadlineMs, () => abort.abort())
    const result = await this.lane.submit(
      (job) => ({ type: 'judge_overlap', job, samples, sampleRateHz }),
      [samples.buffer],
      abort.signal,
    )
    if (!result.ok || result.value.answer.type !== 'overlap_judged') {
      this.unanswered += 1
      return null
    }
    this.judged += 1
    this.lastRunMs = result.value.runMs
    return result.value.answer.probabilities
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.models.close()
    await this.lane.close()
  }
}
