import { describe, expect, test } from 'bun:test'
import { LoadMeter } from '#call/load-meter.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

function setUp() {
  const clock = new ManualClock()
  const meter = new LoadMeter(clock, () => ({ loopLagMs: 20, pacingLatenessMs: 40 }))
  const ticks = (count: number, lagMs: number, latenessMs = lagMs) => {
    for (let tick = 0; tick < count; tick += 1) {
      clock.advance(20)
      meter.observe(lagMs, latenessMs)
    }
  }
  return { clock, meter, ticks }
}

describe('LoadMeter', () => {
  test('before half a second of ticks it says nothing', () => {
    const { meter, ticks } = setUp()
    expect([meter.overloaded, meter.loopLagMs, meter.pacingLatenessMs]).toEqual([false, 0, 0])
    ticks(24, 500)
    expect([meter.overloaded, meter.loopLagMs]).toEqual([false, 0])
    ticks(1, 500)
    expect([meter.overloaded, meter.loopLagMs, meter.pacingLatenessMs]).toEqual([true, 500, 500])
  })

  const cases: [string, number, number, boolean][] = [
    ['both at their limits', 20, 40, false],
    ['the loop above its limit', 21, 40, true],
    ['the last frame above its limit', 20, 41, true],
    ['neither', 1, 2, false],
  ]
  test.each(cases)('%s', (_name, lagMs, latenessMs, overloaded) => {
    const { meter, ticks } = setUp()
    ticks(100, lagMs, latenessMs)
    expect(meter.overloaded).toBe(overloaded)
  })

  test('one pause decides nothing: nine of ten ticks have to keep the limit, not all', () => {
    const { meter, ticks } = setUp()
    ticks(45, 1)
    ticks(5, 300)
    expect([meter.overloaded, meter.loopLagMs]).toEqual([false, 1])
    ticks(1, 300)
    expect([meter.overloaded, meter.loopLagMs]).toEqual([true, 300])
  })

  test('a second of good ticks makes a bad time forgotten', () => {
    const { meter, ticks } = setUp()
    ticks(50, 300)
    ticks(44, 1)
    expect(meter.overloaded).toBe(true)
    ticks(1, 1)
    expect(meter.overloaded).toBe(false)
  })

  test('a second without ticks, since no call is there, makes all of it forgotten', () => {
    const { clock, meter, ticks } = setUp()
    ticks(100, 300)
    clock.advance(1000)
    expect(meter.overloaded).toBe(true)
    clock.advance(1)
    expect(meter.overloaded).toBe(false)
    // The next call begins with a measure of its own.
    clock.advance(1000)
    ticks(24, 300)
    expect(meter.overloaded).toBe(false)
  })

  test('a loop that stands still for seconds at a time is no idle one', () => {
    const { clock, meter } = setUp()
    for (let tick = 0; tick < 50; tick += 1) {
      clock.advance(3000)
      meter.observe(2980, 2980)
    }
    expect(meter.overloaded).toBe(true)
  })
})
