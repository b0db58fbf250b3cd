import { assert } from '#base/assert.ts'
import { type DetectionMemory, type DetectionRateHz, ringWindows, windowSamples } from './detection-memory.ts'
import type { DetectionListener, DetectionSession } from './detector.ts'

export interface SlotOwner {
  readonly onWindow: () => void
  readonly onDropped: () => void
  readonly onClose: () => void
}

/** One call's place in the shared memory: the main thread's side of it. */
export class DetectionSlot implements DetectionSession {
  private memory: DetectionMemory
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

  /** Goes on in a copy of the memory, with the same counters. */
  moveTo(memory: DetectionMemory): void {
    this.memory = memory
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
