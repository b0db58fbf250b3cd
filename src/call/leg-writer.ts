import type { AudioFrame, SampleRateHz } from '#audio/format.ts'
import { samplesPerFrame } from '#audio/format.ts'
import type { Milliseconds } from '#base/clock.ts'
import type { Leg } from './leg.ts'
import type { PlayoutCounters } from './playout-contract.ts'

/** Writes frames to the leg that there is: silence to one whose channel is not in the bridge yet, and counts what left. */
export class LegWriter {
  /** Told of what the caller is given to hear, frame by frame, silence included; null where nobody compares it. */
  sent: ((samples: Int16Array) => void) | null = null
  leg: Leg | null = null
  /** A reply would go unheard there. */
  joining: Leg | null = null
  private readonly counters: PlayoutCounters
  private readonly silence: AudioFrame

  constructor(sampleRateHz: SampleRateHz, counters: PlayoutCounters) {
    this.counters = counters
    this.silence = { sampleRateHz, samples: new Int16Array(samplesPerFrame(sampleRateHz)) }
  }

  /** Audio inside the far side, as far as it tells. */
  get aheadMs(): Milliseconds {
    return this.leg?.aheadMs ?? 0
  }

  offerSilence(): void {
    this.offer(this.silence)
  }

  /** Silence leaves, and the PBX plays this frame beside it. */
  offerSilenceBeside(playing: AudioFrame): void {
    this.offer(this.silence, playing)
  }

  /** @param audible what is heard of it. False where nobody will hear it: the frame stays the next one. */
  offer(frame: AudioFrame, audible: AudioFrame = frame): boolean {
    const heard = this.leg !== null
    const sent = (this.leg ?? this.joining)?.write(heard ? frame : this.silence) ?? 'closed'
    if (sent === 'sent') this.counters.frames += 1
    if (sent === 'full') this.counters.full += 1
    if (heard && sent === 'sent') this.sent?.(audible.samples)
    return heard && (sent === 'sent' || sent === 'shed')
  }
}

/** How loud a reply leaves: a change takes the length of one frame, so that it does not click. */
export class Loudness {
  /** What the last frame was multiplied by: the next one begins there. */
  private gain = 1

  reset(): void {
    this.gain = 1
  }

  apply(samples: Int16Array, gain: number): void {
    if (gain === 1 && this.gain === 1) return
    const step = (gain - this.gain) / samples.length
    for (let index = 0; index < samples.length; index += 1) {
      this.gain += step
      samples[index] = Math.round((samples[index] as number) * this.gain)
    }
    this.gain = gain
  }
}
