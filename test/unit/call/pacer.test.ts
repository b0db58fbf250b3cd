import { describe, expect, test } from 'bun:test'
import { type PacedWriter, Pacer } from '#call/pacer.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

class CountingWriter implements PacedWriter {
  readonly atMs: number[] = []
  readonly counts: number[] = []
  writeFrames(count: number, nowMs: number): void {
    this.counts.push(count)
    this.atMs.push(nowMs)
  }
  get frames(): number {
    return this.counts.reduce((sum, count) => sum + count, 0)
  }
}

describe('Pacer', () => {
  test('one frame every 20 ms, counted from the moment the first writer came', () => {
    const clock = new ManualClock(1000)
    const pacer = new Pacer(clock)
    const writer = new CountingWriter()
    pacer.add(writer)
    clock.advance(100)
    expect(writer.atMs).toEqual([1020, 1040, 1060, 1080, 1100])
    expect(writer.counts).toEqual([1, 1, 1, 1, 1])
    expect(pacer.counters).toEqual({ ticks: 5, lateTicks: 0, framesSkipped: 0 })
  })

  test('ticks that are each a little late add up to nothing: an hour has 180,000 frames', () => {
    const clock = new ManualClock()
    const pacer = new Pacer(clock)
    const writer = new CountingWriter()
    pacer.add(writer)
    for (let elapsedMs = 0; elapsedMs < 3_600_000; elapsedMs += 23) clock.stall(23)
    // 156,522 steps of 23 ms are 3,600,006 ms: 180,000 frames, give or take the half frame of rounding.
    expect(Math.abs(writer.frames - 180_000)).toBeLessThanOrEqual(1)
    expect(pacer.counters.framesSkipped).toBe(0)
  })

  test.each([
    [60, 3, 0],
    [100, 5, 0],
    [120, 5, 1],
    [1000, 5, 45],
  ])('a tick that comes after %d ms pays %d frames at once and gives up %d', (lateMs, paid, skipped) => {
    const clock = new ManualClock()
    const pacer = new Pacer(clock)
    const writer = new CountingWriter()
    pacer.add(writer)
    clock.stall(lateMs)
    expect(writer.counts).toEqual([paid])
    expect(pacer.counters).toEqual({ ticks: 1, lateTicks: 1, framesSkipped: skipped })
    clock.advance(40)
    expect(writer.counts.slice(1)).toEqual([1, 1])
  })

  test('lateness is told in milliseconds past the deadline', () => {
    const clock = new ManualClock()
    const lateness: number[] = []
    new Pacer(clock, (ms) => lateness.push(ms)).add(new CountingWriter())
    clock.advance(20)
    clock.stall(27)
    expect(lateness).toEqual([0, 7])
  })

  test('a timer that fires a fraction early is on time, and owes nothing at the next', () => {
    const clock = new ManualClock(0)
    let tick: (nowMs: number) => void = () => {}
    clock.every = (_intervalMs, action) => {
      tick = action
      return { [Symbol.dispose]: () => {} }
    }
    const pacer = new Pacer(clock)
    const writer = new CountingWriter()
    pacer.add(writer)
    for (const nowMs of [19.6, 40.3, 59.5]) tick(nowMs)
    expect([writer.counts, pacer.counters.lateTicks]).toEqual([[1, 1, 1], 0])
    // Twice in one frame's time: the second owes nothing.
    tick(60.2)
    expect(writer.counts).toEqual([1, 1, 1])
  })

  test('a writer that leaves while it writes takes no frame from the others', () => {
    const clock = new ManualClock()
    const pacer = new Pacer(clock)
    const writers = [new CountingWriter(), new CountingWriter(), new CountingWriter()]
    const [first, , last] = writers
    const leaving = {
      times: 0,
      writeFrames() {
        this.times += 1
        place[Symbol.dispose]()
      },
    }
    pacer.add(writers[0] as CountingWriter)
    const place: Disposable = pacer.add(leaving)
    pacer.add(writers[1] as CountingWriter)
    pacer.add(writers[2] as CountingWriter)
    clock.advance(60)
    expect(leaving.times).toBe(1)
    expect(writers.map((writer) => writer.frames)).toEqual([3, 3, 3])
    expect([first?.atMs, last?.atMs]).toEqual([
      [50_020, 50_040, 50_060],
      [50_020, 50_040, 50_060],
    ])
  })

  test('no timer runs while there is no writer, and leaving twice is leaving once', () => {
    const clock = new ManualClock()
    const pacer = new Pacer(clock)
    expect(clock.pending).toBe(0)
    const one = pacer.add(new CountingWriter())
    const other = pacer.add(new CountingWriter())
    expect(clock.pending).toBe(1)
    one[Symbol.dispose]()
    one[Symbol.dispose]()
    expect([pacer.size, clock.pending]).toEqual([1, 1])
    other[Symbol.dispose]()
    expect([pacer.size, clock.pending]).toEqual([0, 0])
  })

  test('a writer that comes after a pause owes nothing for it', () => {
    const clock = new ManualClock()
    const pacer = new Pacer(clock)
    pacer.add(new CountingWriter())[Symbol.dispose]()
    clock.advance(10_000)
    const writer = new CountingWriter()
    pacer.add(writer)
    clock.advance(20)
    expect(writer.counts).toEqual([1])
  })

  test('a writer that takes itself and another out while it writes costs the rest neither a frame nor one twice', () => {
    const clock = new ManualClock()
    const pacer = new Pacer(clock)
    const written: string[] = []
    const writer = (name: string) => ({ writeFrames: () => void written.push(name) })
    const first = pacer.add(writer('first'))
    pacer.add(writer('second'))
    const third: Disposable = pacer.add({
      writeFrames: () => {
        written.push('third')
        third[Symbol.dispose]()
        first[Symbol.dispose]()
      },
    })
    pacer.add(writer('fourth'))
    clock.advance(20)
    expect(written.sort()).toEqual(['fourth', 'second', 'third'])
    expect(pacer.size).toBe(2)
    written.length = 0
    clock.advance(20)
    expect(written.sort()).toEqual(['fourth', 'second'])
  })

  const join = (pacer: Pacer, count: number) =>
    Array.from({ length: count }, () => {
      const writer = new CountingWriter()
      return { writer, place: pacer.add(writer) }
    })

  test('sixteen calls are due together; of more, a fifth every 4 ms', () => {
    const clock = new ManualClock(1000)
    const pacer = new Pacer(clock)
    const few = join(pacer, 16)
    expect(clock.pending).toBe(1)
    clock.advance(100)
    for (const { writer } of few) expect(writer.atMs).toEqual([1020, 1040, 1060, 1080, 1100])
    join(pacer, 64)
    clock.advance(200)
    const joined = join(pacer, 20)
    clock.advance(100)
    // Twenty each by now, whoever came when: each at its own moment of 20 ms.
    expect(pacer.size).toBe(100)
    const moments = joined.map(({ writer }) => (writer.atMs[0] as number) % 20)
    for (const moment of [0, 4, 8, 12, 16]) expect(moments.filter((each) => each === moment)).toHaveLength(4)
  })

  test('no call waits longer for its first frame than 20 ms, and from then on each has one every 20 ms', () => {
    const clock = new ManualClock()
    const pacer = new Pacer(clock)
    const calls: { readonly writer: CountingWriter; readonly fromMs: number }[] = []
    for (let count = 0; count < 90; count += 1) {
      calls.push(...join(pacer, 1).map(({ writer }) => ({ writer, fromMs: clock.now() })))
      clock.advance(7)
    }
    clock.advance(20)
    for (const { writer, fromMs } of calls) {
      expect((writer.atMs[0] as number) - fromMs).toBeLessThanOrEqual(20)
      for (const [index, atMs] of writer.atMs.entries()) expect(atMs).toBe((writer.atMs[0] as number) + index * 20)
    }
  })

  test('when all have left no timer runs, those included that still wait for their moment', () => {
    const clock = new ManualClock()
    const pacer = new Pacer(clock)
    const calls = join(pacer, 40)
    clock.advance(5)
    const late = join(pacer, 60)
    for (const { place } of [...calls, ...late]) place[Symbol.dispose]()
    expect([pacer.size, clock.pending]).toEqual([0, 0])
  })

  test('the work of all groups is told, once in 20 ms, as if they were due together', () => {
    const clock = new ManualClock()
    const told: number[] = []
    const pacer = new Pacer(clock, (_lagMs, latenessMs) => told.push(latenessMs))
    const now = clock.now.bind(clock)
    let [tickMs, spentMs] = [0, 0]
    clock.now = () => now() + spentMs
    const slow = {
      writeFrames(_count: number, nowMs: number) {
        spentMs = nowMs === tickMs ? spentMs + 0.125 : 0.125
        tickMs = nowMs
      },
    }
    for (let count = 0; count < 80; count += 1) pacer.add(slow)
    clock.advance(100)
    told.length = 0
    clock.advance(100)
    // Five groups of sixteen, an eighth of a millisecond each; one group alone would be 2.
    expect(told).toEqual([10, 10, 10, 10, 10])
  })
})
