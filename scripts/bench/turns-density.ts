import { SystemClock } from '#base/clock.ts'
import { windowMs, windowSamples } from '#speech/detection-memory.ts'
import { batchMax, Silero } from '#speech/silero.ts'
import { SileroStream } from '#speech/silero-stream.ts'
import { noiseSound } from '../../test/bed/sounds.ts'
import { benchTurnEnd } from './turn-end.ts'

/** How many calls one core can listen to: speech detection alone and batched, and judgements of the end-of-turn model. */
export interface DensityFigures {
  /** Calls at 8 kHz whose every window one core can judge, by how many windows are judged at once. */
  readonly vad_streams_per_core: Readonly<Record<`batch_${number}`, number>>
  /** Judgements for each second of one core, by how many are run at once; and calls, at a pause every four seconds. */
  readonly turn_end_judgements_per_core_second: Readonly<Record<`batch_${number}`, number>>
  readonly turn_end_streams_per_core: number
}

const batches = [1, 8, batchMax] as const
const rounds = 400
const pauseEveryS = 4

export async function benchDensity(): Promise<{ readonly lines: readonly string[]; readonly figures: DensityFigures }> {
  const clock = new SystemClock()
  const silero = await Silero.load()
  const window = windowSamples(8000)
  const samples = noiseSound((rounds + 1) * windowMs, -30, 8000, 1)
  const perCore: Record<`batch_${number}`, number> = {}
  for (const batch of batches) {
    const streams = Array.from({ length: batch }, () => new SileroStream())
    const probabilities = new Float32Array(batch)
    const runs = Math.ceil(rounds / Math.sqrt(batch))
    const offsets = (round: number) => streams.map(() => (round % rounds) * window)
    await silero.run(8000, streams, samples, offsets(0), probabilities)
    const from = clock.now()
    for (let round = 0; round < runs; round += 1)
      await silero.run(8000, streams, samples, offsets(round), probabilities)
    const msPerWindow = (clock.now() - from) / (runs * batch)
    perCore[`batch_${batch}`] = Math.round(windowMs / msPerWindow)
  }
  const { figures } = await benchTurnEnd(false)
  const judgements = figures.per_core_second
  const streams = Math.round(Math.max(...Object.values(judgements)) * pauseEveryS)
  return {
    figures: {
      vad_streams_per_core: perCore,
      turn_end_judgements_per_core_second: judgements,
      turn_end_streams_per_core: streams,
    },
    lines: [
      `speech detection, 8 kHz streams a core: ${said(perCore)}`,
      `end-of-turn model, judgements a core-second: ${said(judgements)}; ${streams} streams a core at a pause every ${pauseEveryS} s`,
    ],
  }
}

const said = (record: Readonly<Record<string, number>>) =>
  Object.entries(record)
    .map(([name, value]) => `${name.replace('_', ' ')}: ${value}`)
    .join(', ')
