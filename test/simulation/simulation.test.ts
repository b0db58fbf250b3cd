import { afterEach, beforeAll, describe, expect, mock, setDefaultTimeout, spyOn, test } from 'bun:test'
import { levelDbfs } from '#audio/level.ts'
import type { SampleQueue } from '#audio/sample-queue.ts'
import { overlapVerdicts } from '#call/barge-in.ts'
import { Coordinator } from '#call/coordinator.ts'
import { Gate, type GateReason, gateTokens } from '#call/gate.ts'
import type { Sent } from '#call/leg.ts'
import { LookBack } from '#call/look-back.ts'
import { Overlap } from '#call/overlap.ts'
import { OverlapLog } from '#call/overlap-log.ts'
import { Playout } from '#call/playout.ts'
import { SessionStore } from '#call/session-store.ts'
import { TurnLog } from '#call/turn-log.ts'
import { TurnPause } from '#call/turn-pause.ts'
import { Waiting, type WaitingDeps } from '#call/waiting.ts'
import { voicedSound } from '../bed/sounds.ts'
import { ScriptedSession } from '../fakes/scripted-agent.ts'
import { markCaller, markedRun, readCallerMark } from './caller-marks.ts'
import type { FindingKind } from './findings.ts'
import { markerSound, readMarker } from './markers.ts'
import { type Simulation, simulate } from './simulate.ts'
import { SimulatedLeg } from './simulated-leg.ts'

// A fault that is not found is looked for in every world, on a machine that may be busy.
setDefaultTimeout(60_000)

/** So many worlds that a fault which most of them would show is not missed. */
const seeds = Array.from({ length: 45 }, (_, index) => index + 1)

/** Seeds in which a promise was broken once. */
const onceBroken = [
  // A warm-up of 0 and chunks shorter than a frame: playing began with less than a frame, and so with an underrun.
  20, 23, 25, 118, 397,
]

/** Worlds are played until this is found, or all of them. */
async function isFound(kind: FindingKind): Promise<boolean> {
  for (const seed of seeds) {
    if ((await simulate(seed)).findings.some((finding) => finding.kind === kind)) return true
  }
  return false
}

describe('simulated calls', () => {
  const worlds: Simulation[] = []

  beforeAll(async () => {
    for (const seed of new Set([...seeds, ...onceBroken])) worlds.push(await simulate(seed))
  })

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

  test('they bring turns of every kind: interruptions and what is none, pauses, resumptions, mutes, silences', () => {
    const calls = worlds.flatMap((world) => world.calls)
    const told = calls.flatMap(({ observer }) => observer.bargeIns)
    for (const verdict of overlapVerdicts)
      expect([verdict, told.some((one) => one.verdict === verdict)]).toEqual([verdict, true])
    const clear = calls.flatMap(({ utterances }) => utterances.all.filter(({ clear, frames }) => clear && frames >= 15))
    const seen = {
      paused: told.filter(({ pausedMs }) => pausedMs > 0).length,
      resumed: calls.filter(({ agentEar }) => agentEar.resumptions > 0).length,
      muted: calls.filter(({ mutedSaid }) => mutedSaid.length > 0).length,
      noInput: calls.filter(({ cause }) => cause === 'no_input').length,
      vetoed: calls.filter(({ session }) => session?.heard.includes('not_interrupted')).length,
      spokenInGuard: clear.filter(({ noticedIn }) => noticedIn === 'guarding').length,
    }
    for (const [what, count] of Object.entries(seen)) expect({ what, none: count === 0 }).toEqual({ what, none: false })
    expect(clear.length).toBeGreaterThan(60)
    const outcomes = new Set(calls.flatMap(({ observer }) => observer.turns.map(({ outcome }) => outcome)))
    expect(outcomes.size).toBeGreaterThanOrEqual(4)
  })

  test('the same seed gives the same world, to the sample', async () => {
    const [once, again] = [await simulate(7), await simulate(7)]
    expect(again.simulatedMs).toBe(once.simulatedMs)
    expect(again.calls.map((call) => call.ear.heard)).toEqual(once.calls.map((call) => call.ear.heard))
  })

  test('a mark tells the place of a caller’s sample, wherever it is cut, and is hardly heard', () => {
    const sound = voicedSound(100, -20, 8000)
    const marked = sound.slice()
    markCaller(marked, 1_000_003)
    for (let at = 0; at < 600; at += 1) expect(readCallerMark(marked, at)).toBe(1_000_003 + at)
    expect(markedRun(marked, 5, 1_000_008)).toBe(marked.length - 5)
    expect(readCallerMark(sound, 0)).toBeNull()
    expect(levelDbfs(marked.map((sample, at) => sample - (sound[at] ?? 0)))).toBeLessThan(-66)
  })

  test('a marker tells its reply and its place, wherever it is cut', () => {
    const sound = markerSound(300, 250_001, 160)
    for (let at = 0; at < 150; at += 1) expect(readMarker(sound, at)).toEqual({ reply: 300, index: 250_001 + at })
    expect(sound.includes(0)).toBe(false)
  })
})

// A checker that cannot fail says nothing: each fault that is put into the engine, or into the leg, must be found.
describe('a fault is found', () => {
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
    expect(await isFound('lost')).toBe(true)
  })

  test('a frame that is said twice', async () => {
    breakLeg((leg, write) => {
      write()
      leg.offered -= 1
      return write()
    })
    expect(await isFound('doubled')).toBe(true)
  })

  test('a playout that writes a frame too many', async () => {
    const writeFrames = Playout.prototype.writeFrames
    let ticks = 0
    spyOn(Playout.prototype, 'writeFrames').mockImplementation(function (this: Playout, count) {
      ticks += 1
      writeFrames.call(this, ticks % 100 === 0 ? count + 1 : count)
    })
    expect(await isFound('pacing')).toBe(true)
  })

  test('a reply that plays on after its flush', async () => {
    spyOn(Playout.prototype, 'flush').mockImplementation(function (this: Playout) {
      return this.heardMs
    })
    expect(await isFound('after_flush')).toBe(true)
  })

  test('a heard part that is told wrong', async () => {
    const flush = Playout.prototype.flush
    spyOn(Playout.prototype, 'flush').mockImplementation(function (this: Playout) {
      return flush.call(this) + 40
    })
    expect(await isFound('heard_ms')).toBe(true)
  })

  test('chunks that are not queued', async () => {
    const push = Playout.prototype.push
    let chunks = 0
    spyOn(Playout.prototype, 'push').mockImplementation(function (this: Playout, samples) {
      chunks += 1
      if (chunks % 20 !== 0) push.call(this, samples)
    })
    expect(await isFound('lost')).toBe(true)
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
      expect(await isFound(kind)).toBe(true)
      mock.restore()
    }
  })

  test('a playout that never comes to the end of a reply', async () => {
    // The name of a private method: the end of a reply is what the call waits for.
    const hidden = Playout.prototype as unknown as { done: () => void }
    spyOn(hidden, 'done').mockImplementation(() => {})
    expect(await isFound('stuck')).toBe(true)
  })

  test('underruns that are not counted', async () => {
    const hidden = Playout.prototype as unknown as { refill: () => void }
    const refill = hidden.refill
    spyOn(hidden, 'refill').mockImplementation(function (this: Playout) {
      const { underruns } = this.counters
      refill.call(this)
      this.counters.underruns = underruns
    })
    expect(await isFound('counters')).toBe(true)
  })

  test('a call that stays in the store', async () => {
    spyOn(SessionStore.prototype, 'remove').mockImplementation(() => {})
    expect(await isFound('left_over')).toBe(true)
  })

  // ── of the turns ──

  test('a reply that is held back and never let go', async () => {
    const hold = Playout.prototype.hold
    spyOn(Playout.prototype, 'hold').mockImplementation(function (this: Playout, how) {
      if (this.holding !== 'paused') hold.call(this, how)
    })
    expect(await isFound('hole')).toBe(true)
  })

  test('a frame that is lost where a reply is held back, and a pause that is counted as an underrun', async () => {
    const hold = Playout.prototype.hold
    for (const [harm, kind] of [
      [(playout: Playout) => playoutQueue(playout).take(new Int16Array(80)), 'lost'],
      [(playout: Playout) => (playout.counters.underruns += 1), 'counters'],
    ] as const) {
      spyOn(Playout.prototype, 'hold').mockImplementation(function (this: Playout, how) {
        if (how === 'paused' && this.holding !== 'paused') harm(this)
        hold.call(this, how)
      })
      expect(await isFound(kind)).toBe(true)
      mock.restore()
    }
  })

  test('the first syllable of a turn that is cut off, and one that comes twice', async () => {
    const { notGiven, turn } = LookBack.prototype
    spyOn(LookBack.prototype, 'notGiven').mockImplementation(function (this: LookBack, agoMs) {
      return notGiven.call(this, Math.max(0, agoMs - 340))
    })
    expect(await isFound('turn_lost')).toBe(true)
    mock.restore()
    spyOn(LookBack.prototype, 'notGiven').mockImplementation(function (this: LookBack, agoMs) {
      return turn.call(this, agoMs)
    })
    expect(await isFound('turn_audio')).toBe(true)
  })

  test('a caller who is not noticed, and a turn that never ends', async () => {
    const { speech } = Coordinator.prototype
    let events = 0
    spyOn(Coordinator.prototype, 'speech').mockImplementation(function (this: Coordinator, event) {
      events += 1
      if (events % 5 !== 0) speech.call(this, event)
    })
    expect(await isFound('turn_lost')).toBe(true)
    mock.restore()
    spyOn(TurnPause.prototype, 'begin').mockImplementation(() => {})
    expect(await isFound('turn_lost')).toBe(true)
  })

  test('a pause in the middle of a turn that is not heard', async () => {
    const { callerAudio } = Coordinator.prototype
    spyOn(Coordinator.prototype, 'callerAudio').mockImplementation(function (this: Coordinator, frame) {
      if (this.turnState !== 'endpointing') callerAudio.call(this, frame)
    })
    expect(await isFound('turn_audio')).toBe(true)
  })

  test('two commits for one turn', async () => {
    const { send } = ScriptedSession.prototype
    spyOn(ScriptedSession.prototype, 'send').mockImplementation(function (this: ScriptedSession, input) {
      if (input.type === 'turn_committed') send.call(this, input)
      return send.call(this, input)
    })
    expect(await isFound('turn_order')).toBe(true)
  })

  test('an agent that hears who is muted', async () => {
    const { push } = LookBack.prototype
    spyOn(LookBack.prototype, 'push').mockImplementation(function (this: LookBack, samples, given) {
      this.muted = false
      push.call(this, samples, given)
    })
    expect(await isFound('overheard')).toBe(true)
  })

  test('a gate that stays shut behind a reply', async () => {
    const { open } = Gate.prototype
    spyOn(Gate.prototype, 'open').mockImplementation(function (this: Gate, reason) {
      if (reason !== 'agent_speaking') open.call(this, reason)
    })
    expect(await isFound('gate')).toBe(true)
  })

  test('a reason to shut the gate that outlives its limit', async () => {
    // No reason of these worlds lasts for as long as it may.
    const token: { limitMs: number } = gateTokens.opening
    const { limitMs } = token
    token.limitMs = 100
    const { close } = Gate.prototype
    spyOn(Gate.prototype, 'close').mockImplementation(function (this: Gate, reason) {
      close.call(this, reason)
      const hidden = this as unknown as { held: Partial<Record<GateReason, Disposable>> }
      hidden.held[reason]?.[Symbol.dispose]()
    })
    const found = await isFound('gate')
    token.limitMs = limitMs
    expect(found).toBe(true)
  })

  test('an interruption that is not counted, and a turn that is not told', async () => {
    spyOn(OverlapLog.prototype, 'add').mockImplementation(() => {})
    expect(await isFound('records')).toBe(true)
    mock.restore()
    const { finish } = TurnLog.prototype
    spyOn(TurnLog.prototype, 'finish').mockImplementation(function (this: TurnLog, outcome, heardMs) {
      const turn = finish.call(this, outcome, heardMs)
      return outcome === 'answered' ? null : turn
    })
    expect(await isFound('records')).toBe(true)
  })

  test('a caller who is hung up on for saying nothing, right after they have spoken', async () => {
    spyOn(Waiting.prototype, 'begin').mockImplementation(function (this: Waiting) {
      const { deps } = this as unknown as { deps: WaitingDeps }
      if (deps.settings.afterMs > 0) deps.clock.after(300, deps.hangUp)
    })
    expect(await isFound('ending')).toBe(true)
  })

  test('an overlap whose clock goes on', async () => {
    const { end } = Overlap.prototype
    spyOn(Overlap.prototype, 'end').mockImplementation(function (this: Overlap) {
      const hidden = this as unknown as { timer: Disposable }
      hidden.timer = { [Symbol.dispose]: () => {} }
      return end.call(this)
    })
    expect(await isFound('left_over')).toBe(true)
  })
})

/** The name of a private field: what a reply has left to say. */
function playoutQueue(playout: Playout): SampleQueue {
  return (playout as unknown as { queue: SampleQueue }).queue
}
