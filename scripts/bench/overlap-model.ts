import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { seededRandom } from '../../src/base/random.ts'
import { modelsFolder } from '../../src/speech/model-store.ts'
import { createOverlapModel, type WordsJudge } from '../../src/speech/overlap.ts'
import { overlapModelId } from '../../src/speech/overlap-judge.ts'
import { OverlapWords } from '../../src/speech/overlap-words.ts'
import { type LabelledClip, overlapMaterial } from '../overlap/clips.ts'
import { type Confusion, confusionOf, printConfusion } from '../overlap/scores.ts'

/**
 * How the overlap model judges voices it was never trained on, on quiet and on noisy lines, by the sound alone and with
 * the judge of words, and what both cost. It takes the models (`just models`).
 *
 *   scripts/bun scripts/bench/overlap-model.ts [--seed 1] [--json]
 */
export interface OverlapModelFigures {
  readonly bySound: readonly Confusion[]
  readonly withWords: readonly Confusion[]
  /** Of an answer about the words so far, in milliseconds: the median. */
  readonly answerMs: number
  /** Of 20 ms at 8 kHz, in microseconds: the median of many. */
  readonly frameUs: number
}

const frameSamples = 160
const warmUpFrames = 2000
const measuredFrames = 5000

export async function benchOverlapModel(seed: number): Promise<OverlapModelFigures> {
  const { clips, under } = await overlapMaterial('report', seed)
  // Sentences stand for interruptions in training, where there are few; what is counted here is what callers cut in with.
  const counted = clips.filter(({ kind }) => kind !== 'sentence')
  const folder = join(modelsFolder(process.env), overlapModelId)
  const encoder = await OverlapWords.load(join(folder, 'encoder_model.ort'), 1)
  const answers: number[] = []
  const words: WordsJudge = async (samples, sampleRateHz) => {
    const before = performance.now()
    const answer = await encoder.judge(samples, sampleRateHz)
    answers.push(performance.now() - before)
    return answer
  }
  return {
    bySound: await confusionOf({}, counted, under, seededRandom(seed)),
    withWords: await confusionOf({ words }, counted, under, seededRandom(seed)),
    answerMs: median(answers),
    frameUs: frameCost(counted),
  }
}

function frameCost(clips: readonly LabelledClip[]): number {
  const listener = createOverlapModel().open(8000)
  if (listener === null) throw new Error('the model does not hear 8 kHz')
  const costs: number[] = []
  let frames = 0
  while (costs.length < measuredFrames) {
    for (const { samples } of clips) {
      listener.begin(samples.subarray(0, frameSamples), 0)
      for (let at = frameSamples; at + frameSamples <= samples.length; at += frameSamples) {
        const before = performance.now()
        listener.push(samples.subarray(at, at + frameSamples))
        frames += 1
        if (frames > warmUpFrames) costs.push(1000 * (performance.now() - before))
      }
    }
  }
  return median(costs)
}

function median(values: number[]): number {
  values.sort((a, b) => a - b)
  return values[values.length >> 1] ?? 0
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { seed: { type: 'string', default: '1' }, json: { type: 'boolean', default: false } },
  })
  const figures = await benchOverlapModel(Number(values.seed))
  if (values.json) console.log(JSON.stringify(figures))
  else {
    console.log('by the sound alone')
    printConfusion(figures.bySound)
    console.log('with the judge of words')
    printConfusion(figures.withWords)
    console.log(`a frame of 20 ms: ${figures.frameUs.toFixed(0)} µs; an answer: ${figures.answerMs.toFixed(1)} ms`)
  }
}
