import { describe, expect, test } from 'bun:test'
import { SystemClock } from '#base/clock.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

// The system's own clock cannot be injected; these wait a few real milliseconds, and assert no upper bound on them.
describe('SystemClock', () => {
  test('sleeps at least so long, or until it is told to stop, and leaves no timer', async () => {
    const clock = new SystemClock()
    const before = clock.now()
    await clock.sleep(15)
    expect(clock.now() - before).toBeGreaterThanOrEqual(14)
    const abort = new AbortController()
    const asleep = clock.sleep(600_000, abort.signal)
    expect(clock.timers).toBe(1)
    abort.abort()
    await asleep
    await clock.sleep(600_000, abort.signal)
    expect(clock.timers).toBe(0)
  })

  test('runs an action once, unless it is disposed of before', async () => {
    const clock = new SystemClock()
    let runs = 0
    const done = Promise.withResolvers<void>()
    const never = clock.after(1, () => {
      runs += 100
    })
    clock.after(5, () => {
      runs += 1
      done.resolve()
    })
    never[Symbol.dispose]()
    never[Symbol.dispose]()
    await done.promise
    expect([runs, clock.timers]).toEqual([1, 0])
  })

  test('ticks at absolute deadlines: the tenth tick is never early, however late the others were', async () => {
    const clock = new SystemClock()
    const start = clock.now()
    const ticks: number[] = []
    const done = Promise.withResolvers<void>()
    const ticking = clock.every(5, (now) => {
      ticks.push(now - start)
      if (ticks.length === 10) done.resolve()
    })
    expect(clock.timers).toBe(1)
    await done.promise
    ticking[Symbol.dispose]()
    ticking[Symbol.dispose]()
    expect(clock.timers).toBe(0)
    for (const [index, atMs] of ticks.entries()) expect(atMs).toBeGreaterThanOrEqual((index + 1) * 5 - 1)
    const count = ticks.length
    await clock.sleep(15)
    expect(ticks.length).toBe(count)
  })

  test('a tick that throws does not stop those that follow', async () => {
    const clock = new ManualClock()
    const ticks: number[] = []
    clock.every(20, (now) => {
      ticks.push(now)
      throw new Error('a bug in a tick')
    })
    expect(() => clock.advance(20)).toThrow('a bug in a tick')
    expect(() => clock.advance(20)).toThrow('a bug in a tick')
    expect(ticks.length).toBe(2)
  })

  test('wall time is that of the calendar', () => {
    expect(Math.abs(new SystemClock().wallNow() - Date.now())).toBeLessThan(1000)
  })
})

describe('ManualClock keeps the same promises', () => {
  test('in order of time, then of arming', () => {
    const clock = new ManualClock(0)
    const ran: string[] = []
    clock.after(20, () => ran.push(`b ${clock.now()}`))
    clock.after(10, () => {
      ran.push(`a ${clock.now()}`)
      clock.after(10, () => ran.push(`c ${clock.now()}`))
    })
    clock.advance(30)
    expect([ran, clock.now(), clock.pending]).toEqual([['a 10', 'b 20', 'c 20'], 30, 0])
  })

  test('a tick that is late by several intervals comes once, and the next at its own deadline', () => {
    const clock = new ManualClock(0)
    const ticks: number[] = []
    const ticking = clock.every(20, (now) => ticks.push(now))
    clock.advance(20)
    clock.stall(50)
    clock.advance(30)
    expect(ticks).toEqual([20, 70, 80, 100])
    ticking[Symbol.dispose]()
    clock.advance(100)
    expect([ticks.length, clock.pending]).toEqual([4, 0])
  })

  test('a sleeper that is told to stop wakes at once', async () => {
    const clock = new ManualClock()
    const abort = new AbortController()
    const asleep = clock.sleep(1000, abort.signal)
    abort.abort()
    await asleep
    expect(clock.pending).toBe(0)
  })
})
