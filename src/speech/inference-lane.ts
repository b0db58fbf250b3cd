import type { Readiness } from '#agent/provider.ts'
import { Backoff } from '#base/backoff.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import { type Random, systemRandom } from '#base/random.ts'
import { failed, messageOf, ok, type Result } from '#base/result.ts'
import { workerUrl } from './executable.ts'
import type { FromInferenceWorker, ToInferenceWorker } from './inference-wire.ts'
import type { SpeechFailure } from './speech-failure.ts'
import { WorkerExit } from './worker-exit.ts'

/**
 * One inference worker and the queue before it: first come, first served, one job in the worker at a time, so that a job
 * that isn't wanted any more leaves the queue at once. The queue is bounded; a job that finds it full is told so.
 * When the worker dies or hangs its job fails, the queue stays, and a new worker is started.
 */
export interface LaneOptions {
  readonly name: string
  readonly load: ToInferenceWorker
  readonly clock: Clock
  readonly log: Log
  readonly queueMax: number
  readonly random?: Random
  readonly createWorker?: () => InferenceWorker
}

/** What a test can put in the worker's place. */
export interface InferenceWorker {
  postMessage(message: ToInferenceWorker, transfer?: ArrayBuffer[]): void
  onmessage: ((event: MessageEvent<FromInferenceWorker>) => void) | null
  onerror: ((event: ErrorEvent) => void) | null
  addEventListener(type: 'close', listener: () => void): void
}

export type LaneAnswer = Extract<
  FromInferenceWorker,
  { readonly type: 'transcribed' | 'synthesized' | 'judged' | 'overlap_judged' }
>
export type LaneResult = Result<{ readonly answer: LaneAnswer; readonly runMs: Milliseconds }, SpeechFailure>

interface Job {
  readonly id: number
  readonly message: ToInferenceWorker
  readonly transfer: ArrayBuffer[]
  readonly settle: (result: LaneResult) => void
}

/** A run of 30 s of speech takes 2 s on one busy core; what takes this long has hung. */
const jobDeadlineMs: Milliseconds = 60_000
/** The largest model, from the slowest disk. */
const loadDeadlineMs: Milliseconds = 120_000

export class InferenceLane {
  private readonly options: LaneOptions
  private readonly backoff: Backoff
  private readonly queue: Job[] = []
  private running: { readonly job: Job; readonly sinceMs: Milliseconds; readonly deadline: Disposable } | null = null
  private readonly exit: WorkerExit
  private worker: InferenceWorker | null = null
  private phase: 'idle' | 'loading' | 'ready' | 'waiting' | 'stuck' | 'broken' | 'closed' = 'idle'
  private brokenReason = ''
  private timer: Disposable | null = null
  /** Jobs are taken while a worker that once stood is being replaced. */
  private everReady = false
  private nextJob = 1
  private restartCount = 0

  constructor(options: LaneOptions) {
    this.options = options
    this.backoff = new Backoff(500, 30_000, options.random ?? systemRandom)
    this.exit = new WorkerExit(options.clock, () => {
      if (this.phase === 'stuck') this.spawn()
    })
  }

  start(): void {
    if (this.phase === 'idle') this.spawn()
  }

  get readiness(): Readiness {
    return this.describe()
  }

  private describe(): Readiness {
    const { name } = this.options
    switch (this.phase) {
      case 'ready':
        return { ready: true }
      case 'idle':
      case 'loading':
        return { ready: false, reason: `${name} is loading its model` }
      case 'waiting':
        return { ready: false, reason: `${name} ended unexpectedly and is being started again` }
      case 'stuck':
        return { ready: false, reason: this.stuckReason() }
      case 'broken':
        return { ready: false, reason: `${name} can't load its model: ${this.brokenReason}` }
      case 'closed':
        return { ready: false, reason: `${name} is closed` }
    }
  }

  private stuckReason(): string {
    return `${this.options.name} hangs: ${this.exit.leaving} of its workers do not end`
  }

  /** Jobs that wait, the one in the worker not counted. */
  get waiting(): number {
    return this.queue.length
  }

  get restarts(): number {
    return this.restartCount
  }

  /** @param make builds the message under the number the job gets; buffers in `transfer` are given away */
  submit(make: (job: number) => ToInferenceWorker, transfer: ArrayBuffer[], signal: AbortSignal): Promise<LaneResult> {
    const { name } = this.options
    if (signal.aborted) return Promise.resolve(cancelled())
    if (!this.everReady || this.phase === 'stuck' || this.phase === 'broken' || this.phase === 'closed')
      return Promise.resolve(failed({ code: 'not_ready', message: `${name} is not ready` }))
    if (this.queue.length >= this.options.queueMax)
      return Promise.resolve(failed({ code: 'overloaded', message: `${name} has ${this.queue.length} jobs waiting` }))
    return new Promise((resolve) => {
      const id = this.nextJob++
      const onAbort = () => this.cancel(id)
      signal.addEventListener('abort', onAbort, { once: true })
      const settle = (result: LaneResult) => {
        signal.removeEventListener('abort', onAbort)
        // Whoever cancelled gets no audio, even when it was ready in the same moment.
        resolve(signal.aborted ? cancelled() : result)
      }
      this.queue.push({ id, message: make(id), transfer, settle })
      this.next()
    })
  }

  async close(): Promise<void> {
    if (this.phase === 'closed') return
    this.phase = 'closed'
    this.timer?.[Symbol.dispose]()
    const left = this.dropWorker()
    const closed = failed({ code: 'cancelled', message: `${this.options.name} is closed` } as const)
    this.finish(closed)
    for (const job of this.queue.splice(0)) job.settle(closed)
    await left
  }

  private next(): void {
    if (this.running !== null || this.phase !== 'ready') return
    const job = this.queue.shift()
    if (job === undefined) return
    const deadline = this.options.clock.after(jobDeadlineMs, () => this.fail('a job did not end'))
    this.running = { job, sinceMs: this.options.clock.now(), deadline }
    this.worker?.postMessage(job.message, job.transfer)
  }

  private cancel(id: number): void {
    const index = this.queue.findIndex((job) => job.id === id)
    if (index >= 0) this.queue.splice(index, 1)[0]?.settle(cancelled())
    else if (this.running?.job.id === id) {
      this.worker?.postMessage({ type: 'cancel', job: id })
      // The worker may need a moment to stop; its answer then finds nobody waiting.
      this.running.job.settle(cancelled())
    }
  }

  private finish(result: LaneResult): void {
    const { running } = this
    if (running === null) return
    this.running = null
    running.deadline[Symbol.dispose]()
    running.job.settle(result)
  }

  private heard(message: FromInferenceWorker): void {
    switch (message.type) {
      case 'listening':
        this.worker?.postMessage(this.options.load)
        return
      case 'ready':
        this.timer?.[Symbol.dispose]()
        this.phase = 'ready'
        this.everReady = true
        break
      case 'load_failed':
        this.notLoaded(message.message)
        return
      case 'transcribed':
      case 'synthesized':
      case 'judged':
      case 'overlap_judged':
        this.backoff.reset()
        this.finish(ok({ answer: message, runMs: this.options.clock.now() - (this.running?.sinceMs ?? 0) }))
        break
      case 'cancelled':
        this.finish(cancelled())
        break
      case 'job_failed':
        this.finish(failed({ code: 'failed', message: message.message }))
    }
    this.next()
  }

  private spawn(): void {
    if (this.exit.full) {
      this.phase = 'stuck'
      const message = this.stuckReason()
      this.options.log.error('inference hangs, no other worker is started', { lane: this.options.name, error: message })
      for (const job of this.queue.splice(0)) job.settle(failed({ code: 'not_ready', message }))
      return
    }
    this.phase = 'loading'
    let worker: InferenceWorker
    try {
      worker =
        this.options.createWorker?.() ?? (new Worker(workerUrl('inference-worker')) as unknown as InferenceWorker)
    } catch (thrown) {
      this.notLoaded(messageOf(thrown))
      return
    }
    this.worker = worker
    this.timer = this.options.clock.after(loadDeadlineMs, () => this.fail('it did not load'))
    worker.onmessage = (event) => {
      if (this.worker === worker) this.heard(event.data)
    }
    worker.onerror = (event) => {
      if (this.worker === worker) this.fail(event.message)
    }
    worker.addEventListener('close', () => {
      if (this.worker !== worker) return
      this.worker = null
      this.fail('ended')
    })
  }

  /** A model that has loaded before will again: what kept it from it, memory for instance, passes. */
  private notLoaded(reason: string): void {
    if (this.everReady) {
      this.fail(reason)
      return
    }
    void this.dropWorker()
    this.phase = 'broken'
    this.brokenReason = reason
    this.options.log.error('speech model cannot be loaded', { lane: this.options.name, error: reason })
    for (const job of this.queue.splice(0)) job.settle(failed({ code: 'not_ready', message: reason }))
  }

  private fail(reason: string): void {
    void this.dropWorker()
    this.phase = 'waiting'
    this.restartCount += 1
    const waitMs = this.backoff.next()
    const { log, name, clock } = this.options
    log.warn('inference worker ended, starting another', { lane: name, reason, waitMs: Math.round(waitMs) })
    this.timer = clock.after(waitMs, () => this.spawn())
    this.finish(failed({ code: 'failed', message: `${name} ended while it worked` }))
  }

  private async dropWorker(): Promise<void> {
    const { worker } = this
    this.timer?.[Symbol.dispose]()
    this.worker = null
    if (worker !== null) await this.exit.leave(worker, () => worker.postMessage({ type: 'stop' }))
  }
}

function cancelled(): { readonly ok: false; readonly error: SpeechFailure } {
  return failed({ code: 'cancelled', message: 'not wanted any more' })
}
