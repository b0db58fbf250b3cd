import { describe, expect, test } from 'bun:test'
import { heardMs } from '#call/heard.ts'
import { constant, counted, isSilence, playoutBench } from './playout-bench.ts'

const loudness = (frame: Int16Array | undefined) => Math.max(...(frame ?? [0]))

describe('a reply that is held back', () => {
  test('paused: silence in its place at once, and it goes on at the very sample where it stopped', () => {
    const { leg, playout, events } = playoutBench()
    const reply = counted(400)
    playout.begin(0)
    playout.push(reply)
    playout.end()
    playout.writeFrames(3)
    playout.hold('paused')
    playout.writeFrames(7)
    expect(leg.written.map(isSilence)).toEqual([false, false, false, ...Array(7).fill(true)])
    expect(playout.heardMs).toBe(60)
    playout.hold('none')
    playout.writeFrames(17)
    const sounded = leg.written.filter((frame) => !isSilence(frame)).flatMap((frame) => [...frame])
    expect(sounded).toEqual([...reply])
    expect(events).toEqual(['started', 'done'])
    expect(playout.counters).toMatchObject({ underruns: 0, fallbacks: 0 })
  })

  test('ducked: softer by the factor of the settings, without a step, and loud again without one', () => {
    const { leg, playout } = playoutBench({ duckGain: 0.25 })
    playout.begin(0)
    playout.push(constant(400, 8000))
    playout.writeFrames(1)
    playout.hold('ducked')
    playout.writeFrames(3)
    playout.hold('none')
    playout.writeFrames(2)
    const [before, falling, soft, , rising, loud] = leg.written
    expect([loudness(before), loudness(soft), loudness(loud)]).toEqual([8000, 2000, 8000])
    // 6,000 over 160 samples: 37.5 each.
    for (const ramp of [falling, rising]) {
      const steps = [...(ramp ?? [])].slice(1).map((sample, index) => Math.abs(sample - (ramp?.[index] ?? 0)))
      expect(Math.max(...steps)).toBeLessThanOrEqual(38)
    }
    expect(falling?.at(-1)).toBe(2000)
    expect(rising?.at(-1)).toBe(8000)
  })

  test('the clocks of a paused reply stand still: it neither runs dry nor falls back', () => {
    const { leg, playout, events } = playoutBench({ fallbackMs: 200 }, { files: true })
    playout.begin(0)
    playout.push(constant(40))
    playout.writeFrames(1)
    playout.hold('paused')
    playout.writeFrames(500)
    expect([playout.active, events, playout.counters.fallbacks]).toEqual([true, ['started'], 0])
    playout.push(constant(20))
    playout.end()
    playout.hold('none')
    playout.writeFrames(2)
    expect(leg.written.filter((frame) => !isSilence(frame))).toHaveLength(3)
    expect(events).toEqual(['started', 'done'])
  })

  test('a reply that is dropped, or begins, is held back by nothing', () => {
    const { leg, playout } = playoutBench()
    playout.hold('paused')
    playout.begin(0)
    playout.push(constant(100))
    playout.writeFrames(1)
    expect(isSilence(leg.written[0])).toBe(false)
    playout.hold('paused')
    playout.flush()
    playout.begin(0)
    playout.push(constant(100))
    playout.writeFrames(1)
    expect(isSilence(leg.written.at(-1))).toBe(false)
  })

  test('one that is played from a file is held there', () => {
    const { playout, files, events } = playoutBench({ mode: 'file' }, { files: true })
    playout.begin(0)
    playout.push(constant(1000))
    playout.end()
    playout.writeFrames(1)
    files.say('started')
    playout.writeFrames(10)
    playout.hold('paused')
    playout.writeFrames(20)
    expect([files.pauses, playout.heardMs]).toEqual([[true], 200])
    playout.hold('none')
    playout.writeFrames(5)
    expect([files.pauses, playout.heardMs]).toEqual([[true, false], 300])
    files.say('finished')
    expect(events).toEqual(['started', 'done'])
  })
})

describe('what was heard', () => {
  test('is what has left, without what the far side has yet to play, and never less than nothing', () => {
    expect([heardMs(500, 0), heardMs(500, 80), heardMs(40, 80), heardMs(500, -3)]).toEqual([500, 420, 0, 500])
  })

  test('an interruption says so of the far side’s queue as it was before it was emptied', () => {
    const { leg, playout } = playoutBench()
    playout.begin(0)
    playout.push(constant(1000))
    playout.writeFrames(25)
    leg.aheadMs = 60
    expect(playout.flush()).toBe(440)
    expect(playout.heardMs).toBe(440)
  })
})
