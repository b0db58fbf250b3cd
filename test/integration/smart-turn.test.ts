import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { resampleWhole } from '#audio/resample.ts'
import { SystemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { ModelStore, modelsFolder } from '#speech/model-store.ts'
import { SmartTurn } from '#speech/smart-turn.ts'
import { TurnEnd, turnEndModelFile, turnEndModelId } from '#speech/turn-end.ts'
import { areaUnderCurve, cutTurns, onLine, type TurnSet, wholeTurns } from '../bed/turn-ends.ts'

/**
 * The real model in its worker, on human speech at telephone quality: sentences that were said to their end against the
 * same ones broken off at a word. Synthetic voices are measured in `scripts/bench/turn-end.ts` alone: the model can
 * hardly tell them apart, with its maker's own code neither.
 */
const clock = new SystemClock()
const store = new ModelStore({ folder: modelsFolder(process.env), clock, log: silentLog, env: process.env })
const never = new AbortController().signal
const silenceMs = 200

let turnEnd: TurnEnd
let over: readonly TurnSet[]
let notOver: readonly TurnSet[]

beforeAll(async () => {
  const fetched = await store.ensure([turnEndModelId], () => {})
  if (!fetched.ok) throw new Error(fetched.error.map((failure) => failure.message).join('\n'))
  over = await wholeTurns(6)
  notOver = await cutTurns(6)
  // A busy machine is slow: how fast it answers is what the bench measures.
  turnEnd = new TurnEnd({ clock, log: silentLog, store, deadlineMs: 60_000 })
  turnEnd.start()
  for (let tries = 0; tries < 2000 && !turnEnd.readiness().ready; tries++) await Bun.sleep(10)
  expect(turnEnd.readiness()).toEqual({ ready: true })
}, 300_000)

afterAll(() => turnEnd?.close())

async function scoresOf(sets: readonly TurnSet[]): Promise<number[]> {
  const scores: number[] = []
  for (const turn of sets.flatMap(({ turns }) => turns)) {
    const score = await turnEnd.judge(onLine(turn, silenceMs), 8000, never)
    if (score === null) throw new Error('no answer')
    scores.push(score)
  }
  return scores
}

const median = (scores: readonly number[]) => scores.toSorted((a, b) => a - b)[scores.length >> 1] as number

describe('the end-of-turn model', () => {
  test('whole sentences score clearly higher than the same ones broken off', async () => {
    const whole = await scoresOf(over)
    const cut = await scoresOf(notOver)
    const area = areaUnderCurve(whole, cut)
    console.log(
      `end of turn, human speech at 8 kHz, ${silenceMs} ms of silence: area under the curve ${area.toFixed(3)}; ${whole.length} whole, median ${median(whole).toFixed(2)}; ${cut.length} cut, median ${median(cut).toFixed(2)}`,
    )
    expect(area).toBeGreaterThan(0.85)
    expect(median(whole)).toBeGreaterThan(0.75)
    expect(median(cut)).toBeLessThan(0.45)
    expect(turnEnd.stats).toMatchObject({ judged: whole.length + cut.length, unanswered: 0, restarts: 0 })
    expect(turnEnd.stats.lastRunMs).toBeGreaterThan(0)
  }, 240_000)

  test('the worker says what the model says, and a wider copy of the same audio gets the same verdict', async () => {
    const model = await SmartTurn.load(store.path(turnEndModelId, turnEndModelFile), 1)
    for (const turn of over[0]?.turns.slice(0, 3) ?? []) {
      const audio = onLine(turn, silenceMs)
      const narrow = (await turnEnd.judge(audio, 8000, never)) ?? Number.NaN
      expect(narrow).toBeCloseTo(await model.judge(audio, 8000), 4)
      const wide = (await turnEnd.judge(resampleWhole(audio, 8000, 16_000), 16_000, never)) ?? Number.NaN
      expect(Math.abs(wide - narrow)).toBeLessThan(0.05)
    }
  }, 60_000)

  test('only the last 8 s count, and audio of no length or of one frame is no trouble', async () => {
    const turn = over[0]?.turns[0] ?? new Int16Array(0)
    const audio = onLine(turn, silenceMs)
    const long = new Int16Array(20 * 8000)
    long.set(audio, long.length - audio.length)
    const short = await turnEnd.judge(long.slice(-8 * 8000), 8000, never)
    expect(await turnEnd.judge(long, 8000, never)).toBe(short)
    expect(await turnEnd.judge(new Int16Array(160), 8000, never)).toBeGreaterThanOrEqual(0)
    expect(await turnEnd.judge(new Int16Array(0), 8000, never)).toBeNull()
  }, 60_000)
})
