import type { Random } from '../../src/base/random.ts'
import { leadMs } from '../../src/speech/overlap.ts'
import { featureCount, OverlapFeatures, stepSamples, windowSamples } from '../../src/speech/overlap-features.ts'
import type { Heard } from './augment.ts'

/** A clip as the model hears it, from about `leadMs` before its onset, and which of its windows are to be judged. */
const samplesPerMs = 8
/** A detector finds the onset up to so much too early or too late. */
const onsetOffMs = 80
export const windowsMax = 80
/** Judged from here on after the onset, and until so long after the end: by then its silence was heard. */
const judgedFromMs = 150
const judgedAfterMs = 350
/** The later, the less it helps. */
const lateMs = 800

export interface HeardSequence {
  /** `featureCount` values a window. */
  readonly features: Float32Array
  /** What each window's loss counts; 0 where it isn't judged. */
  readonly weights: Float32Array
  readonly label: number
  /** In samples of the sequence. */
  readonly onset: number
  readonly offset: number
}

export function sequenceOf(heard: Heard, label: number, share: number, random: Random): HeardSequence {
  const off = (random.next() * 2 - 1) * onsetOffMs
  const start = heard.onset - Math.round((leadMs + off) * samplesPerMs)
  const onset = heard.onset - start
  const offset = heard.offset - start
  const features = featuresOf(heard.samples.subarray(start))
  const windows = features.length / featureCount
  const weights = new Float32Array(windows)
  let sum = 0
  for (let window = 0; window < windows; window++) {
    const end = window * stepSamples + windowSamples
    if (end < onset + judgedFromMs * samplesPerMs || end > offset + judgedAfterMs * samplesPerMs) continue
    weights[window] = end < onset + lateMs * samplesPerMs ? 1 : 0.5
    sum += weights[window] as number
  }
  if (sum > 0)
    for (let window = 0; window < windows; window++) weights[window] = ((weights[window] as number) * share) / sum
  return { features, weights, label, onset, offset }
}

export function featuresOf(samples: Int16Array): Float32Array {
  const features = new OverlapFeatures()
  const windows = Math.max(0, Math.min(windowsMax, Math.floor((samples.length - windowSamples) / stepSamples) + 1))
  const all = new Float32Array(windows * featureCount)
  let window = 0
  for (let index = 0; index < samples.length && window < windows; index++) {
    if (features.push((samples[index] as number) / 32768)) all.set(features.values, featureCount * window++)
  }
  return all
}

/** The last window that had been heard whole at a sample of the sequence. */
export const windowAt = (sample: number): number => Math.floor((sample - windowSamples) / stepSamples)
