import { type Random, seededRandom } from '#base/random.ts'
import { clip } from '../bed/sounds.ts'

/**
 * Speech-like sound without words: syllables of a gliding, trembling pitch through three resonances that move, hisses
 * between them, and pauses. Two seeds of one pitch are one voice that says two things.
 */
export interface EchoVoice {
  readonly seed: number
  readonly durationMs: number
  readonly sampleRateHz: number
  /** Of the syllables, root mean square. */
  readonly dbfs: number
  readonly pitchHz: number
}

export function echoVoice(voice: EchoVoice): Int16Array {
  const { sampleRateHz, dbfs } = voice
  const random = seededRandom(voice.seed)
  const length = Math.round((voice.durationMs * sampleRateHz) / 1000)
  const speech = new Float64Array(length)
  let at = 0
  while (at < length) {
    const hiss = random.next() < 0.2
    const count = Math.round(((hiss ? 60 : 110 + 160 * random.next()) * sampleRateHz) / 1000)
    const syllable = hiss ? hissOf(count, random) : vowelOf(count, voice, random)
    const energy = syllable.reduce((sum, sample) => sum + sample * sample, 0)
    const level = 32_768 * 10 ** ((dbfs - (hiss ? 12 : 4 * random.next())) / 20)
    const gain = level / Math.sqrt(energy / count + Number.MIN_VALUE)
    for (let index = 0; index < count && at + index < length; index += 1) {
      speech[at + index] = gain * (syllable[index] as number)
    }
    // A pause after one syllable in six.
    at += count + Math.round(((random.next() < 0.17 ? 150 : 15) * random.next() * sampleRateHz) / 1000)
  }
  return Int16Array.from(speech, (sample) => clip(Math.round(sample)))
}

function vowelOf(count: number, voice: EchoVoice, random: Random): Float64Array {
  const { sampleRateHz } = voice
  const source = new Float64Array(count)
  let pitch = voice.pitchHz * (0.85 + 0.3 * random.next())
  const glide = (random.next() - 0.5) * 0.5 * pitch
  let phase = random.next()
  for (let index = 0; index < count; index += 1) {
    phase += (pitch + (glide * index) / count) / sampleRateHz
    // A pulse of the glottis, none quite like the one before.
    if (phase >= 1) {
      phase -= 1
      pitch *= 1 + 0.02 * (random.next() - 0.5)
      source[index] = 1 + 0.2 * random.next()
    }
    source[index] = (source[index] as number) + 0.01 * (random.next() - 0.5)
  }
  const resonances = [
    [300 + 500 * random.next(), 80],
    [900 + 1300 * random.next(), 110],
    [2300 + 800 * random.next(), 160],
  ] as const
  let voiced: Float64Array = source
  for (const [hz, widthHz] of resonances) voiced = resonated(voiced, hz, widthHz, sampleRateHz)
  return faded(voiced, sampleRateHz)
}

function hissOf(count: number, random: Random): Float64Array {
  let before = 0
  return Float64Array.from({ length: count }, () => {
    const noise = random.next() - 0.5
    const high = noise - before
    before = noise
    return high
  })
}

/** A resonance of two poles. */
function resonated(sound: Float64Array, hz: number, widthHz: number, sampleRateHz: number): Float64Array {
  const radius = Math.exp((-Math.PI * widthHz) / sampleRateHz)
  const first = 2 * radius * Math.cos((2 * Math.PI * hz) / sampleRateHz)
  const second = -radius * radius
  let one = 0
  let two = 0
  return sound.map((sample) => {
    const value = sample + first * one + second * two
    two = one
    one = value
    return value
  })
}

/** Rises over 15 ms and falls over 30. */
function faded(sound: Float64Array, sampleRateHz: number): Float64Array {
  return sound.map(
    (sample, index) =>
      sample * Math.min(1, index / (0.015 * sampleRateHz), (sound.length - 1 - index) / (0.03 * sampleRateHz)),
  )
}
