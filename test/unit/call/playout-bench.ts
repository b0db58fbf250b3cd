import type { SampleRateHz } from '#audio/format.ts'
import { Playout } from '#call/playout.ts'
import type { PlayoutSettings } from '#call/playout-contract.ts'
import { WarmUp } from '#call/warm-up.ts'
import { FakeFilePlayer } from '../../fakes/file-player.ts'
import { FakeLeg } from '../../fakes/leg.ts'

/** At 8000 Hz a frame of 20 ms is 160 samples. */
export const frameSamples = 160

export interface PlayoutBenchOptions {
  readonly files?: boolean
  readonly boundMs?: number
  readonly rateHz?: SampleRateHz
}

/** A playout with all that is around it. Without settings of its own it neither waits nor falls back. */
export function playoutBench(settings: Partial<PlayoutSettings> = {}, options: PlayoutBenchOptions = {}) {
  const rateHz = options.rateHz ?? 8000
  const leg = new FakeLeg(rateHz)
  const events: string[] = []
  const stuck: number[] = []
  const files = new FakeFilePlayer()
  const warmUp = new WarmUp(options.boundMs ?? 400)
  const playout: Playout = new Playout(
    rateHz,
    {
      replyStarted: () => events.push('started'),
      replyDone: () => events.push('done'),
      stuck: () => stuck.push(playout.counters.full),
      fellBack: (reason) => events.push(reason),
    },
    { mode: 'stream', lowWatermarkMs: 0, graceMs: 0, fallbackMs: 10_000, duckGain: 0.25, ...settings },
    warmUp,
    options.files === true ? files : null,
  )
  playout.setLeg(leg)
  return { leg, events, stuck, playout, warmUp, files }
}

/** Samples of 8 kHz that are all the same. */
export const constant = (ms: number, value = 7): Int16Array => new Int16Array(ms * 8).fill(value)
/** Samples of 8 kHz that tell their own place: 1, 2, 3 … */
export const counted = (ms: number, from = 1): Int16Array => Int16Array.from({ length: ms * 8 }, (_, i) => from + i)
export const isSilence = (frame: Int16Array | undefined): boolean =>
  frame !== undefined && frame.length === frameSamples && frame.every((sample) => sample === 0)
