import { afterEach, beforeAll, describe, expect, mock, spyOn, test } from 'bun:test'
import type { Sent } from '#call/leg.ts'
import { Playout } from '#call/playout.ts'
import { SessionStore } from '#call/session-store.ts'
import type { FindingKind } from './findings.ts'
import { markerSound, readMarker } from './markers.ts'
import { type Simulation, simulate } from './simulate.ts'
import { SimulatedLeg } from './simulated-leg.ts'

/** So many worlds that a fault which most of them would show is not missed. */
const seeds = Array.from({ length: 45 }, (_, index) => index + 1)

/** Seeds in which a promise was broken once. */
const onceBroken = [
  // A warm-up of 0 and chunks shorter than a frame: playing began with less than a frame, and so with an underrun.
  20, 23, 25, 118, 397,
]

async function kindsFound(among: readonly number[]): Promise<Set<FindingKind>> {
  const kinds = new Set<FindingKind>()
  for (const seed of among) for (const { kind } of (await simulate(seed)).findings) kinds.add(kind)
  return kinds
}

describe('simulated calls', () => {
  const worlds: Simulation[] = []

  beforeAll(async () => {
    for (const seed of new Set([...seeds, ...onceBroken])) worlds.push(await simulate(seed))
  }, 60_000)

  test('in the worlds of some seeds every promise is kept', () => {
    expect(worlds.length).toBeGreaterThanOrEqual(seeds.length)
    for (const { seed, findings } of worlds) expect({ seed, findings }).toEqual({ seed, findings: [] })
  })

  test('these seeds bring what there is to be afraid of: interruptions, underruns, lost legs, files that fail', () => {
    const seen = { heardMs: 0, interruptions: 0, underruns: 0, restarts: 0, fallbacks: 0, filesFailed: 0, refused: 0 }
    const causes = new Set<string>()
    for (const { calls } of worlds) {
      for (const { observer, ear, line } of calls) {
        seen.heardMs += ear.heard.reduce((sum, run) => sum + (run.count * 1000) / line.sampleRateHz, 0)
        for (const { audio, overlapCounts, cause } of observer.facts) {
          causes.add(cause)
          seen.interruptions += overlapCounts.interruption
          seen.underruns += audio.underruns
          seen.restarts += audio.restarts
          seen.fallbacks += audio.fallbacks
          seen.filesFailed += audio.filesFailed
          seen.refused += audio.framesRefused
        }
      }
    }
    for (const [what, count] of Object.entries(seen)) expect({ what, none: count === 0 }).toEqual({ what, none: false })
    expect(seen.heardMs).toBeGreaterThan(60_000)
    expect(causes.size).toBeGreaterThanOrEqual(3)
  })

  test('the same seed gives the same world, to the sample', async () => {
    const [once, again] = [await simulate(7), await simulate(7)]
    expect(again.simulatedMs).toBe(once.simulatedMs)
    expect(again.calls.map((call) => call.ear.heard)).toEqual(once.calls.map((call) => call.ear.heard))
  })

  test('a marker tells its reply and its place, wherever it is cut', () => {
    const sound = markerSound(300, 250_001, 160)
    for (let at = 0; at < 150; at += 1) expect(readMarker(sound, at)).toEqual({ reply: 300, index: 250_001 + at })
    expect(sound.includes(0)).toBe(false)
  })
})

// A checker that cannot fail says nothing: each fault that is put into the engine, or into the leg, must be found.
describe('a fault is found', () => {
  const few = seeds.slice(0, 20)

  afterEach(() => {
    mock.restore()
  })

  /** Every 50th frame of a leg is treated so instead. */
  function breakLeg(instead: (leg: SimulatedLeg, write: () => Sent) => Sent) {
    const write = SimulatedLeg.prototype.write
    let frames = 0
    spyOn(SimulatedLeg.prototype, 'write').mockImplementation(function (this: SimulatedLeg, frame) {
      frames += 1
      const really = () => write.call(this, frame)
      return frames % 50 === 0 ? instead(this, really) : really()
    })
  }

  test('a frame that is dropped on its way', async () => {
    breakLeg((leg) => {
      leg.offered += 1
      return 'sent'
    })
    expect(await kindsFound(few)).toContain('lost')
  })

  test('a frame that is said twice', async () => {
    breakLeg((leg, write) => {
      write()
      leg.offered -= 1
      return write()
    })
    expect(await kindsFound(few)).toContain('doubled')
  })

  test('a playout that writes a frame too many', async () => {
    const writeFrames = Playout.prototype.writeFrames
    let ticks = 0
    spyOn(Playout.prototype, 'writeFrames').mockImplementation(function (this: Playout, count) {
      ticks += 1
      writeFrames.call(this, ticks % 100 === 0 ? count + 1 : count)
    })
    expect(await kindsFound(few)).toContain('pacing')
  })

  test('a reply that plays on after its flush', async () => {
    spyOn(Playout.prototype, 'flush').mockImplementation(function (this: Playout) {
      return this.heardMs
    })
    expect(await kindsFound(few)).toContain('after_flush')
  })

  test('a heard part that is told wrong', async () => {
    const flush = Playout.prototype.flush
    spyOn(Playout.prototype, 'flush').mockImplementation(function (this: Playout) {
      return flush.call(this) + 40
    })
    expect(await kindsFound(few)).toContain('heard_ms')
  })

  test('chunks that are not queued', async () => {
    const push = Playout.prototype.push
    let chunks = 0
    spyOn(Playout.prototype, 'push').mockImplementation(function (this: Playout, samples) {
      chunks += 1
      if (chunks % 20 !== 0) push.call(this, samples)
    })
    expect(await kindsFound(few)).toContain('lost')
  })

  test('a reply that waits for more than its warm-up, and one that does not wait', async () => {
    const { begin } = Playout.prototype
    for (const [add, kind] of [
      [300, 'late_start'],
      [-1000, 'early_start'],
    ] as const) {
      spyOn(Playout.prototype, 'begin').mockImplementation(function (this: Playout, baseMs) {
        begin.call(this, Math.max(0, baseMs + add))
      })
      expect(await kindsFound(few)).toContain(kind)
      mock.restore()
    }
  })

  test('a playout that never comes to the end of a reply', async () => {
    // The name of a private method: the end of a reply is what the call waits for.
    const hidden = Playout.prototype as unknown as { done: () => void }
    spyOn(hidden, 'done').mockImplementation(() => {})
    expect(await kindsFound(few)).toContain('stuck')
  })

  test('underruns that are not counted', async () => {
    const hidden = Playout.prototype as unknown as { refill: () => void }
    const refill = hidden.refill
    spyOn(hidden, 'refill').mockImplementation(function (this: Playout) {
      const { underruns } = this.counters
      refill.call(this)
      this.counters.underruns = underruns
    })
    expect(await kindsFound(few)).toContain('counters')
  })

  test('a call that stays in the store', async () => {
    spyOn(SessionStore.prototype, 'remove').mockImplementation(() => {})
    expect(await kindsFound(few.slice(0, 2))).toContain('left_over')
  })
})
