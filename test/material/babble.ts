// People talking in the background: four to eight speakers of one split at once. And mixing noise under speech.

import type { Random } from '#base/random.ts'
import { activeLevelDbfs, toSamples } from './audio.ts'
import { between } from './tract.ts'

export interface Speaker {
  readonly voice: string
  readonly samples: Int16Array
}

const SPEAKERS_MIN = 4
const SPEAKERS_MAX = 8

/** Babble of a length: speakers of different voices, each talking on with gaps of his own, some nearer than others. */
export function babble(clips: readonly Speaker[], durationMs: number, random: Random): Float64Array {
  const byVoice = Map.groupBy(clips, (clip) => clip.voice)
  const voices = [...byVoice.keys()].map((voice) => ({ voice, order: random.next() })).sort((a, b) => a.order - b.order)
  const count = Math.min(voices.length, SPEAKERS_MIN + Math.floor(random.next() * (SPEAKERS_MAX - SPEAKERS_MIN + 1)))
  const all = new Float64Array(toSamples(durationMs))
  for (const { voice } of voices.slice(0, count)) {
    const own = byVoice.get(voice) ?? []
    const gain = 10 ** (between(random, -8, 0) / 20)
    let at = -toSamples(between(random, 0, 1500))
    while (at < all.length) {
      const samples = own[Math.floor(random.next() * own.length)]?.samples ?? new Int16Array(1)
      for (let i = Math.max(0, -at); i < samples.length && at + i < all.length; i++) {
        all[at + i] = (all[at + i] ?? 0) + (samples[i] ?? 0) * gain
      }
      at += samples.length + toSamples(between(random, 0, 500))
    }
  }
  return all
}

/**
 * Speech with noise under it, `snrDb` below the speech's active level. The noise begins at `noiseFrom` of its own and
 * is repeated as needed; the sum is clipped at full scale.
 */
export function withNoise(speech: Int16Array, noise: Int16Array, snrDb: number, noiseFrom = 0): Int16Array {
  const gain = 10 ** ((activeLevelDbfs(speech) - snrDb - activeLevelDbfs(noise)) / 20)
  return Int16Array.from(speech, (sample, i) => {
    const under = (noise[(noiseFrom + i) % noise.length] ?? 0) * gain
    return Math.max(-32_768, Math.min(32_767, Math.round(sample + under)))
  })
}
