// Sounds of a caller who isn't talking: coughs, cleared throats, sneezes, laughs, breaths, and what lies on the table.
// A cough has three phases (burst, flow of air, voiced tail); the literature gives 300 to 500 ms for the three.
// Every maker takes a Random and varies all its sizes by it.

import type { Random } from '#base/random.ts'
import { joinedFloats } from './audio.ts'
import { between, breath, type Course, mixed, oneOf, type Resonance, silence, voiced } from './tract.ts'

const decay = (from: number, until: number, attack = 0.02): Course => [
  [0, 0],
  [attack, from],
  [1, until],
]

function throat(random: Random): Resonance[] {
  const size = between(random, 0.82, 1.15)
  return [
    { hz: between(random, 550, 950) * size, widthHz: between(random, 150, 300) },
    { hz: between(random, 1250, 1700) * size, widthHz: between(random, 200, 350), gainDb: between(random, -6, 2) },
    { hz: between(random, 2400, 2900) * size, widthHz: 400, gainDb: between(random, -12, -3) },
  ]
}

/** One cough's three phases, the last of which half of all coughs have. 200 to 550 ms. */
export function cough(random: Random): Float64Array {
  const resonances = throat(random)
  const burst = breath({ durationMs: between(random, 25, 70), loudness: decay(1.6, 0.7, 0.08), resonances }, random)
  const flowMs = between(random, 110, 280)
  const flow = breath(
    { durationMs: flowMs, loudness: decay(between(random, 0.35, 0.7), 0.06, 0.05), resonances },
    random,
  )
  const parts = [
    { atMs: 0, samples: burst },
    { atMs: burst.length / 8 - 8, samples: flow },
  ]
  const voicedShare = random.next()
  if (voicedShare > 0.35) {
    // The cords slam together at the burst, and again at the end: a rough tone, higher than speech.
    const pitch = between(random, 140, 380)
    const tail = voiced(
      {
        durationMs: between(random, 60, 180),
        pitchHz: [
          [0, pitch],
          [1, pitch * between(random, 0.55, 0.9)],
        ],
        loudness: [
          [0, 0],
          [0.2, between(random, 0.15, 0.6)],
          [1, 0],
        ],
        resonances,
        jitter: between(random, 0.04, 0.15),
        tiltDb: 9,
      },
      random,
    )
    parts.push({ atMs: voicedShare > 0.75 ? 10 : burst.length / 8 + flowMs * 0.6, samples: tail })
  }
  return mixed(parts)
}

/** One to three coughs, each a little fainter than the one before. */
export function coughFit(random: Random): Float64Array {
  const count = oneOf(random, [1, 1, 1, 2, 2, 3])
  const parts: Float64Array[] = []
  for (let i = 0; i < count; i++) {
    const gain = 0.85 ** i
    parts.push(
      cough(random).map((sample) => sample * gain),
      silence(between(random, 60, 260)),
    )
  }
  return joinedFloats(parts.slice(0, -1))
}

/** "Ahem": one or two stretches of a creaking, noisy voice. 250 to 900 ms. */
export function throatClear(random: Random): Float64Array {
  const resonances = throat(random)
  const stretch = (): Float64Array => {
    const durationMs = between(random, 180, 420)
    const pitch = between(random, 60, 130)
    const shape: Course = [
      [0, 0],
      [0.12, 1],
      [0.7, between(random, 0.5, 1)],
      [1, 0],
    ]
    const creak = voiced(
      {
        durationMs,
        pitchHz: [
          [0, pitch * 1.2],
          [1, pitch * 0.8],
        ],
        loudness: shape,
        resonances,
        jitter: 0.2,
        tiltDb: 8,
      },
      random,
    )
    const air = breath(
      { durationMs, loudness: shape.map(([at, value]) => [at, value * between(random, 0.5, 1.2)]), resonances },
      random,
    )
    return mixed([
      { atMs: 0, samples: creak },
      { atMs: 0, samples: air },
    ])
  }
  if (random.next() < 0.5) return stretch()
  return joinedFloats([stretch(), silence(between(random, 30, 120)), stretch()])
}

/** A drawn-in breath, then the burst: hissing, without a voice or with one. 400 to 1,000 ms. */
export function sneeze(random: Random): Float64Array {
  const drawn = breath(
    {
      durationMs: between(random, 180, 450),
      loudness: [
        [0, 0],
        [0.9, 0.25],
        [1, 0],
      ],
      resonances: throat(random),
    },
    random,
  )
  const hiss: Resonance[] = [
    { hz: between(random, 2300, 3300), widthHz: 500, gainDb: 4 },
    { hz: between(random, 1100, 1700), widthHz: 400, gainDb: -4 },
  ]
  const burst = breath(
    { durationMs: between(random, 150, 380), loudness: decay(1.7, 0.04, 0.04), resonances: hiss },
    random,
  )
  const pitch = between(random, 130, 300)
  const tail = voiced(
    {
      durationMs: between(random, 80, 220),
      pitchHz: [
        [0, pitch],
        [1, pitch * 0.6],
      ],
      loudness: [
        [0, 0],
        [0.2, 0.4 * random.next()],
        [1, 0],
      ],
      resonances: throat(random),
      jitter: 0.05,
      tiltDb: 12,
    },
    random,
  )
  return mixed([
    { atMs: 0, samples: drawn },
    { atMs: drawn.length / 8 + between(random, 10, 80), samples: burst },
    { atMs: drawn.length / 8 + 120, samples: tail },
  ])
}

/** "Ha ha ha": two to six puffs, four to six a second, the pitch falling. */
export function laugh(random: Random): Float64Array {
  const count = 2 + Math.floor(random.next() * 5)
  const pitch = between(random, 130, 340)
  const periodMs = between(random, 160, 250)
  const resonances = throat(random)
  const parts: { atMs: number; samples: Float64Array }[] = []
  for (let i = 0; i < count; i++) {
    const height = pitch * (1 - 0.06 * i) * between(random, 0.95, 1.1)
    const puffMs = periodMs * between(random, 0.3, 0.45)
    const gain = 0.88 ** i
    parts.push({
      atMs: i * periodMs,
      samples: breath(
        {
          durationMs: puffMs,
          loudness: [
            [0, 0],
            [0.5, 0.4 * gain],
            [1, 0.1],
          ],
          resonances,
        },
        random,
      ),
    })
    const loudness: Course = [
      [0, 0],
      [0.25, gain],
      [1, 0],
    ]
    const tone = voiced(
      {
        durationMs: periodMs * 0.5,
        pitchHz: [
          [0, height],
          [1, height * 0.85],
        ],
        loudness,
        resonances,
        jitter: 0.03,
        tiltDb: 11,
      },
      random,
    )
    parts.push({ atMs: i * periodMs + puffMs * 0.8, samples: tone })
  }
  return mixed(parts)
}

/** In or out, by mouth or nose; a sniff is a short one. 120 to 1,300 ms. */
export function breathing(random: Random): Float64Array {
  const sniff = random.next() < 0.3
  const resonances: Resonance[] = sniff
    ? [
        { hz: between(random, 1800, 3000), widthHz: 700 },
        { hz: 900, widthHz: 300, gainDb: -8 },
      ]
    : throat(random).map((resonance) => ({ ...resonance, widthHz: resonance.widthHz * 1.6 }))
  const durationMs = sniff ? between(random, 120, 300) : between(random, 400, 1300)
  const peak = between(random, 0.25, 0.8)
  return breath(
    {
      durationMs,
      loudness: [
        [0, 0],
        [peak, 1],
        [1, 0],
      ],
      resonances,
    },
    random,
  )
}

/** A tap that rings: what a key, a tongue, a cup or a door makes, by pitch and by how long it rings. */
function knock(random: Random, hz: number, ringMs: number): Float64Array {
  const resonances: Resonance[] = [
    { hz, widthHz: 900 / ringMs + hz * 0.08 },
    { hz: hz * between(random, 1.6, 2.7), widthHz: 1400 / ringMs + hz * 0.1, gainDb: -8 },
  ]
  const loudness: Course = [
    [0, 1.5],
    [0.12, 0.5],
    [0.4, 0.12],
    [1, 0],
  ]
  return breath({ durationMs: ringMs * 2, loudness, resonances }, random)
}

/** Two to nine keys of a keyboard, 70 to 260 ms apart. */
export function keyboard(random: Random): Float64Array {
  const parts: { atMs: number; samples: Float64Array }[] = []
  let atMs = 0
  for (let i = 2 + Math.floor(random.next() * 8); i > 0; i--) {
    const gain = between(random, 0.5, 1)
    const key = knock(random, between(random, 1200, 3000), between(random, 6, 18)).map((sample) => sample * gain)
    parts.push({ atMs, samples: key })
    atMs += between(random, 70, 260)
  }
  return mixed(parts)
}

/** A click of the tongue or the lips, or a cup that is put down. */
export function click(random: Random): Float64Array {
  return knock(random, between(random, 700, 2800), between(random, 8, 40))
}

/** A door: a low blow, and the latch after it. */
export function door(random: Random): Float64Array {
  const blow = knock(random, between(random, 180, 420), between(random, 60, 160))
  const latch = knock(random, between(random, 900, 2200), between(random, 15, 40)).map((sample) => sample * 0.4)
  return mixed([
    { atMs: 0, samples: blow },
    { atMs: between(random, 20, 140), samples: latch },
  ])
}

/** A few notes with their overtones: a ring tone or a radio. 300 to 1,500 ms. */
export function music(random: Random): Float64Array {
  const parts: { atMs: number; samples: Float64Array }[] = []
  const base = between(random, 220, 660)
  const resonances: Resonance[] = [
    { hz: 900, widthHz: 1500 },
    { hz: 2400, widthHz: 1500, gainDb: -6 },
  ]
  const noteMs = between(random, 120, 320)
  for (let i = 2 + Math.floor(random.next() * 4); i > 0; i--) {
    const semitones = oneOf(random, [0, 2, 4, 5, 7, 9, 12])
    const pitch = base * 2 ** (semitones / 12)
    const note = {
      durationMs: noteMs,
      pitchHz: [[0, pitch]] as Course,
      loudness: [
        [0, 0],
        [0.05, 1],
        [1, 0],
      ] as Course,
      resonances,
      jitter: 0,
      tiltDb: 13,
    }
    parts.push({ atMs: parts.length * noteMs * 0.9, samples: voiced(note, random) })
  }
  return mixed(parts)
}
