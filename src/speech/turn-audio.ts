import { msToSamples } from '#audio/format.ts'
import { assert } from '#base/assert.ts'
import type { Milliseconds } from '#base/clock.ts'

/**
 * The audio of one call that a recogniser may still need: while nobody speaks the last seconds, since detection says
 * "speech began 300 ms ago" only when it is sure; while a turn is under way all of it. Audio that belonged to a finished
 * turn is never given out again.
 *
 * Memory: it grows with the turn, doubling, and the owner seals a turn before it passes half a minute: at most about
 * 0.6 MB of samples at 8 kHz.
 */

/** Detection is sure of speech later than the first, soft consonant. */
const leadMs: Milliseconds = 300
/** Before a turn that begins now. What the caller said while nobody listened is handed over at once, and is more. */
const lookBackMs: Milliseconds = 5_000

export class TurnAudio {
  private readonly sampleRateHz: number
  private readonly lookBackSamples: number
  private buffer: Int16Array
  private length = 0
  /** −1 when no turn is under way. */
  private turnFrom = -1
  /** Before this everything was given out already. */
  private floor = 0
  /** What came last, all at once. */
  private newestSamples = 0

  constructor(sampleRateHz: number) {
    this.sampleRateHz = sampleRateHz
    this.lookBackSamples = msToSamples(lookBackMs, sampleRateHz)
    this.buffer = new Int16Array(this.lookBackSamples * 2)
  }

  get inTurn(): boolean {
    return this.turnFrom >= 0
  }

  /** Of the turn under way; 0 when there is none. */
  get turnSamples(): number {
    return this.inTurn ? this.length - this.turnFrom : 0
  }

  append(samples: Int16Array): void {
    if (this.length + samples.length > this.buffer.length) this.makeRoom(samples.length)
    this.buffer.set(samples, this.length)
    this.length += samples.length
    this.newestSamples = samples.length
  }

  /** A turn begins, `agoMs` before the newest audio; ignored within a turn. */
  begin(agoMs: Milliseconds): void {
    if (this.inTurn) return
    const from = this.length - msToSamples(Math.max(0, agoMs) + leadMs, this.sampleRateHz)
    this.turnFrom = Math.max(from, this.floor, this.length - Math.max(this.lookBackSamples, this.newestSamples))
  }

  /** A copy of the turn so far. */
  turn(): Int16Array<ArrayBuffer> {
    return this.inTurn ? this.buffer.slice(this.turnFrom, this.length) : new Int16Array(0)
  }

  /** Cuts the first `samples` off the turn and gives them out; the turn goes on behind them. */
  seal(samples: number): Int16Array<ArrayBuffer> {
    assert(this.inTurn && samples <= this.turnSamples, 'only audio of the turn can be sealed')
    const sealed = this.buffer.slice(this.turnFrom, this.turnFrom + samples)
    this.turnFrom += samples
    this.floor = this.turnFrom
    return sealed
  }

  /** The turn is over; what was heard so far belongs to no later one. */
  end(): void {
    this.turnFrom = -1
    this.floor = this.length
  }

  private makeRoom(wanted: number): void {
    // Everything before the turn, or before the look-back, can go.
    const keepFrom = Math.max(0, this.inTurn ? this.turnFrom : this.length - this.lookBackSamples)
    const kept = this.length - keepFrom
    if (kept + wanted > this.buffer.length / 2) {
      const grown = new Int16Array(Math.max(this.buffer.length * 2, kept + wanted))
      grown.set(this.buffer.subarray(keepFrom, this.length))
      this.buffer = grown
    } else {
      this.buffer.copyWithin(0, keepFrom, this.length)
    }
    this.length = kept
    this.floor = Math.max(0, this.floor - keepFrom)
    if (this.inTurn) this.turnFrom -= keepFrom
  }
}
