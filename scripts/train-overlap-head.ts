import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { seededRandom } from '../src/base/random.ts'
import { modelsFolder } from '../src/speech/model-store.ts'
import { leadMs } from '../src/speech/overlap.ts'
import { judgeFrames } from '../src/speech/overlap-head.ts'
import { OverlapWords } from '../src/speech/overlap-words.ts'
import { encodeWeights } from '../src/speech/weights-text.ts'
import { augmented } from './overlap/augment.ts'
import { importance, type LabelledClip, shares, standsIn, trainingMaterial } from './overlap/clips.ts'
import { freshHead, type HeadExample, trainHead } from './overlap/head-training.ts'
import { separation } from './overlap/scores.ts'

/**
 * Trains what judges the recogniser's view of an overlap, on the `tune` split of the speech material and the voices that
 * are there for training alone, and writes `src/speech/overlap-head-weights.ts`. It takes the models (`just models`) and
 * half an hour, most of it in the recogniser's encoder; where the neural voices have not spoken yet, twenty minutes more.
 *
 *   scripts/bun scripts/train-overlap-head.ts [--seed 1] [--epochs 24]
 *
 * First it trains four times without every fourth voice and shows how those of `tune` are judged: what is to be expected
 * of voices it has never heard.
 */
const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, epochs: { type: 'string', default: '24' } },
})
const seed = Number(values.seed)
const epochs = Number(values.epochs)
const parts = 4
const samplesPerMs = 8
const beginningsMs = [320, 420, 540, 680, 850, 1100] as const
/** So long after the last of the voice nothing more is to be heard. */
const endAfterMs = 200
const onsetOffMs = 60

interface Utterance {
  readonly clip: LabelledClip
  readonly beginnings: readonly HeadExample[]
}

const random = seededRandom(seed)
const { clips, under } = await trainingMaterial(seed)
const words = await OverlapWords.load(
  join(modelsFolder(process.env), 'moonshine-tiny-en', 'encoder_model.ort'),
  1,
  new Float32Array(0),
)
const weight = shares(clips, copies)
const utterances: Utterance[] = []
for (const clip of clips) {
  for (let copy = 0; copy < copies(clip); copy++) utterances.push({ clip, beginnings: await beginningsOf(clip) })
}
console.log(`${utterances.length} utterances of ${clips.length} clips`)

const voices = [...new Set(clips.map(({ voice }) => voice))].sort()
const judged: { readonly clip: LabelledClip; readonly scores: readonly number[] }[] = []
for (let part = 0; part < parts; part++) {
  const isLeftOut = ({ clip }: Utterance) => voices.indexOf(clip.voice) % parts === part
  const weights = trained(utterances.filter((utterance) => !isLeftOut(utterance)))
  for (const { clip, beginnings } of utterances.filter((each) => isLeftOut(each) && !standsIn(each.clip))) {
    judged.push({ clip, scores: beginnings.map(({ frames }) => judgeFrames(weights, frames)[0] as number) })
  }
}
for (const [name, belongs] of [
  ['human', ({ human }: LabelledClip) => human],
  ['synthetic', ({ human }: LabelledClip) => !human],
  ['all', () => true],
] as const) {
  for (const [index, ms] of beginningsMs.entries()) {
    const of = (label: number) =>
      judged.filter(({ clip }) => clip.label === label && belongs(clip)).map(({ scores }) => scores[index] as number)
    const backchannels = separation(of(0), of(1)).toFixed(3)
    console.log(
      `left out, ${name}, ${ms} ms: from backchannels ${backchannels}, from noises ${separation(of(0), of(2)).toFixed(3)}`,
    )
  }
}

const path = join(import.meta.dir, '..', 'src', 'speech', 'overlap-head-weights.ts')
const head = encodeWeights(trained(utterances))
writeFileSync(
  path,
  `/** Made by scripts/train-overlap-head.ts; \`overlap-head.ts\` says what lies where. */\n// biome-ignore format: one line\nexport const overlapHeadWeights = '${head}'\n`,
)
console.log(`wrote ${path}`)

function trained(from: readonly Utterance[]): Float32Array {
  const lists = from.map(({ beginnings }) => beginnings)
  const weights = freshHead(random, lists.flat())
  const losses = trainHead(weights, lists, epochs, random)
  console.log(`trained on ${from.length}: loss ${losses[0]?.toFixed(3)} to ${losses.at(-1)?.toFixed(3)}`)
  return weights
}

async function beginningsOf(clip: LabelledClip): Promise<HeadExample[]> {
  const heard = augmented(clip, under, random)
  const start = heard.onset - Math.round((leadMs + (random.next() * 2 - 1) * onsetOffMs) * samplesPerMs)
  const examples: HeadExample[] = []
  for (const ms of beginningsMs) {
    const end = Math.min(heard.onset + ms * samplesPerMs, heard.samples.length)
    const before = examples.at(-1)
    if (before !== undefined && end > heard.offset + endAfterMs * samplesPerMs) examples.push(before)
    else
      examples.push({
        frames: await words.frames(heard.samples.slice(start, end), 8000),
        label: clip.label,
        share: (weight[clip.label] as number) * importance(clip),
      })
  }
  return examples
}

/** People's before programs': there are few of them. */
function copies({ label, human, voice, kind }: LabelledClip): number {
  if (kind === 'piece' || kind === 'sentence') return 1
  if (kind === 'training') return 2
  if (label === 1) return human ? 10 : voice.startsWith('kokoro') ? 3 : 1
  if (label === 0) return human || voice.startsWith('kokoro') ? 2 : 1
  return 3
}
