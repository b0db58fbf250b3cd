import { describe, expect, test } from 'bun:test'
import { FakeLeg } from '../../fakes/leg.ts'
import { constant, counted, isSilence, playoutBench } from './playout-bench.ts'

/** Silent frames among the last `count` that a leg was offered. */
const silent = (leg: FakeLeg, count: number) => leg.written.slice(-count).map(isSilence)

describe('an underrun', () => {
  test('is waited out up to the low watermark, counted with its length, and widens the next warm-up by it', () => {
    const { leg, playout, warmUp } = playoutBench({ lowWatermarkMs: 60 })
    playout.begin(0)
    playout.push(constant(20))
    playout.writeFrames(1)
    // Dry from the second frame on: three silent frames, while 40 ms are less than the watermark.
    playout.writeFrames(2)
    playout.push(constant(40))
    playout.writeFrames(1)
    expect([playout.counters.underruns, warmUp.extraMs]).toEqual([0, 0])
    playout.push(constant(20))
    playout.writeFrames(1)
    expect(silent(leg, 5)).toEqual([false, true, true, true, false])
    expect([playout.counters.underruns, warmUp.extraMs]).toEqual([1, 60])
  })

  test('ends as soon as the reply is complete, with whatever there is', () => {
    const { leg, playout, events } = playoutBench({ lowWatermarkMs: 200 })
    playout.begin(0)
    playout.push(constant(20))
    playout.writeFrames(2)
    playout.push(constant(20))
    playout.end()
    playout.writeFrames(1)
    expect(silent(leg, 3)).toEqual([false, true, false])
    expect([playout.counters.underruns, events]).toEqual([1, ['started', 'done']])
  })

  test('is none where the reply just ends: a late word of its end counts nothing and widens nothing', () => {
    const { playout, warmUp, events } = playoutBench({ lowWatermarkMs: 60 })
    playout.begin(0)
    playout.push(constant(40))
    playout.writeFrames(12)
    playout.end()
    playout.writeFrames(1)
    expect([playout.counters.underruns, warmUp.extraMs, events]).toEqual([0, 0, ['started', 'done']])
  })

  test('frames with little behind them are counted while more is to come, and not at the end', () => {
    const { playout } = playoutBench({ lowWatermarkMs: 60 })
    playout.begin(0)
    playout.push(constant(200))
    playout.writeFrames(7)
    expect(playout.counters.lowFrames).toBe(0)
    playout.writeFrames(2)
    expect(playout.counters.lowFrames).toBeGreaterThan(0)
    const { lowFrames } = playout.counters
    playout.end()
    playout.writeFrames(1)
    expect(playout.counters.lowFrames).toBe(lowFrames)
  })

  test('makes its reply no clean one', () => {
    const { playout, warmUp } = playoutBench()
    warmUp.underran(100)
    for (let reply = 0; reply < 7; reply += 1) warmUp.ranClean()
    playout.begin(0)
    // As much as the wider warm-up asks for: five frames, then a gap of one.
    playout.push(constant(100))
    playout.writeFrames(6)
    playout.push(constant(20))
    playout.end()
    playout.writeFrames(1)
    // 20 ms more for the gap, with which the count of clean replies begins anew.
    for (let reply = 0; reply < 7; reply += 1) warmUp.ranClean()
    expect([playout.counters.underruns, warmUp.extraMs]).toEqual([1, 120])
  })

  test('eight clean replies take 20 ms of the wider warm-up back', () => {
    const { playout, warmUp } = playoutBench()
    warmUp.underran(100)
    for (let reply = 0; reply < 8; reply += 1) {
      playout.begin(0)
      playout.push(constant(20))
      playout.end()
      playout.writeFrames(1)
    }
    expect(warmUp.extraMs).toBe(80)
  })
})

describe('audio after the end of its reply', () => {
  test('reopens the reply until none has come for the grace', () => {
    const { leg, playout, events } = playoutBench({ graceMs: 100 })
    playout.begin(0)
    playout.push(constant(40))
    playout.end()
    playout.writeFrames(1)
    playout.push(constant(20))
    playout.writeFrames(2)
    // 60 ms are out and the grace, counted from the late audio, is not over: the sixth frame is its 100th millisecond.
    playout.writeFrames(3)
    expect([playout.active, events]).toEqual([true, ['started']])
    playout.writeFrames(1)
    expect([playout.active, events]).toEqual([false, ['started', 'done']])
    expect(silent(leg, 7)).toEqual([false, false, false, true, true, true, true])
  })

  test('that comes when the reply is out goes on without a warm-up, within the grace', () => {
    const { leg, playout } = playoutBench({ graceMs: 100 })
    playout.begin(0)
    playout.push(constant(20))
    playout.end()
    playout.writeFrames(4)
    playout.begin(1000)
    playout.push(constant(20))
    playout.writeFrames(1)
    expect(silent(leg, 5)).toEqual([false, true, true, true, false])
  })

  test('that comes when the reply is out ends with the grace, since its end was announced already', () => {
    const { playout, events } = playoutBench({ graceMs: 100 })
    playout.begin(0)
    playout.push(constant(20))
    playout.end()
    playout.writeFrames(2)
    playout.begin(0)
    playout.push(constant(20))
    playout.writeFrames(5)
    expect(playout.active).toBe(true)
    playout.writeFrames(1)
    expect([playout.active, events]).toEqual([false, ['started', 'done', 'started', 'done']])
  })

  test('that comes after the grace is a reply of its own, with its warm-up', () => {
    const { leg, playout } = playoutBench({ graceMs: 100 })
    playout.begin(0)
    playout.push(constant(20))
    playout.end()
    playout.writeFrames(6)
    playout.begin(40)
    playout.push(constant(20))
    playout.writeFrames(1)
    expect(silent(leg, 1)).toEqual([true])
  })

  test('a reply that was announced while the last one sounded is a new one, however soon it comes', () => {
    const { playout } = playoutBench({ graceMs: 100 })
    playout.begin(0)
    playout.push(constant(60))
    playout.end()
    playout.writeFrames(1)
    playout.announce()
    playout.writeFrames(2)
    playout.begin(0)
    playout.push(constant(200))
    playout.writeFrames(2)
    expect(playout.flush()).toBe(40)
  })

  test('a reply that was announced is a new one, however soon it comes', () => {
    const { leg, playout, events } = playoutBench({ graceMs: 100 })
    playout.begin(0)
    playout.push(constant(20))
    playout.end()
    playout.writeFrames(1)
    playout.announce()
    playout.begin(60)
    playout.push(constant(40))
    playout.writeFrames(1)
    expect(silent(leg, 1)).toEqual([true])
    playout.push(constant(20))
    playout.writeFrames(3)
    // Its end was not announced: a gap longer than the grace does not end it.
    playout.writeFrames(20)
    expect([playout.active, events]).toEqual([true, ['started', 'done', 'started']])
  })

  test('after a flush there is nothing to go on with', () => {
    const { leg, playout } = playoutBench({ graceMs: 1000 })
    playout.begin(0)
    playout.push(constant(100))
    playout.end()
    playout.writeFrames(1)
    playout.flush()
    playout.begin(100)
    playout.push(constant(20))
    playout.writeFrames(1)
    expect(silent(leg, 1)).toEqual([true])
  })
})

describe('a frame that is refused', () => {
  test('is the first one that the next leg gets', () => {
    const { leg, playout } = playoutBench()
    const next = new FakeLeg()
    playout.begin(0)
    playout.push(counted(60))
    playout.writeFrames(1)
    leg.answer = 'full'
    playout.writeFrames(1)
    playout.setLeg(null)
    playout.writeFrames(25)
    playout.setLeg(next)
    playout.writeFrames(2)
    expect(leg.written[0]).toEqual(counted(20))
    expect(next.written).toEqual([counted(20, 161), counted(20, 321)])
  })

  test('that is the padded last one does not lose what comes behind it', () => {
    const { leg, playout, events } = playoutBench({ graceMs: 100 })
    playout.begin(0)
    playout.push(counted(10))
    playout.end()
    leg.answer = 'full'
    playout.writeFrames(1)
    playout.push(counted(20, 81))
    leg.answer = 'sent'
    playout.writeFrames(2)
    expect(leg.written.slice(1).flatMap((frame) => [...frame].filter((sample) => sample !== 0))).toEqual([
      ...counted(30),
    ])
    expect([playout.heardMs, events]).toEqual([30, ['started']])
  })
})

test('while there is no leg nothing is counted as offered, and the reply stands still', () => {
  const { playout } = playoutBench({ fallbackMs: 100 }, { files: true })
  playout.begin(0)
  playout.push(constant(100))
  playout.end()
  playout.setLeg(null)
  playout.writeFrames(50)
  expect([playout.counters.frames, playout.counters.full, playout.counters.fallbacks]).toEqual([0, 0, 0])
  expect([playout.heardMs, playout.active]).toEqual([0, true])
})

describe('a leg that takes nothing of a reply', () => {
  test('is told once a time, after the limit, also where there is no file to fall back to', () => {
    const { leg, playout, stuck, events } = playoutBench({ fallbackMs: 200 })
    playout.begin(0)
    playout.push(constant(100))
    leg.answer = 'full'
    playout.writeFrames(9)
    expect(stuck).toEqual([])
    playout.writeFrames(100)
    // 200 ms are ten frames.
    expect(stuck).toEqual([10])
    leg.answer = 'sent'
    playout.writeFrames(1)
    leg.answer = 'full'
    playout.writeFrames(10)
    expect([stuck.length, events]).toEqual([2, ['started']])
  })
})

test('a reply that stalls in its warm-up takes the file path, and nothing of it has sounded before', () => {
  const { playout, files, events } = playoutBench({ fallbackMs: 200 }, { files: true })
  playout.begin(300)
  playout.push(constant(100))
  playout.writeFrames(12)
  expect(events).toEqual(['no_audio'])
  playout.push(constant(50))
  playout.end()
  playout.writeFrames(1)
  expect(files.played.map((samples) => samples.length)).toEqual([150 * 8])
})

describe('a reply whose first part is long and comes at once', () => {
  // The cascade: a sentence is made far faster than it is said, and the next one may come when it has been heard.
  test.each([4000, 6000])('%d ms: the next part may come late, and is no fallback and no end', (firstMs) => {
    const { leg, playout, events } = playoutBench({ fallbackMs: 2000, lowWatermarkMs: 60 }, { files: true })
    playout.begin(60)
    playout.push(constant(firstMs, 5))
    playout.writeFrames(firstMs / 20 + 3)
    expect([playout.active, events]).toEqual([true, ['started']])
    playout.push(constant(1000, 6))
    playout.end()
    playout.writeFrames(1000 / 20 + 1)
    expect(events).toEqual(['started', 'done'])
    expect(leg.heard.filter((sample) => sample === 5).length).toBe(firstMs * 8)
    expect(leg.heard.filter((sample) => sample === 6).length).toBe(1000 * 8)
    expect(playout.heardMs).toBe(firstMs + 1000)
  })

  test('and breaks off: it is over 5 s after its last word was heard, not after it came', () => {
    const { playout, events } = playoutBench()
    playout.begin(0)
    playout.push(constant(4000))
    playout.writeFrames(200 + 249)
    expect(events).toEqual(['started'])
    playout.writeFrames(3)
    expect(events).toEqual(['started', 'done'])
  })
})

test('words that are less than the low watermark wait 100 ms for more, and no longer', () => {
  const { leg, playout, events } = playoutBench({ lowWatermarkMs: 200 })
  playout.begin(0)
  playout.push(constant(20))
  playout.writeFrames(2)
  playout.push(constant(50, 9))
  playout.writeFrames(4)
  expect(leg.heard.includes(9)).toBe(false)
  playout.writeFrames(4)
  expect(leg.heard.filter((sample) => sample === 9).length).toBe(50 * 8)
  expect(events).toEqual(['started'])
})

test('what is whispered beside a stream is called back when the stream is lost, and goes on with the next leg', () => {
  const { leg, playout, files, events } = playoutBench({ fallbackMs: 200 }, { files: true })
  playout.begin(0)
  playout.push(constant(20))
  playout.writeFrames(12)
  playout.push(counted(100))
  playout.end()
  playout.writeFrames(1)
  files.say('started')
  playout.writeFrames(2)
  playout.setLeg(null)
  expect(files.stops).toBe(1)
  playout.writeFrames(5)
  playout.setLeg(leg)
  const before = leg.written.length
  playout.writeFrames(3)
  // Two frames of the file had sounded.
  expect(leg.written.slice(before).flatMap((frame) => [...frame])).toEqual([...counted(100)].slice(320))
  expect(events).toEqual(['started', 'no_audio', 'done'])
})
