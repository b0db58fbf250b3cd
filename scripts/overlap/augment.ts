import { decodeMuLaw, encodeMuLaw } from '../../src/audio/g711.ts'
import type { Random } from '../../src/base/random.ts'

/**
 * One clip as many a caller and many a line would bring it: another speed and pitch, another telephone, loud and
 * faint, under noise, beside the agent's echo, coded and clipped. At 8 kHz, full scale 1 inside.
 */
export interface Heard {
  /** 16-bit. At least 400 ms of the line alone come first, and 400 ms follow. */
  readonly samples: Int16Array
  readonly onset: number
  readonly offset: number
}

export interface Spoken {
  readonly samples: Int16Array
  readonly onsetSample: number
  readonly offsetSample: number
}

const samplesPerMs = 8
/** An utterance is cut off there: by then everything is decided. */
const spokenMsMax = 1500
const afterMs = 400

const between = (random: Random, from: number, to: number) => from + random.next() * (to - from)
const pick = <T>(random: Random, list: readonly T[]): T => list[Math.floor(random.next() * list.length)] as T

/** @param under what else is on a line: noises and babble, and voices that may be the agent's; each at any level */
export function augmented(
  spoken: Spoken,
  under: { readonly noises: readonly Float32Array[]; readonly voices: readonly Float32Array[] },
  random: Random,
): Heard {
  const speed = Math.exp(between(random, Math.log(0.87), Math.log(1.18)))
  let voice = atSpeed(
    Float32Array.from(spoken.samples, (sample) => sample / 32768),
    speed,
  )
  let onset = spoken.onsetSample / speed
  let offset = spoken.offsetSample / speed
  if (random.next() < 0.5) {
    const pace = Math.exp(between(random, Math.log(0.85), Math.log(1.2)))
    voice = stretched(voice, pace)
    onset /= pace
    offset /= pace
  }
  onset = Math.round(onset)
  voice = tilted(voice, between(random, -0.3, 0.3)).subarray(0, onset + spokenMsMax * samplesPerMs)
  offset = Math.min(Math.round(offset), voice.length)
  const level = 10 ** (between(random, -36, -14) / 20)
  const gain = level / Math.max(1e-6, rms(voice.subarray(onset, offset)))

  const before = Math.round(between(random, 400, 600) * samplesPerMs)
  const line = new Float32Array(before + voice.length - onset + afterMs * samplesPerMs)
  // What comes before the onset may be longer than what is kept of the line.
  for (let index = 0; index < voice.length; index++) {
    const at = before - onset + index
    if (at >= 0) line[at] = (voice[index] as number) * gain
  }
  const noisy = random.next()
  // A fifth of all lines is as silent as a digital one.
  if (noisy < 0.8) {
    const belowDb = noisy < 0.45 ? between(random, 0, 20) : between(random, 20, 45)
    add(line, lineNoise(line.length, under.noises, random), level * 10 ** (-belowDb / 20), random)
  }
  if (random.next() < 0.4) add(line, pick(random, under.voices), 10 ** (between(random, -56, -42) / 20), random)
  const limit = random.next() < 0.07 ? level * between(random, 2, 4) : 1
  const coded = random.next() < 0.5
  const samples = Int16Array.from(line, (value) => Math.round(Math.max(-limit, Math.min(limit, value)) * 32767))
  if (coded) {
    const codes = new Uint8Array(samples.length)
    encodeMuLaw(samples, codes)
    decodeMuLaw(codes, samples)
  }
  return { samples, onset: before, offset: before + offset - onset }
}

export const rms = (samples: Float32Array): number =>
  Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, samples.length))

/** In calls as the benchmark of turns plays them: every other line quiet, else noise 0 to 20 dB below the voice. */
const quietLineLevel = 10 ** (-60 / 20)
const overNoiseDb = [0, 5, 10, 15, 20] as const

/** The clip as it is, on such a line, which nobody has spoken on for `beforeMs`. */
export function onLine(
  spoken: Spoken,
  under: { readonly noises: readonly Float32Array[] },
  random: Random,
  beforeMs = 500,
): Heard {
  const { onsetSample, offsetSample } = spoken
  const voice = Float32Array.from(spoken.samples, (sample) => sample / 32768)
  const before = beforeMs * samplesPerMs
  const line = new Float32Array(before + voice.length - onsetSample + 2 * afterMs * samplesPerMs)
  for (let index = 0; index < voice.length; index++) {
    const at = before - onsetSample + index
    if (at >= 0) line[at] = voice[index] as number
  }
  const level = rms(voice.subarray(onsetSample, offsetSample))
  const hiss = Float32Array.from(line, () => random.next() - 0.5)
  if (random.next() < 0.5) add(line, hiss, quietLineLevel, random)
  else add(line, pick(random, under.noises), level * 10 ** (-pick(random, overNoiseDb) / 20), random)
  const samples = Int16Array.from(line, (value) => Math.round(Math.max(-1, Math.min(1, value)) * 32767))
  return { samples, onset: before, offset: before + offsetSample - onsetSample }
}

/** Played faster it is shorter and higher. */
function atSpeed(samples: Float32Array, speed: number): Float32Array {
  return Float32Array.from({ length: Math.floor((samples.length - 1) / speed) }, (_, index) => {
    const at = index * speed
    const from = Math.floor(at)
    return (samples[from] as number) * (from + 1 - at) + (samples[from + 1] as number) * (at - from)
  })
}

/** Spoken faster at the same pitch: 30 ms pieces, each laid where it fits best to the one before (WSOLA). */
function stretched(samples: Float32Array, pace: number): Float32Array {
  const piece = 240
  const hop = piece / 2
  const reach = 80
  const out = new Float32Array(Math.floor(samples.length / pace) + piece)
  let previous = -1
  for (let count = 0; ; count++) {
    const planned = Math.floor(count * hop * pace)
    if (planned + piece + reach >= samples.length || count * hop + piece > out.length)
      return out.subarray(0, count * hop)
    let from = planned
    if (previous >= 0) {
      let best = Number.NEGATIVE_INFINITY
      for (let candidate = Math.max(0, planned - reach); candidate <= planned + reach; candidate += 2) {
        let likeness = 0
        for (let index = 0; index < hop; index += 2) {
          likeness += (samples[candidate + index] as number) * (samples[previous + hop + index] as number)
        }
        if (likeness > best) {
          best = likeness
          from = candidate
        }
      }
    }
    for (let index = 0; index < piece; index++) {
      const at = count * hop + index
      const share = 0.5 - 0.5 * Math.cos((2 * Math.PI * (index + 0.5)) / piece)
      out[at] = (out[at] as number) + (samples[from + index] as number) * (count === 0 && index < hop ? 1 : share)
    }
    previous = from
  }
}

/** Another microphone: more or less of the highs. */
function tilted(samples: Float32Array, amount: number): Float32Array {
  return samples.map((sample, index) => sample - amount * (samples[index - 1] ?? 0))
}

function lineNoise(length: number, noises: readonly Float32Array[], random: Random): Float32Array {
  if (random.next() < 0.6) return pick(random, noises)
  const hiss = Float32Array.from({ length }, () => random.next() + random.next() + random.next() - 1.5)
  if (random.next() < 0.5) return hiss
  const hz = pick(random, [50, 60, 100, 150, 180, 300])
  return hiss.map((value, index) => value * 0.4 + Math.sin((2 * Math.PI * hz * index) / 8000))
}

/** Adds a sound, from anywhere in it and round and round, at a level. */
function add(line: Float32Array, sound: Float32Array, level: number, random: Random): void {
  const gain = level / Math.max(1e-6, rms(sound))
  const from = Math.floor(random.next() * sound.length)
  for (let index = 0; index < line.length; index++) {
    line[index] = (line[index] as number) + (sound[(from + index) % sound.length] as number) * gain
  }
}
