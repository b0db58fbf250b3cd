import { afterAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { ModelStore } from '#speech/model-store.ts'
import { OverlapJudge, overlapModelId } from '#speech/overlap-judge.ts'
import { embeddedModel, FakeInferenceWorker, until } from '../../fakes/inference-worker.ts'
import { ManualClock } from './manual-clock.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchcord-overlap-'))
afterAll(() => rmSync(folder, { recursive: true }))

const there = embeddedModel(overlapModelId, 'stt')

async function setUp(loads = true) {
  const clock = new ManualClock()
  const worker = new FakeInferenceWorker()
  const store = new ModelStore({ folder, clock, log: silentLog, env: {}, registry: [there] })
  const judge = new OverlapJudge({ clock, log: silentLog, store, random: seededRandom(1), createWorker: () => worker })
  judge.start()
  await until(() => worker.onmessage !== null)
  worker.say({ type: 'listening' })
  if (loads) worker.say({ type: 'ready' })
  return { clock, worker, judge }
}

const voice = () => new Int16Array(2400).fill(100)

describe('the judge of words', () => {
  test('loads the recogniser’s encoder and asks it', async () => {
    const { worker, judge } = await setUp()
    expect(judge.readiness()).toEqual({ ready: true })
    const encoder = join(folder, overlapModelId, 'encoder_model.ort')
    expect(worker.sent[0]).toEqual({ type: 'load_overlap', encoder, threads: 1 })
    const answer = judge.judge(voice(), 8000)
    expect(worker.asked('judge_overlap')).toEqual([
      { type: 'judge_overlap', job: 1, samples: voice(), sampleRateHz: 8000 },
    ])
    worker.say({ type: 'overlap_judged', job: 1, probabilities: Float32Array.of(0.5, 0.25, 0.25) })
    expect(await answer).toEqual(Float32Array.of(0.5, 0.25, 0.25))
    expect(judge.stats).toMatchObject({ judged: 1, unanswered: 0 })
  })

  test('has no answer before it is loaded, nor after a failure', async () => {
    const { judge } = await setUp(false)
    expect(judge.readiness().ready).toBe(false)
    expect(await judge.judge(voice(), 8000)).toBeNull()
    const other = await setUp()
    const answer = other.judge.judge(voice(), 8000)
    other.worker.say({ type: 'job_failed', job: 1, message: 'no memory' })
    expect(await answer).toBeNull()
    expect(other.judge.stats).toMatchObject({ judged: 0, unanswered: 1 })
  })

  test('gives up what comes too late, and takes no more than it can answer', async () => {
    const { clock, worker, judge } = await setUp()
    const answers = Array.from({ length: 20 }, () => judge.judge(voice(), 8000))
    // One is in the worker, 16 wait.
    expect(await Promise.all(answers.slice(17))).toEqual([null, null, null])
    await clock.advance(200)
    expect(await Promise.all(answers)).toEqual(answers.map(() => null))
    expect(worker.sent.at(-1)).toEqual({ type: 'cancel', job: 1 })
    expect(judge.stats.waiting).toBe(0)
    expect(judge.stats.unanswered).toBe(20)
    await judge.close()
  })
})
