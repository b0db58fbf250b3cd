// Human hums from human letters: the "m" of "em" is a hum of 100 to 300 ms in the speaker's own voice. Played at another
// speed it is another pitch, and two of them with air between are "mm-hm". Nobody says it that way by chance, but nose,
// cords and microphone are a person's, which no synthesiser of this project has.

import { seededRandom } from '#base/random.ts'
import { edgesOf, joinedFloats, toSamples } from './audio.ts'
import type { Take } from './take.ts'
import { breath } from './tract.ts'
import type { VoiceId } from './voices.ts'

/** The vowel is over by then, and the lips are closed. */
const NASAL_SHARE = 0.52
const FADE_MS = 18

/** @param letter the name of the letter m, as recorded. Hums: "mm", two of "mm-hm", and the quick "mhm". */
export function humFromLetter(voice: VoiceId, letter: () => Promise<Float64Array>): Take[] {
  const take = (text: string, make: (nasal: Float64Array) => Float64Array, variant = ''): Take => ({
    name: `${voice}-hum-${text}${variant}`,
    use: 'backchannel',
    voice,
    how: 'spliced',
    text,
    load: async () => make(nasalOf(await letter())),
  })
  return [
    take('mm', (nasal) => faded(atSpeed(nasal, 0.8))),
    take('mm-hm', (nasal) => joinedFloats([faded(atSpeed(nasal, 0.95)), air(70, nasal), faded(atSpeed(nasal, 1.18))])),
    take(
      'mm-hm',
      (nasal) => joinedFloats([faded(atSpeed(nasal, 1.1)), air(60, nasal), faded(atSpeed(nasal, 0.9))]),
      '-fall',
    ),
    take('mhm', (nasal) => joinedFloats([faded(shortened(nasal, 0.6)), air(45, nasal), faded(atSpeed(nasal, 1.3))])),
  ]
}

const TWICE_GAP_MS = 90

/** "Ja" said twice is "ja, ja": the same word again, a little lower. For words of up to half a second. */
export function saidTwice(take: Take): Take {
  return {
    ...take,
    name: `${take.name}-twice`,
    how: 'spliced',
    text: take.text === null ? null : `${take.text} ${take.text}`,
    load: async () => {
      const whole = await take.load()
      const { onsetSample, offsetSample } = edgesOf(whole)
      const word = whole.slice(onsetSample, offsetSample)
      return joinedFloats([word, new Float64Array(toSamples(TWICE_GAP_MS)), atSpeed(word, 0.94)])
    },
  }
}

function nasalOf(letter: Float64Array): Float64Array {
  const { onsetSample, offsetSample } = edgesOf(letter)
  return letter.slice(Math.round(onsetSample + (offsetSample - onsetSample) * NASAL_SHARE), offsetSample)
}

/** Played faster it is shorter and higher. Linear between samples is good enough below 2 kHz, where a hum lies. */
export function atSpeed(samples: Float64Array, speed: number): Float64Array {
  return Float64Array.from({ length: Math.floor((samples.length - 1) / speed) }, (_, i) => {
    const at = i * speed
    const before = Math.floor(at)
    const share = at - before
    return (samples[before] ?? 0) * (1 - share) + (samples[before + 1] ?? 0) * share
  })
}

const shortened = (samples: Float64Array, share: number) => samples.slice(0, Math.round(samples.length * share))

function faded(samples: Float64Array): Float64Array {
  const fade = Math.min(toSamples(FADE_MS), samples.length / 2)
  return samples.map((sample, i) => sample * Math.min(1, i / fade, (samples.length - 1 - i) / fade))
}

/** The "h": air through the nose, some 16 dB below the hum. */
function air(durationMs: number, nasal: Float64Array): Float64Array {
  const level = Math.sqrt(nasal.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, nasal.length))
  const resonances = [
    { hz: 900, widthHz: 600 },
    { hz: 2200, widthHz: 900, gainDb: -4 },
  ]
  const loudness = [
    [0, 0.4],
    [0.5, 1],
    [1, 0.4],
  ] as const
  const noise = breath({ durationMs, loudness, resonances }, seededRandom(1))
  const noiseLevel = Math.sqrt(noise.reduce((sum, sample) => sum + sample * sample, 0) / noise.length)
  return noise.map((sample) => (sample * level * 0.16) / noiseLevel)
}
