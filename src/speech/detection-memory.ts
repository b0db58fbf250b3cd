/**
 * The memory that the main thread and the detection worker share: for each slot (one call) a ring of audio windows,
 * and for each window its verdict. Nothing on it is locked: the main thread alone writes samples, owners and `written`;
 * the worker alone writes probabilities and `done`; both counters only grow and are read and written atomically.
 *
 * A window carries the session it belongs to. A slot that changes hands keeps its counters, so a verdict that is still
 * on its way bears its old owner's number and is told apart.
 *
 * Arithmetic: 16 windows of 32 ms are half a second of backlog; a slot takes 16 × 512 × 2 = 16 KiB.
 */
export const ringWindows = 16
/** Silero v5 judges 32 ms at a time: 256 samples at 8 kHz, 512 at 16 kHz. */
export const windowMs = 32
const windowSamplesMax = 512

export type DetectionRateHz = 8000 | 16000

export function windowSamples(sampleRateHz: DetectionRateHz): number {
  return sampleRateHz === 16000 ? windowSamplesMax : windowSamplesMax / 2
}

/** The end of the window before, which the model takes before each window. */
export function contextSamples(sampleRateHz: DetectionRateHz): number {
  return sampleRateHz === 16000 ? 64 : 32
}

export class DetectionMemory {
  readonly capacity: number
  readonly buffer: SharedArrayBuffer
  /** Windows complete so far, by slot; wraps as 32-bit numbers do, after four years of one slot's speech. */
  readonly written: Int32Array
  /** Windows judged so far, by slot. */
  readonly done: Int32Array
  /** By window: the session's number × 2, plus 1 at 16 kHz. */
  readonly owners: Int32Array
  /** By window: 0 to 1. */
  readonly probabilities: Float32Array
  readonly samples: Int16Array

  constructor(capacity: number, buffer?: SharedArrayBuffer) {
    const windows = capacity * ringWindows
    const bytes = [capacity * 4, capacity * 4, windows * 4, windows * 4, windows * windowSamplesMax * 2] as const
    const total = bytes.reduce((sum, part) => sum + part, 0)
    this.capacity = capacity
    this.buffer = buffer ?? new SharedArrayBuffer(total)
    let offset = 0
    const place = (size: number) => {
      offset += size
      return offset - size
    }
    this.written = new Int32Array(this.buffer, place(bytes[0]), capacity)
    this.done = new Int32Array(this.buffer, place(bytes[1]), capacity)
    this.owners = new Int32Array(this.buffer, place(bytes[2]), windows)
    this.probabilities = new Float32Array(this.buffer, place(bytes[3]), windows)
    this.samples = new Int16Array(this.buffer, place(bytes[4]), windows * windowSamplesMax)
  }

  /**
   * Another memory with the same content, for a worker may still write into this one. `done` is copied before the
   * probabilities, as it lies before them: what counts as judged has its verdict.
   */
  copy(): DetectionMemory {
    const buffer = new SharedArrayBuffer(this.buffer.byteLength)
    new Uint8Array(buffer).set(new Uint8Array(this.buffer))
    return new DetectionMemory(this.capacity, buffer)
  }

  /** Where the `count`th window of a slot lies among all windows. */
  windowIndex(slot: number, count: number): number {
    return slot * ringWindows + (count & (ringWindows - 1))
  }

  /** Where its samples begin. */
  sampleOffset(windowIndex: number): number {
    return windowIndex * windowSamplesMax
  }
}
