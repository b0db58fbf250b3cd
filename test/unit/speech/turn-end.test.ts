import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { type ModelEntry, modelRegistry } from '#speech/model-registry.ts'
import { ModelStore } from '#speech/model-store.ts'
import { TurnEnd, turnEndModelFile, turnEndModelId } from '#speech/turn-end.ts'
import { embeddedModel, FakeInferenceWorker, until } from '../../fakes/inference-worker.ts'
import { ManualClock } from './manual-clock.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchcord-turn-end-'))
afterAll(() => rmSync(folder, { recursive: true }))

const there = embeddedModel(turnEndModelId, 'end_of_turn')

class Judge extends FakeInferenceWorker {
  /** Answers the question it was given last. */
  answer(probability: number): void {
    this.say({ type: 'judged', job: this.asked('judge').at(-1)?.job ?? 0, probability })
  }
}

async function setUp(options: { readonly registry?: readonly ModelEntry[]; readonly queueMax?: number } = {}) {
  const { registry = [there], ...rest } = options
  const clock = new ManualClock()
  const workers: Judge[] = []
  const store = new ModelStore({ folder, clock, log: silentLog, env: {}, registry })
  const turnEnd = new TurnEnd({
    clock,
    log: silentLog,
    store,
    deadlineMs: 400,
    random: seededRandom(1),
    createWorker: () => {
      const worker = new Judge()
      workers.push(worker)
      return worker
    },
    ...rest,
  })
  const worker = () => workers.at(-1) as Judge
  const ready = async () => {
    turnEnd.start()
    await until(() => workers.length > 0)
    worker().say({ type: 'listening' })
    worker().say({ type: 'ready' })
  }
  const never = new AbortController().signal
  const judge = (signal = never, samples = new Int16Array(160), rateHz = 8000) => turnEnd.judge(samples, rateHz, signal)
  return { clock, turnEnd, worker, workers, ready, judge }
}

describe('TurnEnd', () => {
  test('a model that is not there: said with its cure, no worker, no answer', async () => {
    const { turnEnd, workers, judge } = await setUp({ registry: modelRegistry })
    turnEnd.start()
    await until(() => JSON.stringify(turnEnd.readiness()).includes('patchcord models'))
    expect(turnEnd.readiness()).toEqual({ ready: false, reason: expect.stringContaining(turnEndModelId) })
    expect(await judge()).toBeNull()
    expect([workers.length, turnEnd.stats.unanswered]).toEqual([0, 1])
    await turnEnd.close()
  })

  test('the registry has the file that it loads', () => {
    const entry = modelRegistry.find((each) => each.id === turnEndModelId)
    expect(entry?.kind === 'files' ? entry.files.map((file) => file.path) : []).toEqual([turnEndModelFile])
  })

  test('loads, answers, and keeps count', async () => {
    const { clock, turnEnd, worker, ready, judge } = await setUp()
    await ready()
    expect(turnEnd.readiness()).toEqual({ ready: true })
    expect(worker().sent[0]).toEqual({
      type: 'load_turn_end',
      model: join(folder, turnEndModelId, turnEndModelFile),
      threads: 1,
    })
    const answer = judge()
    clock.advance(70)
    worker().answer(0.75)
    expect(await answer).toBe(0.75)
    expect(turnEnd.stats).toEqual({ waiting: 0, restarts: 0, judged: 1, unanswered: 0, lastRunMs: 70 })
    // The deadline of an answered question is gone.
    expect(clock.timerCount).toBe(0)
  })

  test('takes a copy of the last 8 s at once', async () => {
    const { worker, ready, judge } = await setUp()
    await ready()
    const samples = Int16Array.from({ length: 9 * 8000 }, (_, at) => Math.floor(at / 8))
    void judge(undefined, samples)
    samples.fill(-1)
    const [asked] = worker().asked('judge')
    expect([asked?.samples.length, asked?.samples[0], asked?.samples.at(-1)]).toEqual([64_000, 1000, 8999])
    expect(asked?.sampleRateHz).toBe(8000)
  })

  test('a late answer is none, and the next question is heard', async () => {
    const { clock, turnEnd, worker, ready, judge } = await setUp()
    await ready()
    const first = judge()
    clock.advance(399)
    expect(turnEnd.stats.unanswered).toBe(0)
    clock.advance(1)
    expect(await first).toBeNull()
    const second = judge()
    worker().answer(0.9)
    worker().answer(0.2)
    expect(await second).toBe(0.2)
    expect(turnEnd.stats).toMatchObject({ judged: 1, unanswered: 1 })
  })

  test('a question that waited until its deadline never reaches the worker', async () => {
    const { clock, turnEnd, worker, ready, judge } = await setUp()
    await ready()
    const both = [judge(), judge()]
    expect(turnEnd.stats.waiting).toBe(1)
    clock.advance(400)
    expect(await Promise.all(both)).toEqual([null, null])
    expect([turnEnd.stats.waiting, worker().asked('judge').length]).toEqual([0, 1])
  })

  test('a full queue answers at once', async () => {
    const { turnEnd, ready, judge } = await setUp({ queueMax: 1 })
    await ready()
    void judge()
    void judge()
    expect(await judge()).toBeNull()
    expect(turnEnd.stats).toMatchObject({ waiting: 1, unanswered: 1 })
  })

  test('who would wait too long at the pace of the last answer is told so at once; who waits for nobody is not', async () => {
    const { clock, turnEnd, worker, ready, judge } = await setUp()
    await ready()
    const slow = judge()
    clock.advance(130)
    worker().answer(0.5)
    await slow
    void judge()
    void judge()
    // Behind one that runs and one that waits: 3 × 130 ms are within 400, 4 × 130 are not.
    void judge()
    expect(turnEnd.stats.waiting).toBe(2)
    expect(await judge()).toBeNull()
    expect(turnEnd.stats.waiting).toBe(2)
  })

  test('an abort takes the question back, and is no failure', async () => {
    const { clock, turnEnd, worker, ready, judge } = await setUp()
    await ready()
    const abort = new AbortController()
    const answer = judge(abort.signal)
    abort.abort()
    expect(await answer).toBeNull()
    expect(worker().sent.at(-1)?.type).toBe('cancel')
    expect(await judge(abort.signal)).toBeNull()
    expect([turnEnd.stats.unanswered, worker().asked('judge').length]).toEqual([0, 1])
    worker().answer(0.5)
    expect(clock.timerCount).toBe(0)
  })

  test('no audio, no question', async () => {
    const { worker, ready, judge } = await setUp()
    await ready()
    expect(await judge(undefined, new Int16Array(0))).toBeNull()
    expect(worker().asked('judge')).toEqual([])
  })

  test('a worker that dies or fails costs one answer', async () => {
    const { clock, turnEnd, worker, workers, ready, judge } = await setUp()
    await ready()
    const failing = judge()
    worker().say({ type: 'job_failed', job: worker().asked('judge')[0]?.job ?? 0, message: 'no' })
    expect(await failing).toBeNull()
    const dying = judge()
    worker().die()
    expect(await dying).toBeNull()
    expect([turnEnd.readiness().ready, turnEnd.stats.restarts]).toEqual([false, 1])
    clock.advance(1000)
    expect(workers.length).toBe(2)
    await ready()
    const answer = judge()
    worker().answer(0.1)
    expect(await answer).toBe(0.1)
  })

  test('a file that is no model: said, and no answer', async () => {
    const { turnEnd, workers, worker, judge } = await setUp()
    turnEnd.start()
    await until(() => workers.length > 0)
    worker().say({ type: 'listening' })
    worker().say({ type: 'load_failed', message: 'not a graph' })
    expect(turnEnd.readiness()).toEqual({ ready: false, reason: expect.stringContaining('not a graph') })
    expect(await judge()).toBeNull()
  })

  test('closing answers what is open', async () => {
    const { clock, turnEnd, ready, judge } = await setUp()
    await ready()
    const open = [judge(), judge()]
    await turnEnd.close()
    expect(await Promise.all(open)).toEqual([null, null])
    expect(await judge()).toBeNull()
    expect(clock.timerCount).toBe(0)
  })
})
