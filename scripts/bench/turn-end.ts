import { resampleWhole } from '#audio/resample.ts'
import { type Clock, SystemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { MelFeatures, melBands, melFrames, melRateHz, melSamples } from '#speech/mel.ts'
import { ModelStore, modelsFolder } from '#speech/model-store.ts'
import { createSession, loadOnnx } from '#speech/onnx.ts'
import { SmartTurn } from '#speech/smart-turn.ts'
import { TurnEnd, turnEndModelFile, turnEndModelId } from '#speech/turn-end.ts'
import { onLine, wholeTurns } from '../../test/bed/turn-ends.ts'
import { machine, percentile } from './figures.ts'
import { scoreTurnEnds, type TurnEndScores } from './turn-end-scores.ts'

/**
 * The end-of-turn model on this machine: what a judgement costs, whether batches make it cheaper, and how the model
 * scores turns that are over and turns that are not (`--scores`, some minutes). One ONNX thread throughout.
 *
 *   bun scripts/bench/turn-end.ts [--scores] [--json]
 */
export interface TurnEndFigures {
  readonly load_ms: number
  readonly features_ms: Spread
  readonly resample_ms: Spread
  /** Resampling, features and model, one at a time, on the calling thread. */
  readonly judge_ms: Spread
  /** From question to answer, through the worker. */
  readonly answer_ms: Spread
  /** Judgements for each second of CPU, by how many are run at once; the model alone. */
  readonly per_core_second: Readonly<Record<`batch_${number}`, number>>
  readonly scores?: TurnEndScores
}

export interface Spread {
  readonly n: number
  readonly p50: number
  readonly p95: number
}

const rounds = 40
const batches = [1, 4, 8] as const
/** Judgements in a measurement of a batch size: as many whatever the size. */
const judgementsPerBatch = 32

/** @param withScores a thousand judgements more */
export async function benchTurnEnd(
  withScores: boolean,
): Promise<{ readonly lines: readonly string[]; readonly figures: TurnEndFigures }> {
  const clock = new SystemClock()
  const store = new ModelStore({ folder: modelsFolder(process.env), clock, log: silentLog, env: process.env })
  const fetched = await store.ensure([turnEndModelId], () => {})
  if (!fetched.ok) throw new Error(fetched.error.map(({ message }) => message).join('\n'))
  const model = store.path(turnEndModelId, turnEndModelFile)
  await loadOnnx()
  const loadedMs = clock.now()
  const smartTurn = await SmartTurn.load(model, 1)
  const loadMs = clock.now() - loadedMs

  const turns = (await wholeTurns(2)).flatMap((set) => set.turns).map((turn) => onLine(turn, 200))
  const turnAt = (round: number) => turns[round % turns.length] as Int16Array
  const noise = noiseOf(melSamples)
  const narrow = noiseOf(melSamples / 2)
  const mel = new MelFeatures()
  const into = new Float32Array(melBands * melFrames)
  const features = await spreadOf(clock, rounds, () => mel.compute(noise, into))
  const resample = await spreadOf(clock, rounds, () => resampleWhole(narrow, melRateHz / 2, melRateHz))
  const judge = await spreadOf(clock, rounds, (round) => smartTurn.judge(turnAt(round), 8000))
  const answer = await throughWorker(clock, store, turnAt)
  const perCore: Record<`batch_${number}`, number> = {}
  for (const size of batches) perCore[`batch_${size}`] = await perCoreSecond(model, size)
  const scores = withScores ? await scoreTurnEnds(smartTurn, store) : null
  const figures: TurnEndFigures = {
    load_ms: rounded(loadMs),
    features_ms: features,
    resample_ms: resample,
    judge_ms: judge,
    answer_ms: answer,
    per_core_second: perCore,
    ...(scores === null ? {} : { scores: scores.figures }),
  }
  const said = ({ n, p50, p95 }: Spread) => `p50 ${p50}, p95 ${p95} ms (n ${n})`
  const lines = [
    `end-of-turn model: loaded, first run included, in ${figures.load_ms} ms; one thread`,
    `features of 8 s: ${said(features)}; 8 s from 8 to 16 kHz: ${said(resample)}`,
    `a judgement, human turns at 8 kHz, one at a time: ${said(judge)}; through the worker: ${said(answer)}`,
    `judgements a core-second, the model alone: ${batches.map((size) => `${perCore[`batch_${size}`]} in batches of ${size}`).join(', ')}`,
    ...(scores?.lines ?? []),
  ]
  return { lines, figures }
}

async function throughWorker(clock: Clock, store: ModelStore, turnAt: (round: number) => Int16Array): Promise<Spread> {
  const turnEnd = new TurnEnd({ clock, log: silentLog, store, deadlineMs: 10_000 })
  turnEnd.start()
  try {
    while (!turnEnd.readiness().ready) await clock.sleep(5)
    const never = new AbortController().signal
    return await spreadOf(clock, rounds, async (round) => {
      if ((await turnEnd.judge(turnAt(round), 8000, never)) === null) throw new Error('the worker gave no answer')
    })
  } finally {
    await turnEnd.close()
  }
}

async function perCoreSecond(model: string, size: number): Promise<number> {
  const { Tensor } = await loadOnnx()
  const session = await createSession(model, { threads: 1 })
  const features = new Float32Array(size * melBands * melFrames)
  const mel = new MelFeatures()
  for (let at = 0; at < size; at++) mel.compute(noiseOf(melSamples), features, at * melBands * melFrames)
  const run = () => session.run({ input_features: new Tensor('float32', features, [size, melBands, melFrames]) })
  await run()
  const usage = process.cpuUsage()
  for (let done = 0; done < judgementsPerBatch; done += size) await run()
  const used = process.cpuUsage(usage)
  await session.release()
  return rounded(judgementsPerBatch / ((used.user + used.system) / 1e6))
}

async function spreadOf(clock: Clock, count: number, run: (round: number) => unknown): Promise<Spread> {
  const took: number[] = []
  // What is compiled while it runs is quick only after some rounds.
  for (let round = -5; round < count; round++) {
    const beganMs = clock.now()
    await run(round + 5)
    if (round >= 0) took.push(clock.now() - beganMs)
  }
  return { n: count, p50: rounded(percentile(took, 0.5)), p95: rounded(percentile(took, 0.95)) }
}

function noiseOf(length: number): Int16Array {
  const random = seededRandom(1)
  return Int16Array.from({ length }, () => Math.round((random.next() - 0.5) * 4000))
}

const rounded = (value: number) => Math.round(value * 10) / 10

if (import.meta.main) {
  console.log(machine())
  const { lines, figures } = await benchTurnEnd(process.argv.includes('--scores'))
  for (const line of lines) console.log(line)
  if (process.argv.includes('--json')) console.log(JSON.stringify(figures))
  process.exit(0)
}
