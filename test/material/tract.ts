// A throat, roughly: a source that is voiced or breath, through resonances. From it come the sounds that no speech
// synthesiser makes well: hums, coughs, laughs. Everything is at 8 kHz, with a full scale of 1.

import type { Random } from '#base/random.ts'
import { RATE_HZ, toSamples } from './audio.ts'

export interface Resonance {
  readonly hz: number
  readonly widthHz: number
  /** Of this resonance against the others; default 0. */
  readonly gainDb?: number
}

/** A line through points of time (0 to 1 of the whole) and value. */
export type Course = readonly (readonly [at: number, value: number])[]

/** The course's value at a time from 0 to 1; before the first point and after the last it stays. */
export function valueAt(course: Course, at: number): number {
  let before = course[0] ?? [0, 0]
  for (const point of course) {
    if (point[0] >= at) {
      const span = point[0] - before[0]
      return span <= 0 ? point[1] : before[1] + ((point[1] - before[1]) * (at - before[0])) / span
    }
    before = point
  }
  return before[1]
}

/** Uniform from `from` to `until`. */
export function between(random: Random, from: number, until: number): number {
  return from + (until - from) * random.next()
}

export function oneOf<T>(random: Random, values: readonly [T, ...T[]]): T {
  return values[Math.floor(random.next() * values.length)] ?? values[0]
}

export interface Voicing {
  readonly durationMs: number
  readonly pitchHz: Course
  /** Linear loudness over time; end it with 0, so that it doesn't click. */
  readonly loudness: Course
  readonly resonances: readonly Resonance[]
  /** How much the pitch wavers from period to period, as a share of it: a healthy voice has 0.005 to 0.01. */
  readonly jitter: number
  /** Fall of the source in dB an octave; 12 is a full voice, 18 a soft one. */
  readonly tiltDb: number
}

/** How long the pitch keeps one random deviation, about a period. */
const JITTER_SAMPLES = 64

/** Something voiced: harmonics of the pitch, each as loud as the source's tilt and the resonances leave it. */
export function voiced(voicing: Voicing, random: Random): Float64Array {
  const { resonances, tiltDb, jitter } = voicing
  const samples = new Float64Array(toSamples(voicing.durationMs))
  let phase = 0
  let deviation = 0
  let gains: number[] = []
  for (let i = 0; i < samples.length; i++) {
    const at = i / samples.length
    const pitchHz = valueAt(voicing.pitchHz, at) * (1 + deviation)
    if (i % JITTER_SAMPLES === 0) {
      deviation = jitter * (random.next() + random.next() - 1)
      const count = Math.max(1, Math.floor((RATE_HZ * 0.47) / pitchHz))
      gains = Array.from({ length: count }, (_, n) => harmonicGain((n + 1) * pitchHz, n + 1, resonances, tiltDb))
    }
    phase = (phase + (2 * Math.PI * pitchHz) / RATE_HZ) % (2 * Math.PI)
    let sum = 0
    // Phases that differ from harmonic to harmonic keep the peaks low, as a real voice's do.
    for (let n = 0; n < gains.length; n++) sum += (gains[n] ?? 0) * Math.sin((n + 1) * phase + n * n * 0.7)
    samples[i] = sum * valueAt(voicing.loudness, at)
  }
  return samples
}

function harmonicGain(hz: number, number: number, resonances: readonly Resonance[], tiltDb: number): number {
  // The lips lift 6 dB an octave, so the tilt that is heard is that much less.
  const source = 10 ** ((-(tiltDb - 6) * Math.log2(number)) / 20)
  return source * resonances.reduce((sum, resonance) => sum + responseOf(resonance, hz), 0.02)
}

function responseOf({ hz, widthHz, gainDb = 0 }: Resonance, at: number): number {
  const half = widthHz / 2
  return (10 ** (gainDb / 20) * half) / Math.hypot(at - hz, half)
}

export interface Breath {
  readonly durationMs: number
  readonly loudness: Course
  readonly resonances: readonly Resonance[]
}

/** Breath: white noise through resonances. Its level is about that of `voiced` at the same loudness. */
export function breath({ durationMs, loudness, resonances }: Breath, random: Random): Float64Array {
  const noise = Float64Array.from({ length: toSamples(durationMs) }, () => random.next() * 2 - 1)
  const samples = new Float64Array(noise.length)
  for (const { hz, widthHz, gainDb = 0 } of resonances) {
    const radius = Math.exp((-Math.PI * widthHz) / RATE_HZ)
    const a1 = 2 * radius * Math.cos((2 * Math.PI * hz) / RATE_HZ)
    const a2 = -radius * radius
    const gain = (1 - radius) * 2 * 10 ** (gainDb / 20)
    let y1 = 0
    let y2 = 0
    for (let i = 0; i < noise.length; i++) {
      const y = gain * (noise[i] ?? 0) + a1 * y1 + a2 * y2
      y2 = y1
      y1 = y
      samples[i] = (samples[i] ?? 0) + y
    }
  }
  for (let i = 0; i < samples.length; i++) samples[i] = (samples[i] ?? 0) * valueAt(loudness, i / samples.length)
  return samples
}

export function silence(durationMs: number): Float64Array {
  return new Float64Array(toSamples(durationMs))
}

/** Lays sounds over one another; each begins `atMs` after the start. */
export function mixed(parts: readonly { readonly atMs: number; readonly samples: Float64Array }[]): Float64Array {
  const length = parts.reduce((most, part) => Math.max(most, toSamples(part.atMs) + part.samples.length), 0)
  const all = new Float64Array(length)
  for (const { atMs, samples } of parts) {
    const from = toSamples(atMs)
    for (let i = 0; i < samples.length; i++) all[from + i] = (all[from + i] ?? 0) + (samples[i] ?? 0)
  }
  return all
}
