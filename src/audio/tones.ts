import { msToSamples, type SampleRateHz } from './format.ts'

/**
 * Signs for the ear, where there is no voice to say it: two soft tones that rise ("one moment"), and the three tones by
 * which the telephone network itself says that a call cannot go on (ITU-T E.180, special information tone: 950, 1400 and
 * 1800 Hz, 330 ms each).
 */
interface Tone {
  readonly hz: number
  readonly ms: number
}

const momentTones: readonly Tone[] = [
  { hz: 440, ms: 160 },
  { hz: 587, ms: 220 },
]
const failureTones: readonly Tone[] = [
  { hz: 950, ms: 330 },
  { hz: 1400, ms: 330 },
  { hz: 1800, ms: 330 },
]
/** Of full scale: about −24 and −18 dBFS. */
const momentLevel = 0.09
const failureLevel = 0.18
/** Each tone fades in and out, so that none clicks. */
const fadeMs = 15
const pauseMs = 30

export function momentSound(sampleRateHz: SampleRateHz): Int16Array {
  return tones(momentTones, momentLevel, sampleRateHz)
}

export function failureSound(sampleRateHz: SampleRateHz): Int16Array {
  return tones(failureTones, failureLevel, sampleRateHz)
}

function tones(sequence: readonly Tone[], level: number, sampleRateHz: SampleRateHz): Int16Array {
  const pause = msToSamples(pauseMs, sampleRateHz)
  const lengths = sequence.map(({ ms }) => msToSamples(ms, sampleRateHz) + pause)
  const samples = new Int16Array(lengths.reduce((sum, length) => sum + length, 0))
  let offset = 0
  for (const [index, { hz, ms }] of sequence.entries()) {
    fill(samples.subarray(offset, offset + msToSamples(ms, sampleRateHz)), hz, level, sampleRateHz)
    offset += lengths[index] as number
  }
  return samples
}

function fill(samples: Int16Array, hz: number, level: number, sampleRateHz: SampleRateHz): void {
  const fade = msToSamples(fadeMs, sampleRateHz)
  for (let index = 0; index < samples.length; index += 1) {
    const gain = Math.min(1, index / fade, (samples.length - 1 - index) / fade)
    samples[index] = Math.round(32_767 * level * gain * Math.sin((2 * Math.PI * hz * index) / sampleRateHz))
  }
}
