// Takes that are made and not recorded: hums of the hummers, and what the throats and things of coughs.ts do. The seed
// varies every one of them.

import { seededRandom } from '#base/random.ts'
import { breathing, click, coughFit, door, keyboard, laugh, music, sneeze, throatClear } from './coughs.ts'
import { HUM_KINDS, type Hummer, hum } from './hums.ts'
import type { Take, TakeUse } from './take.ts'
import type { Split, VoiceId } from './voices.ts'
import { voiceOf } from './voices.ts'

const hummer = (
  id: VoiceId,
  pitchHz: number,
  tract: number,
  breathiness: number,
): Hummer & { readonly id: VoiceId } => ({
  id,
  pitchHz,
  tract,
  breathiness,
})

const HUMMERS = [
  hummer('hum-95', 95, 1.08, 0.1),
  hummer('hum-118', 118, 1, 0.3),
  hummer('hum-140', 140, 0.98, 0.6),
  hummer('hum-175', 175, 0.9, 0.2),
  hummer('hum-205', 205, 0.86, 0.4),
  hummer('hum-240', 240, 0.8, 0.15),
  hummer('hum-88', 88, 1.1, 0.5),
  hummer('hum-110', 110, 1.03, 0.15),
  hummer('hum-128', 128, 1, 0.45),
  hummer('hum-160', 160, 0.92, 0.1),
  hummer('hum-190', 190, 0.88, 0.7),
  hummer('hum-222', 222, 0.84, 0.3),
]

const MAKERS = [
  ['cough', coughFit, 36],
  ['throat_clear', throatClear, 18],
  ['sneeze', sneeze, 8],
  ['laugh', laugh, 14],
  ['breath', breathing, 14],
  ['click', click, 8],
  ['keyboard', keyboard, 10],
  ['door', door, 8],
  ['music', music, 8],
] as const satisfies readonly (readonly [TakeUse, unknown, number])[]

/** Far from each other, so that no two sounds of one material share a seed. */
const SEED_STEP = 1_000_003

export function madeSounds(split: Exclude<Split, 'train'>, seed: number): Take[] {
  let next = seed * SEED_STEP + (split === 'tune' ? 0 : 500_009)
  const hums = HUMMERS.filter(({ id }) => voiceOf(id).split === split).flatMap((who) =>
    HUM_KINDS.map((kind): Take => {
      const own = next++
      const name = `${who.id}-${kind.replaceAll(' ', '_')}-${seed}`
      return {
        name,
        use: 'backchannel',
        voice: who.id,
        how: 'synthesised',
        text: kind,
        load: async () => hum(who, kind, own),
      }
    }),
  )
  const others = MAKERS.flatMap(([use, make, count]) =>
    Array.from({ length: count }, (_, i): Take => {
      const own = next++
      const name = `${use}-${split}-${i}-${seed}`
      return {
        name,
        use,
        voice: `throats-${split}`,
        how: 'synthesised',
        text: null,
        load: async () => make(seededRandom(own)),
      }
    }),
  )
  return [...hums, ...others]
}
