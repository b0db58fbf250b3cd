import { msToSamples } from '#audio/format.ts'
import { levelDbfs } from '#audio/level.ts'

const windowMs = 200
const stepMs = 20

/**
 * Where to cut speech without cutting a word: the middle of the quietest fifth of a second.
 * @param from @param to samples between which to look; a shorter stretch is cut in its middle
 */
export function quietestPoint(samples: Int16Array, sampleRateHz: number, from: number, to: number): number {
  const window = msToSamples(windowMs, sampleRateHz)
  const step = msToSamples(stepMs, sampleRateHz)
  let quietest = Number.POSITIVE_INFINITY
  let at = Math.floor((from + to) / 2)
  for (let start = from; start + window <= to; start += step) {
    const level = levelDbfs(samples.subarray(start, start + window))
    if (level >= quietest) continue
    quietest = level
    at = start + (window >> 1)
  }
  return at
}
