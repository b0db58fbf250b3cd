// Hums and murmurs: "mm", "mm-hm", "hmm", "uh-huh", "aha". Speech synthesisers spell them out, so they are made here
// from a voiced source with the spectrum of a closed mouth (the nose: a strong resonance near 270 Hz, a gap near
// 800 Hz, weak ones above) or of a slack open one.

import { type Random, seededRandom } from '#base/random.ts'
import { joinedFloats } from './audio.ts'
import { between, breath, type Course, mixed, type Resonance, voiced } from './tract.ts'

export interface Hummer {
  readonly id: string
  readonly pitchHz: number
  /** Length of the throat against a grown man's: a woman's is about 0.85 and a child's 0.7. */
  readonly tract: number
  /** 0 a clear voice, 1 mostly breath. */
  readonly breathiness: number
}

export const HUM_KINDS = ['mm', 'mm-hm', 'mhm', 'hmm', 'uh-huh', 'aha', 'mm mm-hm', 'mm-hm mm-hm'] as const
export type HumKind = (typeof HUM_KINDS)[number]

const nose = ({ tract }: Hummer): Resonance[] => [
  { hz: 270 / tract, widthHz: 80 },
  { hz: 1050 / tract, widthHz: 180, gainDb: -16 },
  { hz: 2100 / tract, widthHz: 250, gainDb: -18 },
  { hz: 2900 / tract, widthHz: 300, gainDb: -24 },
]

const slackMouth = ({ tract }: Hummer, open: number): Resonance[] => [
  { hz: (480 + 240 * open) / tract, widthHz: 110 },
  { hz: 1180 / tract, widthHz: 130, gainDb: -5 },
  { hz: 2400 / tract, widthHz: 200, gainDb: -13 },
]

interface Part {
  readonly durationMs: number
  /** Pitch against the hummer's own, over the part. */
  readonly pitch: Course
  readonly loudness: number
  readonly resonances: readonly Resonance[]
}

function part(hummer: Hummer, { durationMs, pitch, loudness, resonances }: Part, random: Random): Float64Array {
  const pitchHz: Course = pitch.map(([at, share]) => [at, hummer.pitchHz * share])
  const edge = Math.min(0.4, 25 / durationMs)
  const envelope: Course = [
    [0, 0],
    [edge, loudness],
    [1 - edge * 1.6, loudness * between(random, 0.6, 0.95)],
    [1, 0],
  ]
  const tiltDb = 12 + 5 * hummer.breathiness
  const tone = voiced({ durationMs, pitchHz, loudness: envelope, resonances, jitter: 0.012, tiltDb }, random)
  const air = breath({ durationMs, loudness: envelope.map(([at, value]) => [at, value * 0.3]), resonances }, random)
  return Float64Array.from(tone, (sample, i) => sample + hummer.breathiness * (air[i] ?? 0))
}

/** The "h" between two hums: air alone, fainter, no longer than 90 ms. */
function aspirate(resonances: readonly Resonance[], random: Random): Float64Array {
  const durationMs = between(random, 45, 90)
  const loudness: Course = [
    [0, 0.02],
    [0.4, 0.09],
    [1, 0.04],
  ]
  return breath({ durationMs, loudness, resonances }, random)
}

/** One hum. The same hummer, kind and seed give the same sound. */
export function hum(hummer: Hummer, kind: HumKind, seed: number): Float64Array {
  const random = seededRandom(seed)
  const pace = between(random, 0.8, 1.35)
  const closed = nose(hummer)
  const ms = (from: number, until: number) => between(random, from, until) * pace
  const two = (first: readonly Resonance[], second: readonly Resonance[], brisk: number): Float64Array => {
    const low = between(random, 0.88, 1)
    const high = between(random, 1.12, 1.45)
    return joinedFloats([
      part(
        hummer,
        {
          durationMs: ms(90, 190) * brisk,
          pitch: [
            [0, low],
            [1, low * 0.95],
          ],
          loudness: 0.8,
          resonances: first,
        },
        random,
      ),
      aspirate(second, random),
      part(
        hummer,
        {
          durationMs: ms(130, 280) * brisk,
          pitch: [
            [0, high * 0.92],
            [0.4, high],
            [1, high * between(random, 0.8, 1.05)],
          ],
          loudness: 1,
          resonances: second,
        },
        random,
      ),
    ])
  }
  const one = (durationMs: number, pitch: Course): Float64Array =>
    part(hummer, { durationMs, pitch, loudness: 1, resonances: closed }, random)
  const again = (gapMs: number, first: Float64Array, second: Float64Array) =>
    mixed([
      { atMs: 0, samples: first },
      { atMs: first.length / 8 + gapMs, samples: second },
    ])
  switch (kind) {
    // Recorded ones glide far: a third down, or up and down again.
    case 'mm':
      return one(ms(170, 380), [
        [0, between(random, 1, 1.2)],
        [0.3, between(random, 0.95, 1.25)],
        [1, between(random, 0.65, 1)],
      ])
    case 'hmm':
      return joinedFloats([
        aspirate(closed, random),
        one(ms(300, 650), [
          [0, between(random, 0.95, 1.3)],
          [0.5, between(random, 0.85, 1.25)],
          [1, between(random, 0.65, 0.9)],
        ]),
      ])
    case 'mm-hm':
      return two(closed, closed, 1)
    case 'mhm':
      return two(closed, closed, 0.6)
    case 'uh-huh':
      return two(slackMouth(hummer, 0.6), slackMouth(hummer, 1), 0.9)
    case 'aha':
      return two(slackMouth(hummer, 1), slackMouth(hummer, 1.5), 1)
    case 'mm mm-hm':
      return again(
        between(random, 80, 160),
        one(ms(130, 200), [
          [0, 1.1],
          [1, 0.9],
        ]),
        two(closed, closed, 0.75),
      )
    case 'mm-hm mm-hm':
      return again(between(random, 80, 180), two(closed, closed, 0.65), two(closed, closed, 0.65))
  }
}
