import { parseArgs } from 'node:util'
import { msToSamples } from '#audio/format.ts'
import { SystemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { type Random, seededRandom } from '#base/random.ts'
import { ModelStore, modelsFolder } from '#speech/model-store.ts'
import { loadOnnx } from '#speech/onnx.ts'
import { Silero } from '#speech/silero.ts'
import { SmartTurn, turnEndWindowMs } from '#speech/smart-turn.ts'
import { turnEndModelFile, turnEndModelId } from '#speech/turn-end.ts'
import { turnEndFeatureCount, turnEndWeightCount } from '#speech/turn-end-head.ts'
import { areaUnderCurve } from '../test/bed/turn-ends.ts'
import { material } from '../test/material/material.ts'
import { actedTurns } from './actors/acted-turns.ts'
import { onLines, overLine, pausesOf } from './bench/turns-pauses.ts'
import { writeWeights } from './overlap/weights-file.ts'

/**
 * Trains the head of the end-of-turn model on the `tune` split of the speech material and on what actors say in games,
 * and writes `src/speech/turn-end-weights.ts`. What it learns from is what the engine would ask the model: every pause
 * that the real detector finds in every turn, over lines with and without noise, and of the split's turns the same with
 * less of the turn before it. Logistic regression: it has one best answer.
 *
 *   scripts/bun scripts/train-turn-end.ts [--makings 3] [--acted 4000]
 *
 * `--makings`: how often the material is made anew, with other hesitations and noise. `--acted`: lines of actors. First it
 * trains four times without every fourth voice of the split and shows how those are judged, beside the model's own answer:
 * what is to be expected of voices that it has never heard. Half an hour of one core.
 */
interface Example {
  readonly features: Float32Array
  readonly over: boolean
  /** From the beginning of the turn. */
  readonly spokenMs: number
  readonly voice: string
}

const vad = { threshold: 0.5, minSpeechMs: 96, minSilenceMs: 160 }
const rateHz = 8000
const partMsMin = 800
const parts = 4
/** Ridge: found by leaving voices out. */
const ridge = 0.08
const rounds = 500
const stepSize = 0.004
const durationBins = 10

/** What the actors weigh of all: found by leaving voices out. */
const actedShare = 0.3

const { values } = parseArgs({
  options: { makings: { type: 'string', default: '3' }, acted: { type: 'string', default: '4000' } },
})
const { silero, smartTurn } = await models()
const examples = await heardExamples(Number(values.makings))
const acted = await actedExamples(Number(values.acted))
const voices = [...new Set(examples.map(({ voice }) => voice))].sort()
const judged = Array.from({ length: parts }, (_, part) => {
  const isLeftOut = ({ voice }: Example) => voices.indexOf(voice) % parts === part
  const weights = trained(
    examples.filter((example) => !isLeftOut(example)),
    acted,
  )
  return examples.filter(isLeftOut).map((example) => ({ ...example, sum: sumOf(example.features, weights) }))
}).flat()
const area = (score: (example: (typeof judged)[number]) => number) => {
  const where = (over: boolean) => judged.filter((each) => each.over === over).map(score)
  return areaUnderCurve(where(true), where(false)).toFixed(3)
}
const own = ({ features }: Example) => features[turnEndFeatureCount - 1] as number
console.log(`${examples.length} pauses of ${voices.length} voices, ${acted.length} of actors`)
console.log(`area under the curve, voices left out: ${area(({ sum }) => sum)}; by the model itself: ${area(own)}`)
writeWeights('turn-end', trained(examples, acted))
process.exit(0)

async function models(): Promise<{ readonly silero: Silero; readonly smartTurn: SmartTurn }> {
  const store = new ModelStore({
    folder: modelsFolder(process.env),
    clock: new SystemClock(),
    log: silentLog,
    env: process.env,
  })
  const fetched = await store.ensure([turnEndModelId], () => {})
  if (!fetched.ok) throw new Error(fetched.error.map(({ message }) => message).join('\n'))
  await loadOnnx()
  return {
    silero: await Silero.load(),
    smartTurn: await SmartTurn.load(store.path(turnEndModelId, turnEndModelFile), 1),
  }
}

async function heardExamples(makings: number): Promise<Example[]> {
  const random = seededRandom(makings)
  const found: Example[] = []
  for (let making = 1; making <= makings; making++) {
    const stuff = await material('tune', { seed: making, coding: 'mulaw' })
    for (const heard of onLines(stuff, making, stuff.turns.length)) {
      const pauses = await pausesOf(heard, silero, vad)
      for (const [index, { asked }] of pauses.entries()) {
        const over = index === pauses.length - 1
        for (const shown of [asked, laterPart(asked, random)]) found.push(await example(shown, over, heard.turn.voice))
      }
    }
    console.log(`making ${making} of ${makings}: ${found.length} pauses`)
  }
  return found
}

async function actedExamples(lines: number): Promise<Example[]> {
  const { noises } = await material('tune', { seed: 1 })
  const random = seededRandom(1)
  const found: Example[] = []
  let turns = 0
  for await (const turn of actedTurns(lines, 1)) {
    const pauses = await pausesOf(overLine(turn, turns, noises, random), silero, vad)
    for (const [index, { asked }] of pauses.entries())
      found.push(await example(asked, index === pauses.length - 1, 'an actor'))
    turns += 1
    if (turns % 1000 === 0) console.log(`${turns} turns of actors: ${found.length} pauses`)
  }
  return found
}

async function example(shown: Int16Array, over: boolean, voice: string): Promise<Example> {
  const features = await smartTurn.listen(shown, rateHz)
  return { features, over, spokenMs: (shown.length * 1000) / rateHz, voice }
}

/** As if the turn had begun later: turns of all lengths end alike. */
function laterPart(asked: Int16Array, random: Random): Int16Array {
  const least = msToSamples(partMsMin, rateHz)
  const most = Math.min(asked.length, msToSamples(turnEndWindowMs, rateHz))
  return most <= least ? asked : asked.subarray(-Math.round(least + random.next() * (most - least)))
}

/**
 * A turn is longer at its end than at its pauses, in this material more surely than in life: so that nothing is learned
 * from that, ends and pauses weigh the same at each length.
 */
function shares(from: readonly Example[]): Float64Array {
  const order = from.map((_, index) => index).sort((a, b) => (from[a]?.spokenMs ?? 0) - (from[b]?.spokenMs ?? 0))
  const share = new Float64Array(from.length)
  for (let bin = 0; bin < durationBins; bin++) {
    const inBin = order.slice((bin * order.length) / durationBins, ((bin + 1) * order.length) / durationBins)
    for (const over of [true, false]) {
      const alike = inBin.filter((index) => from[index]?.over === over)
      // A few of a kind must not outweigh all others.
      for (const index of alike) share[index] = 1 / Math.max(alike.length, inBin.length / 20)
    }
  }
  const total = share.reduce((sum, each) => sum + each, 0)
  return share.map((each) => each / total)
}

/** Weights of the features as they come, and the constant. */
function trained(own: readonly Example[], acted: readonly Example[]): Float32Array {
  const from = [...own, ...acted]
  const weight = acted.length === 0 ? 0 : actedShare
  const share = Float64Array.from([
    ...shares(own).map((each) => each * (1 - weight)),
    ...shares(acted).map((each) => each * weight),
  ])
  const mean = new Float64Array(turnEndFeatureCount)
  const scale = new Float64Array(turnEndFeatureCount)
  for (let feature = 0; feature < turnEndFeatureCount; feature++) {
    let sum = 0
    let squares = 0
    for (const { features } of from) {
      const value = features[feature] as number
      sum += value
      squares += value * value
    }
    mean[feature] = sum / from.length
    scale[feature] = 1 / Math.sqrt(Math.max(1e-12, squares / from.length - (sum / from.length) ** 2))
  }
  const rows = from.map(({ features }) =>
    features.map((value, feature) => (value - (mean[feature] as number)) * (scale[feature] as number)),
  )
  const slopes = descended(rows, from, share)
  const weights = new Float32Array(turnEndWeightCount)
  let constant = slopes[turnEndFeatureCount] as number
  for (let feature = 0; feature < turnEndFeatureCount; feature++) {
    const weight = (slopes[feature] as number) * (scale[feature] as number)
    weights[feature] = weight
    constant -= weight * (mean[feature] as number)
  }
  weights[turnEndFeatureCount] = constant
  return weights
}

/** Gradient descent over all rows at once, with a step of its own for each weight (Adam). */
function descended(rows: readonly Float32Array[], from: readonly Example[], share: Float64Array): Float64Array {
  const slopes = new Float64Array(turnEndWeightCount)
  const first = new Float64Array(turnEndWeightCount)
  const second = new Float64Array(turnEndWeightCount)
  for (let round = 1; round <= rounds; round++) {
    const gradient = slopes.map((slope, index) => (index < turnEndFeatureCount ? ridge * slope : 0))
    for (const [index, row] of rows.entries()) {
      const wrong = (1 / (1 + Math.exp(-sumOf(row, slopes))) - (from[index]?.over ? 1 : 0)) * (share[index] as number)
      for (let feature = 0; feature < turnEndFeatureCount; feature++) {
        gradient[feature] = (gradient[feature] as number) + wrong * (row[feature] as number)
      }
      gradient[turnEndFeatureCount] = (gradient[turnEndFeatureCount] as number) + wrong
    }
    const step = stepSize * (1 - (round - 1) / rounds)
    for (let index = 0; index < turnEndWeightCount; index++) {
      const slope = gradient[index] as number
      first[index] = 0.9 * (first[index] as number) + 0.1 * slope
      second[index] = 0.99 * (second[index] as number) + 0.01 * slope * slope
      const towards = (first[index] as number) / (1 - 0.9 ** round)
      const size = Math.sqrt((second[index] as number) / (1 - 0.99 ** round)) + 1e-9
      slopes[index] = (slopes[index] as number) - (step * towards) / size
    }
  }
  return slopes
}

function sumOf(features: Float32Array, weights: Float32Array | Float64Array): number {
  let sum = weights[turnEndFeatureCount] as number
  for (let index = 0; index < turnEndFeatureCount; index++) {
    sum += (features[index] as number) * (weights[index] as number)
  }
  return sum
}
