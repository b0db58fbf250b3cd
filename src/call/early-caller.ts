import { msToSamples } from '#audio/format.ts'
import { SampleRing } from '#audio/sample-ring.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { SpeechEvent } from './speech-detector.ts'

/**
 * What the caller says while the agent's session is still being opened: where there is no greeting, it is the first turn.
 * The newest of it waits here, as long as a look-back would keep it, until there is somebody to hear it.
 */
const keptMs: Milliseconds = 4000

export class EarlyCaller {
  private readonly clock: Clock
  private readonly ring: SampleRing
  private sinceMs: Milliseconds | null = null

  constructor(clock: Clock, sampleRateHz: number) {
    this.clock = clock
    this.ring = new SampleRing(msToSamples(keptMs, sampleRateHz))
  }

  frame(samples: Int16Array): void {
    this.ring.push(samples)
  }

  speech(event: SpeechEvent): void {
    this.sinceMs = event.type === 'speech_started' ? this.clock.now() - event.agoMs : null
  }

  /** Oldest sample first; a copy. */
  get samples(): Int16Array<ArrayBuffer> {
    return this.ring.newest(Number.MAX_SAFE_INTEGER)
  }

  /** For how long the caller has been speaking; null where they are silent. */
  get speaksForMs(): Milliseconds | null {
    return this.sinceMs === null ? null : this.clock.now() - this.sinceMs
  }
}
