import { describe, expect, test } from 'bun:test'
import { seededRandom } from '#base/random.ts'
import { constant, isSilence, playoutBench as setUp } from './playout-bench.ts'

describe('Playout', () => {
  test('silence leaves from the first frame on, a whole frame each time', () => {
    const { leg, playout, events } = setUp()
    playout.writeFrames(3)
    expect(leg.written.map(isSilence)).toEqual([true, true, true])
    expect(playout.counters).toMatchObject({ frames: 3, full: 0, underruns: 0, overruns: 0 })
    expect(events).toEqual([])
  })

  test('a reply waits for its warm-up, and then starts with its first sample', () => {
    const { leg, playout, events } = setUp()
    playout.begin(60)
    playout.push(constant(40))
    playout.writeFrames(2)
    expect(leg.written.map(isSilence)).toEqual([true, true])
    playout.push(constant(20))
    playout.writeFrames(1)
    expect(leg.written[2]).toEqual(constant(20))
    expect(events).toEqual(['started'])
    expect(playout.counters.underruns).toBe(0)
  })

  test('a reply shorter than its warm-up starts as soon as it is complete', () => {
    const { leg, playout, events } = setUp()
    playout.begin(1000)
    playout.push(constant(20))
    playout.writeFrames(1)
    playout.end()
    playout.writeFrames(1)
    expect(leg.written.map(isSilence)).toEqual([true, false])
    expect(events).toEqual(['started', 'done'])
    expect(playout.active).toBe(false)
  })

  test('a warm-up of nothing still waits for the first sample', () => {
    const { leg, playout } = setUp()
    playout.begin(0)
    playout.writeFrames(2)
    expect(leg.written.map(isSilence)).toEqual([true, true])
    expect(playout.counters.underruns).toBe(0)
  })

  test('a gap in mid-reply is silence, counted once however long, and nothing of the reply is lost', () => {
    const { leg, playout, events } = setUp()
    playout.begin(20)
    // 30 ms: one frame, and half of the next that must wait for its rest.
    playout.push(constant(30))
    playout.writeFrames(4)
    playout.push(constant(30))
    playout.writeFrames(2)
    playout.writeFrames(2)
    playout.end()
    playout.writeFrames(1)
    expect(leg.written.map(isSilence)).toEqual([false, true, true, true, false, false, true, true, true])
    // The second gap was the end: nothing of the reply was late.
    expect(playout.counters.underruns).toBe(1)
    expect(playout.heardMs).toBe(60)
    expect(events).toEqual(['started', 'done'])
  })

  test('the last frame is padded with silence', () => {
    const { leg, playout, events } = setUp()
    playout.begin(0)
    playout.push(constant(25))
    playout.end()
    playout.writeFrames(2)
    expect([...(leg.written[1] ?? [])]).toEqual([...constant(5), ...new Array<number>(120).fill(0)])
    expect(playout.heardMs).toBe(25)
    expect(events).toEqual(['started', 'done'])
    playout.writeFrames(1)
    expect(isSilence(leg.written[2])).toBe(true)
  })

  test('a padded frame leaves no trace in the next reply', () => {
    const { leg, playout } = setUp()
    playout.begin(0)
    playout.push(constant(20, 99))
    playout.end()
    playout.writeFrames(1)
    playout.begin(0)
    playout.push(constant(1, 5))
    playout.end()
    playout.writeFrames(1)
    expect([...(leg.written[1] ?? [])]).toEqual([...constant(1, 5), ...new Array<number>(152).fill(0)])
  })

  test('a flush drops what has not left and tells how much has', () => {
    const { leg, playout, events } = setUp()
    playout.begin(20)
    playout.push(constant(1000))
    playout.writeFrames(7)
    expect(playout.queuedMs).toBe(860)
    expect(playout.flush()).toBe(140)
    playout.writeFrames(50)
    expect(leg.written.slice(7).every(isSilence)).toBe(true)
    // Audio of the reply that was cut comes late and goes nowhere.
    playout.push(constant(200))
    playout.end()
    playout.writeFrames(20)
    expect(leg.written.slice(7).every(isSilence)).toBe(true)
    expect(events).toEqual(['started'])
    expect(playout.heardMs).toBe(140)
  })

  test('a reply of 60 s, queued at once in pieces of any size, comes out in order with nothing lost', () => {
    const { leg, playout, events } = setUp()
    const random = seededRandom(3)
    const reply = Int16Array.from({ length: 60 * 8000 }, (_, index) => (index % 65_535) - 32_767)
    playout.begin(100)
    for (let offset = 0; offset < reply.length; ) {
      const size = 1 + Math.floor(random.next() * 5000)
      playout.push(reply.subarray(offset, offset + size))
      offset += size
    }
    playout.end()
    playout.writeFrames(3000)
    expect(events).toEqual(['started', 'done'])
    expect(Buffer.from(Int16Array.from(leg.heard).buffer).equals(Buffer.from(reply.buffer))).toBe(true)
    expect(playout.counters).toMatchObject({ frames: 3000, full: 0, underruns: 0, overruns: 0, depthMaxMs: 60_000 })
  })

  test('more than ten minutes in one reply are refused and counted', () => {
    const { playout } = setUp()
    playout.begin(100)
    for (let minute = 0; minute < 10; minute += 1) playout.push(constant(60_000))
    expect(playout.counters.overruns).toBe(0)
    playout.push(constant(1))
    expect(playout.counters.overruns).toBe(1)
    expect(playout.queuedMs).toBe(600_000)
  })

  test('a reply that brings no audio for 5 s is over', () => {
    const { leg, playout, events } = setUp()
    playout.begin(0)
    playout.push(constant(30))
    // The first frame leaves at once; the one after 250 more frame times leaves 5 s later.
    playout.writeFrames(250)
    expect([playout.active, events]).toEqual([true, ['started']])
    playout.writeFrames(1)
    expect([playout.active, events]).toEqual([false, ['started', 'done']])
    expect(playout.counters.underruns).toBe(1)
    // The half frame waited for its rest for 100 ms after the last audio, and no longer.
    const halfFrame = Int16Array.from([...constant(10), ...constant(10, 0)])
    expect(leg.written.findIndex((frame, index) => index > 0 && !isSilence(frame))).toBe(4)
    expect(leg.written[4]).toEqual(halfFrame)
  })

  test('a reply that stops in its warm-up is over after 5 s as well, and what there was of it is heard', () => {
    const { leg, playout, events } = setUp()
    playout.begin(100)
    playout.push(constant(20))
    playout.writeFrames(250)
    expect([playout.active, events]).toEqual([true, []])
    playout.writeFrames(1)
    expect([playout.active, events]).toEqual([false, ['started', 'done']])
    expect(leg.written.at(-1)).toEqual(constant(20))
    expect(playout.counters.underruns).toBe(0)
  })

  test('an end without any audio is done without having started', () => {
    const { playout, events } = setUp()
    playout.begin(100)
    playout.end()
    playout.writeFrames(1)
    expect(events).toEqual(['done'])
    expect(playout.heardMs).toBe(0)
  })

  test('frames that the leg refuses are counted and offered again: nothing of the reply is skipped', () => {
    const { leg, playout, events } = setUp()
    playout.begin(0)
    playout.push(Int16Array.from({ length: 480 }, (_, index) => index))
    playout.end()
    leg.answer = 'full'
    playout.writeFrames(2)
    expect([playout.counters.full, playout.heardMs, events]).toEqual([2, 0, []])
    leg.answer = 'sent'
    playout.writeFrames(3)
    expect(leg.written.slice(2).flatMap((frame) => [...frame])).toEqual([...Array(480).keys()])
    expect([playout.heardMs, events]).toEqual([60, ['started', 'done']])
  })

  test('at 16 kHz a frame has 320 samples and time is still milliseconds', () => {
    const { leg, playout } = setUp({}, { rateHz: 16_000 })
    playout.begin(20)
    playout.push(new Int16Array(16 * 50).fill(1))
    playout.writeFrames(1)
    expect(leg.written[0]?.length).toBe(320)
    expect([playout.heardMs, playout.queuedMs]).toEqual([20, 30])
  })
})
