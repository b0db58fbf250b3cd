import { type AudioFrame, type SampleRateHz, samplesPerFrame } from './format.ts'

/**
 * Cuts a stream of chunks of any size into whole frames of one ptime. What is left over waits for the next chunk, or is
 * padded with silence by `flush`, so that an utterance never ends in a click or a stranded tail.
 */
export class Reframer {
  private readonly sampleRateHz: SampleRateHz
  private readonly pending: Int16Array
  private filled = 0

  constructor(sampleRateHz: SampleRateHz) {
    this.sampleRateHz = sampleRateHz
    this.pending = new Int16Array(samplesPerFrame(sampleRateHz))
  }

  /** Nothing is left over: the next whole frame needs no cutting. */
  get empty(): boolean {
    return this.filled === 0
  }

  /** Calls `emit` for each whole frame; the frame is a view, valid only during the call. */
  push(samples: Int16Array, emit: (frame: AudioFrame) => void): void {
    const { pending, sampleRateHz } = this
    let offset = 0
    if (this.filled > 0) {
      const take = Math.min(pending.length - this.filled, samples.length)
      pending.set(samples.subarray(0, take), this.filled)
      this.filled += take
      offset = take
      if (this.filled < pending.length) return
      this.filled = 0
      emit({ sampleRateHz, samples: pending })
    }
    for (; offset + pending.length <= samples.length; offset += pending.length) {
      emit({ sampleRateHz, samples: samples.subarray(offset, offset + pending.length) })
    }
    pending.set(samples.subarray(offset), 0)
    this.filled = samples.length - offset
  }

  /** Emits the last part frame, padded with silence. */
  flush(emit: (frame: AudioFrame) => void): void {
    if (this.filled === 0) return
    this.pending.fill(0, this.filled)
    this.filled = 0
    emit({ sampleRateHz: this.sampleRateHz, samples: this.pending })
  }

  clear(): void {
    this.filled = 0
  }
}
