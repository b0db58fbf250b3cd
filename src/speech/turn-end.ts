import type { Readiness } from '#agent/provider.ts'
import { msToSamples } from '#audio/format.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import type { TurnEndModel } from '#call/turn-end-model.ts'
import { InferenceLane, type InferenceWorker } from './inference-lane.ts'
import type { ModelStore } from './model-store.ts'
import { ModelWait } from './model-wait.ts'
import { turnEndWindowMs } from './smart-turn.ts'

/**
 * The end-of-turn model for all calls, in a worker of its own: behind a recognition of 250 ms its answer would come when
 * the silence has decided already. What comes late is worth nothing, so a question that would wait too long is not
 * taken: on a machine that is asked too much, some are answered in time and not all too late.
 */
export interface TurnEndOptions {
  readonly clock: Clock
  readonly log: Log
  readonly store: ModelStore
  /** From the question to an answer that is still worth something. */
  readonly deadlineMs?: Milliseconds
  /** Questions that may wait, however fast the machine is; each keeps up to 8 s of audio. */
  readonly queueMax?: number
  /** ONNX threads; one keeps the cores free for audio. */
  readonly threads?: number
  readonly random?: Random
  readonly createWorker?: () => InferenceWorker
}

export interface TurnEndStats {
  readonly waiting: number
  readonly restarts: number
  /** Questions answered. */
  readonly judged: number
  /** Questions not answered: not ready, too much to do, failed, too late. What the call took back is not counted. */
  readonly unanswered: number
  /** Time in the worker of the last answer; 0 before the first. */
  readonly lastRunMs: Milliseconds
}

/** A name in `models/registry.json`. */
export const turnEndModelId = 'smart-turn-v3.2'
export const turnEndModelFile = 'smart-turn-v3.2-cpu.onnx'
const defaultDeadlineMs: Milliseconds = 400
const defaultQueueMax = 32

export class TurnEnd implements TurnEndModel {
  private readonly clock: Clock
  private readonly deadlineMs: Milliseconds
  private readonly lane: InferenceLane
  private readonly models: ModelWait
  private judged = 0
  private unanswered = 0
  private lastRunMs: Milliseconds = 0

  constructor(options: TurnEndOptions) {
    const { store, deadlineMs = defaultDeadlineMs, threads = 1, queueMax = defaultQueueMax, ...rest } = options
    this.clock = options.clock
    this.deadlineMs = deadlineMs
    const model = store.path(turnEndModelId, turnEndModelFile)
    this.lane = new InferenceLane({
      ...rest,
      name: 'end of turn',
      queueMax,
      load: { type: 'load_turn_end', model, threads },
    })
    this.models = new ModelWait(store, [turnEndModelId], options.clock, () => this.lane.start())
  }

  /** Begins in the background, as soon as the model is in the store; idempotent, never throws. */
  start(): void {
    this.models.start()
  }

  readiness(): Readiness {
    return this.models.readiness.ready ? this.lane.readiness : this.models.readiness
  }

  get stats(): TurnEndStats {
    const { judged, unanswered, lastRunMs } = this
    return { waiting: this.lane.waiting, restarts: this.lane.restarts, judged, unanswered, lastRunMs }
  }

  async judge(samples: Int16Array, sampleRateHz: number, signal: AbortSignal): Promise<number | null> {
    if (signal.aborted || samples.length === 0) return null
    const probability = this.wouldBeLate() ? null : await this.ask(samples, sampleRateHz, signal)
    if (probability !== null) this.judged += 1
    else if (!signal.aborted) this.unanswered += 1
    return probability
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.models.close()
    await this.lane.close()
  }

  private async ask(samples: Int16Array, sampleRateHz: number, signal: AbortSignal): Promise<number | null> {
    const newest = samples.slice(-msToSamples(turnEndWindowMs, sampleRateHz))
    const abort = new AbortController()
    const stop = () => abort.abort()
    signal.addEventListener('abort', stop, { once: true })
    using _deadline = this.clock.after(this.deadlineMs, stop)
    const result = await this.lane.submit(
      (job) => ({ type: 'judge', job, samples: newest, sampleRateHz }),
      [newest.buffer],
      abort.signal,
    )
    signal.removeEventListener('abort', stop)
    if (!result.ok || result.value.answer.type !== 'judged') return null
    this.lastRunMs = result.value.runMs
    return result.value.answer.probability
  }

  /**
   * Behind those that wait, the one that runs, and itself, at the pace of the last one. Where nobody waits it is asked in
   * any case: else one slow answer would be the last.
   */
  private wouldBeLate(): boolean {
    const { waiting } = this.lane
    return waiting > 0 && (waiting + 2) * this.lastRunMs > this.deadlineMs
  }
}
