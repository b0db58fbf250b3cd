import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Random, seededRandom } from '../src/base/random.ts'
import { encodeWeights } from '../src/speech/weights-text.ts'
import { augmented } from './overlap/augment.ts'
import { type LabelledClip, type OverlapMaterial, overlapMaterial, shares } from './overlap/clips.ts'
import { confusionOf, printConfusion } from './overlap/scores.ts'
import { type HeardSequence, sequenceOf } from './overlap/sequences.ts'
import { freshWeights, setScale, Trainer } from './overlap/training.ts'

/**
 * Trains the overlap model on the `tune` split of the speech material and writes `src/speech/overlap-weights.ts`.
 *
 *   scripts/bun scripts/train-overlap.ts [--seed 1] [--epochs 10] [--without N]
 *
 * `--without N` (0 to 3) leaves out every fourth voice from the Nth on, shows how those are judged, and writes nothing:
 * what is to be expected of voices the model has never heard. Ten minutes on two busy cores.
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    epochs: { type: 'string', default: '10' },
    without: { type: 'string' },
  },
})
const parts = 4
/** Made anew so often: no caller says a thing twice the same way. */
const epochsPerMaking = 2

const seed = Number(values.seed)
const epochs = Number(values.epochs)
const material = await overlapMaterial('tune', seed)
const random = seededRandom(seed)
const voices = [...new Set(material.clips.map(({ voice }) => voice))].sort()
const without = values.without === undefined ? null : Number(values.without)
const isLeftOut = ({ voice }: LabelledClip) => without !== null && voices.indexOf(voice) % parts === without
const clips = material.clips.filter((clip) => !isLeftOut(clip))

const weights = freshWeights(random)
let sequences = made(clips, material.under, random)
setScale(weights, sequences)
const trainer = new Trainer(weights, random, sequences.length * epochs)
console.log(
  `${clips.length} clips of ${new Set(clips.map(({ voice }) => voice)).size} voices, ${sequences.length} an epoch`,
)
for (let epoch = 1; epoch <= epochs; epoch++) {
  console.log(`epoch ${epoch}: loss ${trainer.epoch(sequences).toFixed(4)}`)
  if (epoch % epochsPerMaking === 0 && epoch < epochs) sequences = made(clips, material.under, random)
}
if (without === null) {
  const path = join(import.meta.dir, '..', 'src', 'speech', 'overlap-weights.ts')
  writeFileSync(path, weightsFile(encodeWeights(weights)))
  console.log(`wrote ${path}`)
} else {
  printConfusion(
    await confusionOf({ weights }, material.clips.filter(isLeftOut), material.under, seededRandom(seed + 1)),
  )
}

/** Each clip in as many ways as its class is short of: people's before programs', for there are few of them. */
function made(from: readonly LabelledClip[], under: OverlapMaterial['under'], chance: Random): HeardSequence[] {
  const weight = shares(from, copies)
  return from.flatMap((clip) => {
    const share = weight[clip.label] as number
    const wanted = copies(clip)
    const count = Math.floor(wanted) + (chance.next() < wanted % 1 ? 1 : 0)
    return Array.from({ length: count }, () => sequenceOf(augmented(clip, under, chance), clip.label, share, chance))
  })
}

function copies({ label, human, voice }: LabelledClip): number {
  if (label === 1) return human ? 6 : voice.startsWith('kokoro') ? 4 : 2
  if (label === 0) return voice.startsWith('kokoro') ? 2 : 1
  return human ? 2 : 1.5
}

function weightsFile(encoded: string): string {
  return [
    '/** Made by scripts/train-overlap.ts; `overlap-network.ts` says what lies where. */',
    '// biome-ignore format: one line',
    `export const overlapWeights = '${encoded}'`,
    '',
  ].join('\n')
}
