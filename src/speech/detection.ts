import type { Readiness } from '#agent/provider.ts'
import { assert } from '#base/assert.ts'
import { Backoff } from '#base/backoff.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import { type Random, systemRandom } from '#base/random.ts'
import { messageOf } from '#base/result.ts'
import { DetectionMemory, type DetectionRateHz, ringWindows, windowSamples } from './detection-memory.ts'
import type { FromDetectionWorker, ToDetectionWorker } from './detection-wire.ts'
import type { DetectionListener, DetectionSession, DetectionStats, SpeechDetector } from './detector.ts'
import { EnergyDetector } from './energy-detector.ts'
import { workerUrl } from './executable.ts'

/**
 * Speech detection for all calls, the main thread's side. `push` only copies samples into shared memory; one message
 * every 8 ms tells the worker that windows are due, whatever the number of calls; the verdicts come back as one message
 * per batch. Nothing is allocated per frame.
 *
 * When the worker dies a new one takes over the same memory: open sessions go on, with the model's memory of them lost.
 * Where the model has never loaded, speech is told by its loudness instead (`energy-detector.ts`), and the log says so.
 * Where it once did, a failed load is a failure like any other: open sessions can't change over to another detector.
 */
const wakeEveryMs: Milliseconds = 8
/** Loading takes a quarter of a second; a busy machine with a cold disk may take some. */
const loadMaxMs: Milliseconds = 30_000
/** A worker that was woken and has judged nothing for so long is taken for dead: a batch of 64 takes 3 ms. */
const stallMs: Milliseconds = 3_000
const restartFirstMs: Milliseconds = 200
const restartMaxMs: Milliseconds = 10_000

/** What a test can put in the worker's place. */
export interface DetectionWorker {
  postMessage(message: ToDetectionWorker): void
  terminate(): void
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
  private readonly memory: DetectionMemory
  private readonly slots: (Slot | null)[]
  private readonly free: number[]
  private readonly backoff: Backoff
  private readonly createWorker: () => DetectionWorker
  private worker: DetectionWorker | null = null
  private phase: 'idle' | 'loading' | 'ready' | 'waiting' | 'fallback' | 'closed' = 'idle'
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
    const slot = new Slot(this.memory, index, owner, sampleRateHz, listener, {
      onWindow: () => {
        this.due = true
      },
      onDropped: () => {
        this.droppedWindows += 1
      },
      onClose: () => this.release(index),
    })
    this.slots[index] = slot
    this.ticker ??= this.clock.every(wakeEveryMs, (now) => this.tick(now))
    return slot
  }

  async close(): Promise<void> {
    if (this.phase === 'closed') return
    this.phase = 'closed'
    for (const slot of this.slots) slot?.close()
    await this.fallback.close()
    this.restartTimer?.[Symbol.dispose]()
    this.dropWorker()
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
      if (current()) this.fail('ended')
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
    this.dropWorker()
    this.phase = 'fallback'
    this.log.error('the speech detection model cannot run on this machine: speech is told by its loudness', {
      error: reason,
    })
  }

  private fail(reason: string): void {
    this.dropWorker()
    this.phase = 'waiting'
    this.restarts += 1
    const waitMs = this.backoff.next()
    this.log.warn('speech detection worker ended, starting another', { reason, waitMs: Math.round(waitMs) })
    this.restartTimer = this.clock.after(waitMs, () => this.spawn())
  }

  private dropWorker(): void {
    const worker = this.worker
    this.loadTimer?.[Symbol.dispose]()
    this.worker = null
    worker?.terminate()
  }
}

interface SlotOwner {
  readonly onWindow: () => void
  readonly onDropped: () => void
  readonly onClose: () => void
}

/** One call's place in the shared memory. */
class Slot implements DetectionSession {
  private readonly memory: DetectionMemory
  private readonly index: number
  private readonly owner: number
  private readonly windowLength: number
  private readonly listener: DetectionListener
  private readonly notify: SlotOwner
  /** By place in the ring: how many samples had been pushed when the window there was complete. */
  private readonly endSamples = new Float64Array(ringWindows)
  private pushed = 0
  private filled = 0
  private delivered: number
  private closed = false

  constructor(
    memory: DetectionMemory,
    index: number,
    owner: number,
    sampleRateHz: DetectionRateHz,
    listener: DetectionListener,
    notify: SlotOwner,
  ) {
    this.memory = memory
    this.index = index
    this.owner = owner
    this.windowLength = windowSamples(sampleRateHz)
    this.listener = listener
    this.notify = notify
    this.delivered = Atomics.load(memory.written, index)
  }

  push(samples: Int16Array): 'sent' | 'full' {
    const { memory, index } = this
    if (this.closed) return 'full'
    let answer: 'sent' | 'full' = 'sent'
    let written = Atomics.load(memory.written, index)
    let window = memory.windowIndex(index, written)
    let target = memory.sampleOffset(window)
    for (let at = 0; at < samples.length; ) {
      const count = Math.min(samples.length - at, this.windowLength - this.filled)
      const full = this.backlog(written) >= ringWindows
      if (full) answer = 'full'
      else copy(samples, at, memory.samples, target + this.filled, count)
      at += count
      this.pushed += count
      this.filled += count
      if (this.filled < this.windowLength) continue
      this.filled = 0
      if (full) {
        this.notify.onDropped()
        continue
      }
      memory.owners[window] = this.owner
      this.endSamples[written & (ringWindows - 1)] = this.pushed
      written = (written + 1) | 0
      Atomics.store(memory.written, index, written)
      window = memory.windowIndex(index, written)
      target = memory.sampleOffset(window)
      this.notify.onWindow()
    }
    return answer
  }

  /** Places in the ring that can't be written yet: not judged, or judged and not handed out. */
  private backlog(written: number): number {
    const judged = Atomics.load(this.memory.done, this.index)
    // Behind our beginning the worker is still at windows that an earlier owner left.
    const oldest = ((judged - this.delivered) | 0) < 0 ? judged : this.delivered
    return (written - oldest) | 0
  }

  /** Hands out the verdicts that have come; those of the slot's earlier owner are passed over. */
  deliver(): number {
    const { memory, index } = this
    const done = Atomics.load(memory.done, index)
    let count = 0
    // The worker may still be at windows that an earlier owner left: it is then behind our beginning.
    while (!this.closed && ((done - this.delivered) | 0) > 0) {
      const window = memory.windowIndex(index, this.delivered)
      assert(memory.owners[window] === this.owner, 'a window after the opening belongs to the session')
      const end = this.endSamples[this.delivered & (ringWindows - 1)] as number
      this.delivered = (this.delivered + 1) | 0
      count += 1
      this.listener(memory.probabilities[window] as number, end)
    }
    return count
  }

  close(): void {
    if (this.closed) return
    this.closed = true
    this.notify.onClose()
  }
}

/** By hand where it is a part of the source: a view for each frame would cost more than its copying. */
function copy(source: Int16Array, from: number, target: Int16Array, to: number, count: number): void {
  if (count === source.length) target.set(source, to)
  else for (let index = 0; index < count; index++) target[to + index] = source[from + index] as number
}
