import { describe, expect, test } from 'bun:test'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { InferenceLane } from '#speech/inference-lane.ts'
import type { ToInferenceWorker } from '#speech/inference-wire.ts'
import { FakeInferenceWorker } from '../../fakes/inference-worker.ts'
import { ManualClock } from './manual-clock.ts'

class Recogniser extends FakeInferenceWorker {
  /** Answers the job it was given last. */
  answer(text: string): void {
    this.say({ type: 'transcribed', job: this.jobs.at(-1) ?? 0, text, looped: false })
  }

  get jobs(): number[] {
    return this.asked('transcribe').map(({ job }) => job)
  }
}

const load: ToInferenceWorker = { type: 'load_recognition', folder: '/x', threads: 1 }

function setUp(queueMax = 2) {
  const clock = new ManualClock()
  const workers: Recogniser[] = []
  const lane = new InferenceLane({
    name: 'recognition',
    load,
    clock,
    log: silentLog,
    queueMax,
    random: seededRandom(1),
    createWorker: () => {
      const worker = new Recogniser()
      workers.push(worker)
      return worker
    },
  })
  lane.start()
  const worker = () => {
    const last = workers.at(-1)
    if (last === undefined) throw new Error('no worker')
    return last
  }
  const submit = (signal = new AbortController().signal) =>
    lane.submit((job) => ({ type: 'transcribe', job, samples: new Int16Array(1), sampleRateHz: 8000 }), [], signal)
  const ready = () => {
    worker().say({ type: 'listening' })
    worker().say({ type: 'ready' })
  }
  return { clock, lane, worker, workers, submit, ready }
}

const textOf = async (result: ReturnType<InferenceLane['submit']>) => {
  const settled = await result
  if (!settled.ok) return settled.error.code
  return settled.value.answer.type === 'transcribed' ? settled.value.answer.text : ''
}

describe('InferenceLane', () => {
  test('says what it waits for, loads, and runs one job at a time in order', async () => {
    const { lane, worker, submit, ready } = setUp()
    expect(await textOf(submit())).toBe('not_ready')
    ready()
    expect(worker().sent).toEqual([load])
    expect(lane.readiness.ready).toBe(true)
    const first = submit()
    const second = submit()
    expect(worker().jobs.length).toBe(1)
    worker().answer('one')
    expect(worker().jobs.length).toBe(2)
    worker().answer('two')
    expect(await textOf(first)).toBe('one')
    expect(await textOf(second)).toBe('two')
  })

  test('a full queue answers overloaded at once', async () => {
    const { submit, ready } = setUp(2)
    ready()
    void submit()
    void submit()
    void submit()
    expect(await textOf(submit())).toBe('overloaded')
  })

  test('a job that waits is cancelled without reaching the worker', async () => {
    const { lane, worker, submit, ready } = setUp()
    ready()
    const abort = new AbortController()
    const first = submit()
    const second = submit(abort.signal)
    abort.abort()
    expect(await textOf(second)).toBe('cancelled')
    expect(lane.waiting).toBe(0)
    worker().answer('one')
    expect(await textOf(first)).toBe('one')
    expect(worker().jobs.length).toBe(1)
  })

  test('a job that runs is told to stop, and the next one starts when it has', async () => {
    const { worker, submit, ready } = setUp()
    ready()
    const abort = new AbortController()
    const first = submit(abort.signal)
    const second = submit()
    abort.abort()
    expect(await textOf(first)).toBe('cancelled')
    expect(worker().sent.at(-1)?.type).toBe('cancel')
    worker().say({ type: 'cancelled', job: worker().jobs[0] ?? 0 })
    worker().answer('two')
    expect(await textOf(second)).toBe('two')
  })

  test('a worker that dies fails its job only: the queue goes to the next one', async () => {
    const { clock, lane, worker, workers, submit, ready } = setUp()
    ready()
    const first = submit()
    const second = submit()
    worker().die()
    expect(await textOf(first)).toBe('failed')
    expect(lane.readiness.ready).toBe(false)
    clock.advance(1_000)
    expect(workers.length).toBe(2)
    ready()
    worker().answer('two')
    expect(await textOf(second)).toBe('two')
  })

  test('a job without end costs the worker its place', async () => {
    const { clock, workers, submit, ready } = setUp()
    ready()
    const first = submit()
    clock.advance(61_000)
    expect(await textOf(first)).toBe('failed')
    clock.advance(1_000)
    expect(workers.length).toBe(2)
  })

  test('a worker that hangs is asked to end and left behind; after two no other is started', async () => {
    const { clock, lane, worker, workers, submit, ready } = setUp()
    for (let index = 0; index < 2; index++) {
      ready()
      worker().hangs = true
      const job = submit()
      clock.advance(60_000)
      expect(await textOf(job)).toBe('failed')
      expect(worker().sent.at(-1)).toEqual({ type: 'stop' })
      if (index === 1) void submit()
      clock.advance(1_000)
    }
    expect(workers.length).toBe(2)
    expect([lane.waiting, await textOf(submit())]).toEqual([0, 'not_ready'])
    expect(lane.readiness).toEqual({ ready: false, reason: expect.stringContaining('2 of its workers') })
    workers[0]?.die()
    expect(workers.length).toBe(3)
    ready()
    const job = submit()
    worker().answer('hello')
    expect(await textOf(job)).toBe('hello')
  })

  test('closing waits for the worker, and for two seconds at most', async () => {
    const { clock, lane, worker, ready } = setUp()
    ready()
    worker().hangs = true
    const closing = lane.close()
    expect(worker().sent.at(-1)).toEqual({ type: 'stop' })
    clock.advance(2_000)
    await closing
    expect(clock.timerCount).toBe(0)
  })

  test('a model that cannot be loaded says why, and is not tried again and again', async () => {
    const { clock, lane, worker, workers, submit } = setUp()
    worker().say({ type: 'listening' })
    worker().say({ type: 'load_failed', message: 'no such file' })
    expect(lane.readiness).toEqual({ ready: false, reason: expect.stringContaining('no such file') })
    clock.advance(120_000)
    expect(workers.length).toBe(1)
    expect(await textOf(submit())).toBe('not_ready')
  })

  test('a replacement that cannot be loaded is tried again, and the job that waited is done', async () => {
    const { clock, lane, submit, worker, workers, ready } = setUp()
    ready()
    worker().die()
    const waiting = submit()
    clock.advance(1_000)
    worker().say({ type: 'listening' })
    worker().say({ type: 'load_failed', message: 'out of memory' })
    expect(lane.readiness.ready).toBe(false)
    clock.advance(10_000)
    expect(workers.length).toBe(3)
    ready()
    worker().answer('hello')
    expect(await textOf(waiting)).toBe('hello')
    expect(lane.readiness.ready).toBe(true)
  })

  test('a replacement that hangs while it loads is replaced, and the job that waited is done', async () => {
    const { clock, worker, workers, submit, ready } = setUp()
    ready()
    worker().die()
    clock.advance(1000)
    worker().say({ type: 'listening' })
    const waiting = submit()
    clock.advance(119_000)
    expect(workers).toHaveLength(2)
    clock.advance(60_000)
    expect(workers).toHaveLength(3)
    ready()
    worker().answer('Here.')
    expect(await textOf(waiting)).toBe('Here.')
  })

  test('closing settles everything', async () => {
    const { clock, lane, submit, ready } = setUp()
    ready()
    const first = submit()
    const second = submit()
    await lane.close()
    expect(await textOf(first)).toBe('cancelled')
    expect(await textOf(second)).toBe('cancelled')
    expect(clock.timerCount).toBe(0)
  })
})
