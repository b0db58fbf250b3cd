// Noise that lies under a whole call, to be mixed at a chosen distance below the speech.

import type { Random } from '#base/random.ts'
import { RATE_HZ, toSamples } from './audio.ts'

export const NOISE_KINDS = ['white', 'pink', 'hum50', 'gsm_buzz', 'car'] as const
export type NoiseKind = (typeof NOISE_KINDS)[number]

/** Noise of a kind, about full scale 1; level it before use. */
export function noise(kind: NoiseKind, durationMs: number, random: Random): Float64Array {
  const length = toSamples(durationMs)
  switch (kind) {
    case 'white':
      return Float64Array.from({ length }, () => random.next() * 2 - 1)
    case 'pink':
      return pink(length, random)
    case 'hum50':
      return hum50(length, random)
    case 'gsm_buzz':
      return gsmBuzz(length, random)
    case 'car':
      return car(length, random)
  }
}

/** −3 dB an octave: white noise through Kellet's three poles. */
function pink(length: number, random: Random): Float64Array {
  let b0 = 0
  let b1 = 0
  let b2 = 0
  return Float64Array.from({ length }, () => {
    const white = random.next() * 2 - 1
    b0 = 0.997_65 * b0 + white * 0.099_046
    b1 = 0.963 * b1 + white * 0.296_516_4
    b2 = 0.57 * b2 + white * 1.052_691_3
    return (b0 + b1 + b2 + white * 0.1848) / 4
  })
}

/** The mains on a bad line: the odd harmonics are the loud ones, and a little hiss. */
function hum50(length: number, random: Random): Float64Array {
  const harmonics = Array.from({ length: 16 }, (_, n) => ({
    hz: 50 * (n + 1),
    gain: ((n % 2 === 0 ? 1 : 0.3) * (0.5 + random.next())) / (n + 1),
    phase: random.next() * 2 * Math.PI,
  }))
  return Float64Array.from({ length }, (_, i) => {
    let sum = (random.next() * 2 - 1) * 0.02
    for (const { hz, gain, phase } of harmonics) sum += gain * Math.sin((2 * Math.PI * hz * i) / RATE_HZ + phase)
    return sum
  })
}

/** A handset beside a loudspeaker: its bursts, 217 a second, in groups that come and go. */
function gsmBuzz(length: number, random: Random): Float64Array {
  const frameSamples = RATE_HZ / 216.7
  let groupUntil = 0
  let on = false
  return Float64Array.from({ length }, (_, i) => {
    if (i >= groupUntil) {
      on = !on
      groupUntil = i + toSamples(on ? 80 + random.next() * 700 : 60 + random.next() * 500)
    }
    // One slot of eight carries a burst.
    const inBurst = i % frameSamples < frameSamples / 8
    return (on && inBurst ? 1 : 0) + (random.next() * 2 - 1) * 0.03
  })
}

/** A car from inside: rumble that falls by 6 dB an octave, the engine's even harmonics, and the wind. */
function car(length: number, random: Random): Float64Array {
  const engineHz = 55 + random.next() * 50
  let rumble = 0
  let phase = 0
  return Float64Array.from({ length }, (_, i) => {
    const white = random.next() * 2 - 1
    rumble = 0.985 * rumble + 0.1 * white
    phase += (2 * Math.PI * engineHz * (1 + 0.03 * Math.sin((2 * Math.PI * i) / (RATE_HZ * 3.1)))) / RATE_HZ
    let engine = 0
    for (let n = 1; n <= 10; n++) engine += Math.sin(n * phase * 2 + n) / n ** 1.2
    return rumble + engine * 0.12 + white * 0.12
  })
}
