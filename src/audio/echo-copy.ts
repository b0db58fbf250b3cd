import type { EchoHistory } from './echo-history.ts'
import { aroundSamples, echoWork } from './echo-work.ts'

/**
 * How much of a sound is plainly a copy of what was sent, at a delay that is known and with no filter: one that has
 * learnt little, or from a caller who spoke over the echo, explains less than there is.
 *
 * @param end where what was sent ends that the sound would be a copy of; the sound itself lies in the work's `heard`
 * @param lineEnergy of the sound @param noiseEnergy of the line, for a sample
 * @returns 0 to 1
 */
export function copiedShare(
  history: EchoHistory,
  end: number,
  count: number,
  lineEnergy: number,
  noiseEnergy: number,
): number {
  const { heard, around } = echoWork()
  history.reference.read(end - count - aroundSamples, count + 2 * aroundSamples, around, 0)
  let best = 0
  for (let lag = 0; lag <= 2 * aroundSamples; lag += 1) {
    let product = 0
    let sent = 0
    for (let index = 0; index < count; index += 1) {
      const sample = around[lag + index] as number
      product += sample * (heard[index] as number)
      sent += sample * sample
    }
    // An echo is no louder than what was sent.
    if (sent > lineEnergy) best = Math.max(best, (product * product) / sent)
  }
  return Math.min(1, best / Math.max(lineEnergy - noiseEnergy * count, 1))
}
