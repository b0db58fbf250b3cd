import { describe, expect, test } from 'bun:test'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { type DetectionWorker, SpeechDetection, wakeAfterMs } from '#speech/detection.ts'
import { DetectionMemory } from '#speech/detection-memory.ts'
import type { FromDetectionWorker, ToDetectionWorker } from '#speech/detection-wire.ts'
import { ManualClock } from './manual-clock.ts'

/** A worker that judges when the test says so: the verdict is the window's first sample / 1000. */
class FakeWorker implements DetectionWorker {
  onmessage: ((event: MessageEvent<FromDetectionWorker>) => void) | null = null
  onerror: ((event: ErrorEvent) => void) | null = null
  memory: DetectionMemory | null = null
  wakes = 0
  /** Times it was asked to end. */
  stops = 0
  /** Inside a run: it can't hear. */
  hangs = false
  private readonly onClose: (() => void)[] = []

  postMessage(message: ToDetectionWorker): void {
    if (message === 'wake') this.wakes += 1
    else if (message === 'stop') {
      this.stops += 1
      if (!this.hangs) this.die()
    } else this.memory = new DetectionMemory(message.capacity, message.buffer)
  }

  say(message: FromDetectionWorker): void {
    this.onmessage?.(new MessageEvent('message', { data: message }))
  }

  comeUp(): void {
    this.say('listening')
    this.say('ready')
  }

  /** Judges up to `limit` windows of each slot. */
  judge(limit = 100): void {
    const memory = this.memory
    if (memory === null) throw new Error('no memory was sent')
    for (let slot = 0; slot < memory.capacity; slot++) {
      for (let count = 0; count < limit; count++) {
        const done = Atomics.load(memory.done, slot)
        if (done === Atomics.load(memory.written, slot)) break
        const window = memory.windowIndex(slot, done)
        memory.probabilities[window] = (memory.samples[memory.sampleOffset(window)] ?? 0) / 1000
        Atomics.add(memory.done, slot, 1)
      }
    }
    this.say('judged')
  }

  die(): void {
    for (const listener of this.onClose.splice(0)) listener()
  }

  addEventListener(_type: 'close', listener: () => void): void {
    this.onClose.push(listener)
  }
}

function setUp(capacity = 2) {
  const clock = new ManualClock()
  const workers: FakeWorker[] = []
  const createWorker = () => {
    const worker = new FakeWorker()
    workers.push(worker)
    return worker
  }
  const detection = new SpeechDetection({ clock, log: silentLog, capacity, random: seededRandom(1), createWorker })
  detection.start()
  const worker = (index = workers.length - 1) => {
    const found = workers[index]
    if (found === undefined) throw new Error('no such worker')
    return found
  }
  worker().comeUp()
  return { clock, detection, worker, workers }
}

const tone = (length: number, value: number) => new Int16Array(length).fill(value)

function openOrThrow(detection: SpeechDetection, verdicts: [number, number][], rate: 8000 | 16000 = 8000) {
  const session = detection.open(rate, (probability, end) => verdicts.push([Math.round(probability * 1000), end]))
  if (session === null) throw new Error('not opened')
  return session
}

describe('SpeechDetection', () => {
  test('windows of 32 ms out of frames of 20 ms, one message for all that is due', () => {
    const { clock, detection, worker } = setUp()
    const verdicts: [number, number][] = []
    const session = openOrThrow(detection, verdicts)
    const other = openOrThrow(detection, [])
    clock.advance(8)
    const before = worker().wakes
    for (let frame = 0; frame < 4; frame++) {
      expect(session.push(tone(160, 500))).toBe('sent')
      other.push(tone(160, 500))
    }
    clock.advance(8)
    expect(worker().wakes).toBe(before + 1)
    worker().judge()
    // 640 samples hold two windows of 256.
    expect(verdicts).toEqual([
      [500, 256],
      [500, 512],
    ])
    clock.advance(80)
    expect(worker().wakes).toBe(before + 1)
  })

  test('at 16 kHz a window has 512 samples', () => {
    const { detection, worker } = setUp()
    const verdicts: [number, number][] = []
    openOrThrow(detection, verdicts, 16000).push(tone(1100, 100))
    worker().judge()
    expect(verdicts.map(([, end]) => end)).toEqual([512, 1024])
  })

  test('no place is left, no worker is ready: null', () => {
    const { detection } = setUp(1)
    const first = openOrThrow(detection, [])
    expect(detection.open(8000, () => {})).toBeNull()
    first.close()
    expect(detection.open(8000, () => {})).not.toBeNull()
    const fresh = new SpeechDetection({
      clock: new ManualClock(),
      log: silentLog,
      capacity: 1,
      createWorker: () => new FakeWorker(),
    })
    fresh.start()
    expect(fresh.open(8000, () => {})).toBeNull()
    expect(fresh.readiness.ready).toBe(false)
  })

  test('the verdict on an earlier call never reaches the next one in its place', () => {
    const { detection, worker } = setUp(1)
    const early: [number, number][] = []
    const late: [number, number][] = []
    const first = openOrThrow(detection, early)
    first.push(tone(256 * 3, 900))
    // Half a window lies in the ring when the call ends.
    first.push(tone(100, 900))
    first.close()
    const second = openOrThrow(detection, late)
    second.push(tone(256, 200))
    const owners = new Set<number>()
    const memory = worker().memory
    for (let window = 0; window < 4; window++) owners.add(memory?.owners[window] ?? -1)
    worker().judge()
    expect(early).toEqual([])
    expect(late).toEqual([[200, 256]])
    // Another owner is what tells the worker to begin with a fresh state.
    expect(owners.size).toBe(2)
  })

  test('a detector that is behind by half a second drops windows, counts them, and keeps time', () => {
    const { detection, worker } = setUp(1)
    const verdicts: [number, number][] = []
    const session = openOrThrow(detection, verdicts)
    let full = 0
    for (let window = 0; window < 20; window++) if (session.push(tone(256, 100)) === 'full') full += 1
    expect(full).toBe(4)
    expect(detection.stats.droppedWindows).toBe(4)
    worker().judge()
    expect(verdicts.length).toBe(16)
    expect(session.push(tone(256, 300))).toBe('sent')
    worker().judge()
    // 21 windows were pushed in all.
    expect(verdicts.at(-1)).toEqual([300, 21 * 256])
  })

  test('when the worker dies another takes over and open calls go on', () => {
    const { clock, detection, worker, workers } = setUp(1)
    const verdicts: [number, number][] = []
    const session = openOrThrow(detection, verdicts)
    worker().die()
    expect(detection.readiness.ready).toBe(false)
    session.push(tone(256, 700))
    clock.advance(1_000)
    expect(workers.length).toBe(2)
    worker().comeUp()
    expect(detection.readiness.ready).toBe(true)
    clock.advance(8)
    expect(worker().wakes).toBe(1)
    worker().judge()
    expect(verdicts).toEqual([[700, 256]])
    expect(detection.stats.restarts).toBe(1)
  })

  test('a replacement that cannot load the model is a failure like any other: open calls go on afterwards', () => {
    const { clock, detection, worker, workers } = setUp(1)
    const verdicts: [number, number][] = []
    const session = openOrThrow(detection, verdicts)
    worker().die()
    clock.advance(1_000)
    worker().say('listening')
    worker().say({ failed: 'out of memory' })
    expect(detection.readiness.ready).toBe(false)
    expect(worker(1).stops).toBe(1)
    clock.advance(10_000)
    expect(workers.length).toBe(3)
    expect(detection.stats).toEqual({ open: 1, windows: 0, droppedWindows: 0, restarts: 2 })
    worker().comeUp()
    expect(detection.readiness.ready).toBe(true)
    expect(session.push(tone(256, 700))).toBe('sent')
    worker().judge()
    expect(verdicts).toEqual([[700, 256]])
  })

  test('a replacement that cannot even be made is tried again', () => {
    const clock = new ManualClock()
    const workers: FakeWorker[] = []
    const createWorker = () => {
      const worker = new FakeWorker()
      workers.push(worker)
      if (workers.length === 2) throw new Error('no more threads')
      return worker
    }
    const detection = new SpeechDetection({
      clock,
      log: silentLog,
      capacity: 1,
      random: seededRandom(1),
      createWorker,
    })
    detection.start()
    workers[0]?.comeUp()
    workers[0]?.die()
    clock.advance(20_000)
    expect(workers.length).toBe(3)
    workers[2]?.comeUp()
    expect(detection.readiness.ready).toBe(true)
  })

  test('a worker that never comes up is replaced', () => {
    const clock = new ManualClock()
    const workers: FakeWorker[] = []
    const createWorker = () => workers[workers.push(new FakeWorker()) - 1] as FakeWorker
    const detection = new SpeechDetection({ clock, log: silentLog, capacity: 1, random: seededRandom(1), createWorker })
    detection.start()
    clock.advance(29_999)
    expect(workers.length).toBe(1)
    clock.advance(1)
    expect([workers[0]?.stops, detection.readiness.ready]).toEqual([1, false])
    clock.advance(1000)
    workers[1]?.comeUp()
    clock.advance(60_000)
    expect([workers.length, detection.readiness.ready]).toEqual([2, true])
  })

  test('a worker that answers no more is replaced', () => {
    const { clock, detection, worker, workers } = setUp(1)
    openOrThrow(detection, []).push(tone(256, 700))
    clock.advance(3_100)
    expect(worker(0).stops).toBe(1)
    clock.advance(1_000)
    expect(workers.length).toBe(2)
  })

  test('a worker that hangs in a run is left behind, and what it still writes reaches nobody', () => {
    const { clock, detection, worker } = setUp(1)
    const verdicts: [number, number][] = []
    const session = openOrThrow(detection, verdicts)
    session.push(tone(256, 700))
    worker(0).hangs = true
    clock.advance(4_100)
    worker(1).comeUp()
    expect(worker(1).memory?.buffer).not.toBe(worker(0).memory?.buffer as SharedArrayBuffer)
    // Its run returns late, with another verdict than the next worker's.
    const { memory } = worker(0)
    memory?.samples.fill(100)
    worker(0).judge()
    expect(verdicts).toEqual([])
    session.push(tone(256, 300))
    worker(1).judge()
    expect(verdicts).toEqual([
      [700, 256],
      [300, 512],
    ])
    expect(detection.readiness.ready).toBe(true)
  })

  test('two are left behind at most: then it is not ready until one of them has ended', () => {
    const { clock, detection, worker, workers } = setUp(1)
    const session = openOrThrow(detection, [])
    for (let index = 0; index < 2; index++) {
      worker(index).hangs = true
      session.push(tone(256, 700))
      clock.advance(4_100)
      workers[index + 1]?.comeUp()
    }
    clock.advance(60_000)
    expect(workers.length).toBe(2)
    expect(detection.readiness).toEqual({ ready: false, reason: expect.stringContaining('2 of its workers') })
    expect(detection.open(8000, () => {})).toBeNull()
    worker(0).die()
    expect(workers.length).toBe(3)
    worker(2).comeUp()
    expect(detection.readiness.ready).toBe(true)
  })

  test('a worker that is closed before it listens is asked again when it does', async () => {
    const worker = new FakeWorker()
    worker.hangs = true
    const clock = new ManualClock()
    const detection = new SpeechDetection({ clock, log: silentLog, capacity: 1, createWorker: () => worker })
    detection.start()
    const closed = detection.close()
    worker.hangs = false
    worker.say('listening')
    await closed
    expect([worker.stops, clock.timerCount]).toEqual([2, 0])
  })

  test('closing waits for the worker, and for two seconds at most', async () => {
    const { clock, detection, worker } = setUp(1)
    worker().hangs = true
    let closed = false
    const closing = detection.close().then(() => {
      closed = true
    })
    clock.advance(1_900)
    await Promise.resolve()
    expect(closed).toBe(false)
    clock.advance(100)
    await closing
    expect(clock.timerCount).toBe(0)
  })

  test('a long quiet time is not taken for a hung worker', () => {
    const { clock, detection, workers, worker } = setUp(1)
    const session = openOrThrow(detection, [])
    clock.advance(60_000)
    session.push(tone(256, 1))
    clock.advance(8)
    worker().judge()
    clock.advance(60_000)
    expect(workers.length).toBe(1)
    session.close()
    expect(clock.timerCount).toBe(0)
  })

  test('where the model has never run, loudness takes its place', () => {
    const worker = new FakeWorker()
    const detection = new SpeechDetection({
      clock: new ManualClock(),
      log: silentLog,
      capacity: 2,
      createWorker: () => worker,
    })
    detection.start()
    worker.say('listening')
    worker.say({ failed: 'no such library' })
    expect(detection.readiness.ready).toBe(true)
    const verdicts: [number, number][] = []
    openOrThrow(detection, verdicts).push(tone(256, 8000))
    expect(verdicts.length).toBe(1)
  })

  test('after close nothing is delivered and no timer runs', async () => {
    const { clock, detection, worker } = setUp()
    const verdicts: [number, number][] = []
    const session = openOrThrow(detection, verdicts)
    session.push(tone(256, 1))
    await detection.close()
    worker().judge()
    expect(verdicts).toEqual([])
    expect(clock.timerCount).toBe(0)
    expect(worker().stops).toBe(1)
  })

  test('many calls are woken for half as often', () => {
    expect([1, 49, 50, 300].map(wakeAfterMs)).toEqual([8, 8, 16, 16])
    const { clock, detection, worker } = setUp(50)
    const sessions = Array.from({ length: 50 }, () => openOrThrow(detection, []))
    clock.advance(8)
    sessions[0]?.push(tone(256, 1))
    const wakes = worker().wakes
    clock.advance(8)
    expect(worker().wakes).toBe(wakes)
    clock.advance(16)
    expect(worker().wakes).toBe(wakes + 1)
  })
})
