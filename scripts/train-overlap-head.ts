import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { seededRandom } from '../src/base/random.ts'
import { modelsFolder } from '../src/speech/model-store.ts'
import { leadMs } from '../src/speech/overlap.ts'
import { encoderWidth, headResults, headUnits, headWeightCount } from '../src/speech/overlap-head.ts'
import { OverlapWords } from '../src/speech/overlap-words.ts'
import { actedClips } from './overlap/acted.ts'
import { augmented } from './overlap/augment.ts'
import {
  importanceOf,
  type LabelledClip,
  shares,
  standsIn,
  trainingMaterial,
  wordsImportance,
} from './overlap/clips.ts'
import { runPython } from './overlap/python.ts'
import { separation } from './overlap/scores.ts'
import { floatsOf, writeWeights } from './overlap/weights-file.ts'

/**
 * Trains what judges the recogniser's view of an overlap, on the `tune` split of the speech material, the voices that are
 * there for training alone and what actors say in games, and writes `src/speech/overlap-head-weights.ts`. It takes the
 * models (`just models`), Python with pip (`overlap/train_head.py`) and twenty minutes, most of it in the recogniser's
 * encoder; where the neural voices have not spoken yet and the actors were not heard, an hour more.
 *
 *   scripts/bun scripts/train-overlap-head.ts [--seed 1] [--epochs 12]
 *
 * First it trains four times without every fourth voice and shows how those of `tune` are judged: what is to be expected
 * of voices it has never heard.
 */
const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, epochs: { type: 'string', default: '12' } },
})
const seed = Number(values.seed)
const parts = 4
const samplesPerMs = 8
const beginningsMs = [320, 420, 540, 680, 850, 1100] as const
/** So long after the last of the voice nothing more is to be heard. */
const endAfterMs = 200
const onsetOffMs = 60

interface Utterance {
  readonly clip: LabelledClip
  /** For each beginning its first frame in the file of all, and how many. */
  readonly places: readonly (readonly [first: number, count: number])[]
}

const random = seededRandom(seed)
const { clips: own, under } = await trainingMaterial(seed)
const clips = [...own, ...(await actedClips((line) => console.error(line)))]
const words = await OverlapWords.load(
  join(modelsFolder(process.env), 'moonshine-tiny-en', 'encoder_model.ort'),
  1,
  new Float32Array(0),
)
const folder = mkdtempSync(join(tmpdir(), 'overlap-training-'))
try {
  const utterances = await written()
  const voices = [...new Set(clips.map(({ voice }) => voice))].sort()
  const partOf = ({ clip }: Utterance) => voices.indexOf(clip.voice) % parts
  const weight = shares(clips, copies, wordsImportance)
  const shape = {
    width: encoderWidth,
    units: headUnits,
    results: headResults,
    beginnings: beginningsMs.length,
    parts,
    epochs: Number(values.epochs),
    seed,
  }
  const table = (name: string, list: Int32Array | Float32Array) => writeFileSync(join(folder, name), list)
  table('places.i32', Int32Array.from(utterances.flatMap(({ places }) => places.flat())))
  table(
    'labels.i32',
    Int32Array.from(utterances, ({ clip }) => clip.label),
  )
  table('parts.i32', Int32Array.from(utterances, partOf))
  table(
    'shares.f32',
    Float32Array.from(utterances, ({ clip }) => (weight[clip.label] as number) * importanceOf(clip, wordsImportance)),
  )
  writeFileSync(join(folder, 'shape.json'), JSON.stringify(shape))
  console.log(`${utterances.length} utterances of ${clips.length} clips of ${voices.length} voices`)
  await runPython('train_head.py', folder)
  show(utterances, floatsOf(join(folder, 'scores.f32')))
  const weights = floatsOf(join(folder, 'weights.f32'))
  if (weights.length !== headWeightCount) throw new Error(`${weights.length} weights, and not ${headWeightCount}`)
  writeWeights('overlap-head', weights)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** All utterances, as the encoder hears their beginnings: into `frames.f32`. */
async function written(): Promise<Utterance[]> {
  const frames = openSync(join(folder, 'frames.f32'), 'w')
  let next = 0
  const place = (found: Float32Array): readonly [number, number] => {
    writeSync(frames, found)
    const first = next
    next += found.length / encoderWidth
    return [first, next - first]
  }
  const utterances: Utterance[] = []
  for (const clip of clips) {
    for (let copy = 0; copy < copies(clip); copy++) {
      utterances.push({ clip, places: await placesOf(clip, place) })
      if (utterances.length % 2000 === 0) console.log(`${utterances.length} heard`)
    }
  }
  closeSync(frames)
  return utterances
}

async function placesOf(
  clip: LabelledClip,
  place: (frames: Float32Array) => readonly [number, number],
): Promise<Utterance['places']> {
  const heard = augmented(clip, under, random)
  const start = heard.onset - Math.round((leadMs + (random.next() * 2 - 1) * onsetOffMs) * samplesPerMs)
  // What only stands in is heard twice, for the encoder takes most of the time.
  const kept = standsIn(clip) ? [pick(0, 3), pick(3, 6)] : beginningsMs.map((_, index) => index)
  const places: (readonly [number, number])[] = []
  for (const [index, ms] of beginningsMs.entries()) {
    const before = places.at(-1)
    const end = Math.min(heard.onset + ms * samplesPerMs, heard.samples.length)
    const isOver = end > heard.offset + endAfterMs * samplesPerMs
    if (before !== undefined && (isOver || !kept.includes(index))) places.push(before)
    else places.push(place(await words.frames(heard.samples.slice(start, end), 8000)))
  }
  return places
}

function pick(from: number, to: number): number {
  return from + Math.floor(random.next() * (to - from))
}

/** @param scores [utterances][beginnings][results] */
function show(utterances: readonly Utterance[], scores: Float32Array): void {
  const scoresOf = (index: number, beginning: number) =>
    scores[(index * beginningsMs.length + beginning) * headResults] as number
  for (const [name, belongs] of [
    ['human', ({ human }: LabelledClip) => human],
    ['synthetic', ({ human }: LabelledClip) => !human],
    ['all', () => true],
  ] as const) {
    for (const [beginning, ms] of beginningsMs.entries()) {
      const of = (label: number) =>
        utterances.flatMap(({ clip }, index) =>
          clip.label === label && belongs(clip) && !standsIn(clip) ? [scoresOf(index, beginning)] : [],
        )
      const backchannels = separation(of(0), of(1)).toFixed(3)
      console.log(
        `left out, ${name}, ${ms} ms: from backchannels ${backchannels}, from noises ${separation(of(0), of(2)).toFixed(3)}`,
      )
    }
  }
}

/** People's before programs': there are few of them. */
function copies({ label, human, voice, kind }: LabelledClip): number {
  if (kind === 'piece' || kind === 'sentence') return 1
  if (kind === 'training') return 2
  if (kind === 'acted') return label === 1 ? 6 : 1
  if (label === 1) return human ? 10 : voice.startsWith('kokoro') ? 3 : 1
  if (label === 0) return human || voice.startsWith('kokoro') ? 2 : 1
  return 3
}
