import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { seededRandom } from '../src/base/random.ts'
import { featureCount } from '../src/speech/overlap-features.ts'
import { resultCount, stateUnits, tapCount, weightCount } from '../src/speech/overlap-network.ts'
import { augmented } from './overlap/augment.ts'
import {
  importanceOf,
  type LabelledClip,
  shares,
  soundImportance,
  standsIn,
  trainingMaterial,
} from './overlap/clips.ts'
import { runPython } from './overlap/python.ts'
import { confusionOf, printConfusion } from './overlap/scores.ts'
import { sequenceOf, windowsMax } from './overlap/sequences.ts'
import { floatsOf, writeWeights } from './overlap/weights-file.ts'

/**
 * Trains the overlap network on the `tune` split of the speech material and the voices that are there for training alone,
 * and writes `src/speech/overlap-weights.ts`. It takes Python with pip: the training itself is JAX's
 * (`overlap/train.py`), in a folder of its own.
 *
 *   scripts/bun scripts/train-overlap.ts [--seed 1] [--epochs 24] [--without N]
 *
 * `--without N` (0 to 3) leaves out every fourth voice from the Nth on, shows how those are judged, and writes nothing:
 * what is to be expected of voices the model has never heard. A quarter of an hour on two cores; where the neural voices
 * have not spoken yet, half an hour more.
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    epochs: { type: 'string', default: '24' },
    without: { type: 'string' },
  },
})
const parts = 4
/** No caller says a thing twice the same way: all is made so often, and the epochs take turns. */
const makings = 4

const seed = Number(values.seed)
const { clips: all, under } = await trainingMaterial(seed)
const random = seededRandom(seed)
const voices = [...new Set(all.map(({ voice }) => voice))].sort()
const without = values.without === undefined ? null : Number(values.without)
const isLeftOut = ({ voice }: LabelledClip) => without !== null && voices.indexOf(voice) % parts === without
const clips = all.filter((clip) => !isLeftOut(clip))

const folder = mkdtempSync(join(tmpdir(), 'overlap-training-'))
try {
  const counts = Array.from({ length: makings }, (_, making) => make(making))
  const shape = {
    windows: windowsMax,
    features: featureCount,
    taps: tapCount,
    units: stateUnits,
    results: resultCount,
    epochs: Number(values.epochs),
    seed,
    counts,
  }
  writeFileSync(join(folder, 'shape.json'), JSON.stringify(shape))
  console.log(`${clips.length} clips of ${new Set(clips.map(({ voice }) => voice)).size} voices, ${counts[0]} an epoch`)
  await runPython('train.py', folder)
  await use(floatsOf(join(folder, 'weights.f32')))
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function use(weights: Float32Array): Promise<void> {
  if (weights.length !== weightCount) throw new Error(`${weights.length} weights, and not ${weightCount}`)
  if (without !== null) {
    const heldOut = all.filter((clip) => isLeftOut(clip) && !standsIn(clip))
    printConfusion(await confusionOf({ weights }, heldOut, under, seededRandom(seed + 1)))
    return
  }
  writeWeights('overlap', weights)
}

/** Each clip in as many ways as its class is short of: people's before programs', for there are few of them. */
function make(making: number): number {
  const weight = shares(clips, copies, soundImportance)
  const made = clips.flatMap((clip) => {
    const share = (weight[clip.label] as number) * importanceOf(clip, soundImportance)
    const sequence = () => sequenceOf(augmented(clip, under, random), clip.label, share, random)
    return Array.from({ length: copies(clip) }, sequence)
  })
  const features = new Float32Array(made.length * windowsMax * featureCount)
  const windowWeights = new Float32Array(made.length * windowsMax)
  for (const [index, sequence] of made.entries()) {
    features.set(sequence.features, index * windowsMax * featureCount)
    windowWeights.set(sequence.weights, index * windowsMax)
  }
  writeFileSync(join(folder, `features-${making}.f32`), features)
  writeFileSync(join(folder, `weights-${making}.f32`), windowWeights)
  writeFileSync(
    join(folder, `labels-${making}.i32`),
    Int32Array.from(made, ({ label }) => label),
  )
  return made.length
}

function copies({ label, human, voice, kind }: LabelledClip): number {
  if (kind === 'piece' || kind === 'sentence') return 2
  if (kind === 'training') return 2
  if (label === 1) return human ? 16 : voice.startsWith('kokoro') ? 5 : 3
  if (label === 0) return human || voice.startsWith('kokoro') ? 4 : 3
  return 4
}
