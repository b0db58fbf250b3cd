import type { Readiness } from '#agent/provider.ts'
import { Backoff } from '#base/backoff.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import { type Random, systemRandom } from '#base/random.ts'
import { messageOf } from '#base/result.ts'
import { DetectionMemory, type DetectionRateHz } from './detection-memory.ts'
import { DetectionSlot } from './detection-slot.ts'
import type { FromDetectionWorker, ToDetectionWorker } from './detection-wire.ts'
import type { DetectionListener, DetectionSession, DetectionStats, SpeechDetector } from './detector.ts'
import { EnergyDetector } from './energy-detector.ts'
import { workerUrl } from './executable.ts'
import { WorkerExit } from './worker-exit.ts'

/**
 * Speech detection for all calls, the main thread's side. `push` only copies samples into shared memory; one message
 * every 8 or 16 ms tells the worker that windows are due, whatever the number of calls; the verdicts come back as one
 * message per batch. Nothing is allocated per frame.
 *
 * When the worker dies or hangs a new one takes over a copy of its memory, for one that hangs may still write into its
 * own: open sessions go on, with the model's memory of them lost.
 * Where the model has never loaded, speech is told by its loudness instead (`energy-detector.ts`), and the log says so.
 * Where it once did, a failed load is a failure like any other: open sessions can't change over to another detector.
 */
/** Loading takes a quarter of a second; a busy machine with a cold disk may take some. */
const loadMaxMs: Milliseconds = 30_000
/** A worker that was woken and has judged nothing for so long is taken for dead: a batch of 64 takes 1 ms. */
const stallMs: Milliseconds = 3_000
const restartFirstMs: Milliseconds = 200
const restartMaxMs: Milliseconds = 10_000

/** From here on fewer wake-ups are worth 4 ms of a verdict: 8 ms bring a dozen windows, and a batch takes 64. */
const manySessions = 50

/** How long windows may wait for others to be judged with them. */
export function wakeAfterMs(openSessions: number): Milliseconds {
  return openSessions < manySessions ? 8 : 16
}

/** What a test can put in the worker's place. */
export interface DetectionWorker {
  postMessage(message: ToDetectionWorker): void
  onmessage: ((event: MessageEvent<FromDetectionWorker>) => void) | null
  onerror: ((event: ErrorEvent) => void) | null
  addEventListener(type: 'close', listener: () => void): void
}

export interface SpeechDetectionOptions {
  readonly clock: Clock
  readonly log: Log
  /** Calls at once. */
  readonly capacity: number
  readonly random?: Random
  readonly createWorker?: () => DetectionWorker
}

export class SpeechDetection implements SpeechDetector {
  private readonly clock: Clock
  private readonly log: Log
  private memory: DetectionMemory
  private readonly slots: (DetectionSlot | null)[]
  private readonly free: number[]
  private readonly backoff: Backoff
  private readonly createWorker: () => DetectionWorker
  private readonly exit: WorkerExit
  private worker: DetectionWorker | null = null
  private phase: 'idle' | 'loading' | 'ready' | 'waiting' | 'stuck' | 'fallback' | 'closed' = 'idle'
  private readonly fallback: EnergyDetector
  /** The model has loaded once in this process's life. */
  private everReady = false
  private ticker: Disposable | null = null
  private restartTimer: Disposable | null = null
  private loadTimer: Disposable | null = null
  /** Windows that no wake-up has announced yet. */
  private due = false
  /** Since when the worker owes a verdict; null when it owes none. */
  private owedSinceMs: Milliseconds | null = null
  private nextOwner = 0
  private windows = 0
  private droppedWindows = 0
  private restarts = 0

  constructor(options: SpeechDetectionOptions) {
    this.clock = options.clock
    this.log = options.log
    this.memory = new DetectionMemory(options.capacity)
    this.exit = new WorkerExit(options.clock, () => {
      if (this.phase === 'stuck') this.spawn()
    })
    this.fallback = new EnergyDetector({ capacity: options.capacity })
    this.slots = Array.from({ length: options.capacity }, () => null)
    // Taken from the end: slot 0 first.
    this.free = Array.from({ length: options.capacity }, (_, index) => options.capacity - 1 - index)
    this.backoff = new Backoff(restartFirstMs, restartMaxMs, options.random ?? systemRandom)
    this.createWorker =
      options.createWorker ?? (() => new Worker(workerUrl('detection-worker')) as unknown as DetectionWorker)
  }

  start(): void {
    if (this.phase === 'idle') this.spawn()
  }

  get readiness(): Readiness {
    return this.describe()
  }

  private describe(): Readiness {
    switch (this.phase) {
      case 'ready':
      case 'fallback':
        return { ready: true }
      case 'idle':
      case 'loading':
        return { ready: false, reason: 'speech detection is loading' }
      case 'waiting':
        return { ready: false, reason: 'speech detection ended unexpectedly and is being started again' }
      case 'stuck':
        return { ready: false, reason: `speech detection hangs: ${this.exit.leaving} of its workers do not end` }
      case 'closed':
        return { ready: false, reason: 'speech detection is closed' }
    }
  }

  get stats(): DetectionStats {
    if (this.phase === 'fallback') return this.fallback.stats
    const open = this.slots.length - this.free.length
    return { open, windows: this.windows, droppedWindows: this.droppedWindows, restarts: this.restarts }
  }

  open(sampleRateHz: DetectionRateHz, listener: DetectionListener): DetectionSession | null {
    if (this.phase === 'fallback') return this.fallback.open(sampleRateHz, listener)
    if (this.phase !== 'ready') return null
    const index = this.free.pop()
    if (index === undefined) return null
    // 30 bits: beside the rate's bit it fits the shared word. It comes round after 10⁹ calls.
    this.nextOwner = (this.nextOwner + 1) & 0x3fffffff
    const owner = this.nextOwner * 2 + (sampleRateHz === 16000 ? 1 : 0)
    const slot = new DetectionSlot(this.memory, index, owner, sampleRateHz, listener, {
      onWindow: () => {
        this.due = true
      },
      onDropped: () => {
        this.droppedWindows += 1
      },
      onClose: () => this.release(index),
    })
    this.slots[index] = slot
    if (this.ticker === null) this.armTicker()
    return slot
  }

  async close(): Promise<void> {
    if (this.phase === 'closed') return
    this.phase = 'closed'
    for (const slot of this.slots) slot?.close()
    this.restartTimer?.[Symbol.dispose]()
    await Promise.all([this.dropWorker(), this.fallback.close()])
  }

  /** Each wait is set anew, for it follows the number of calls; that lateness adds up does no harm here. */
  private armTicker(): void {
    this.ticker = this.clock.after(wakeAfterMs(this.slots.length - this.free.length), () => {
      this.armTicker()
      this.tick(this.clock.now())
    })
  }

  private release(index: number): void {
    this.slots[index] = null
    this.free.push(index)
    if (this.free.length < this.slots.length) return
    // Nobody is left: no timer runs.
    this.ticker?.[Symbol.dispose]()
    this.ticker = null
    this.owedSinceMs = null
  }

  private tick(nowMs: Milliseconds): void {
    if (this.phase !== 'ready') return
    if (this.due) {
      this.due = false
      if (this.behind()) this.owedSinceMs ??= nowMs
      this.worker?.postMessage('wake')
    }
    if (this.owedSinceMs !== null && nowMs - this.owedSinceMs > stallMs) this.fail('stalled')
  }

  /** Is any window announced and not judged? */
  private behind(): boolean {
    const { memory } = this
    for (let slot = 0; slot < memory.capacity; slot++) {
      if (Atomics.load(memory.written, slot) !== Atomics.load(memory.done, slot)) return true
    }
    return false
  }

  private spawn(): void {
    if (this.exit.full) {
      this.phase = 'stuck'
      this.log.error('speech detection hangs: too many of its workers do not end', { workers: this.exit.leaving })
      return
    }
    this.phase = 'loading'
    let worker: DetectionWorker
    try {
      worker = this.createWorker()
    } catch (thrown) {
      this.notLoaded(messageOf(thrown))
      return
    }
    this.worker = worker
    const current = () => this.worker === worker
    worker.onmessage = (event) => {
      if (current()) this.heard(event.data)
    }
    worker.onerror = (event) => {
      if (current()) this.fail(event.message)
    }
    worker.addEventListener('close', () => {
      if (!current()) return
      this.worker = null
      this.fail('ended')
    })
    this.loadTimer = this.clock.after(loadMaxMs, () => {
      if (current() && this.phase === 'loading') this.fail(`did not load within ${loadMaxMs} ms`)
    })
  }

  private heard(message: FromDetectionWorker): void {
    if (message === 'judged') {
      this.owedSinceMs = this.behind() ? this.clock.now() : null
      this.backoff.reset()
      for (const slot of this.slots) if (slot !== null) this.windows += slot.deliver()
    } else if (message === 'ready') {
      this.phase = 'ready'
      this.loadTimer?.[Symbol.dispose]()
      this.everReady = true
      this.owedSinceMs = null
      // What came in while there was no worker.
      this.due = true
    } else if (message === 'listening') {
      this.worker?.postMessage({ capacity: this.memory.capacity, buffer: this.memory.buffer })
    } else {
      this.notLoaded(message.failed)
    }
  }

  private notLoaded(reason: string): void {
    if (this.everReady) {
      this.fail(reason)
      return
    }
    void this.dropWorker()
    this.phase = 'fallback'
    this.log.error('the speech detection model cannot run on this machine: speech is told by its loudness', {
      error: reason,
    })
  }

  private fail(reason: string): void {
    void this.dropWorker()
    this.memory = this.memory.copy()
    for (const slot of this.slots) slot?.moveTo(this.memory)
    this.phase = 'waiting'
    this.restarts += 1
    const waitMs = this.backoff.next()
    this.log.warn('speech detection worker ended, starting another', { reason, waitMs: Math.round(waitMs) })
    this.restartTimer = this.clock.after(waitMs, () => this.spawn())
  }

  private async dropWorker(): Promise<void> {
    const { worker } = this
    this.worker = null
    this.loadTimer?.[Symbol.dispose]()
    if (worker !== null) await this.exit.leave(worker, () => worker.postMessage('stop'))
  }
}
