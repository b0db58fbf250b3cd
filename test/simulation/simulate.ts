import type { Milliseconds } from '#base/clock.ts'
import type { PacedWriter } from '#call/pacer.ts'
import { Pacer } from '#call/pacer.ts'
import { SessionStore } from '#call/session-store.ts'
import { WarmUp } from '#call/warm-up.ts'
import { FakeEcho } from '../fakes/call-world.ts'
import { ManualClock, settle } from '../fakes/manual-clock.ts'
import { checkFinished, checkStart, idleMsMax, isPlain } from './checks.ts'
import { Dice } from './dice.ts'
import { EnergyDetector } from './energy-detector.ts'
import type { Finding } from './findings.ts'
import { type SharedWorld, SimulatedCall, simulatedTurns } from './simulated-call.ts'
import type { SimulatedLeg } from './simulated-leg.ts'

/**
 * A world out of one seed: some callers, their calls through the engine's own heart, agents and a PBX that go wrong in
 * every way that the dice know, all on one simulated clock. The same seed gives the same world, to the sample.
 */
export interface Simulation {
  readonly seed: number
  readonly findings: readonly Finding[]
  readonly simulatedMs: Milliseconds
  readonly calls: readonly SimulatedCall[]
}

/** Promises go on at these steps: finer than a frame, so that no answer is a whole frame late. */
const stepMs = 10
/** Each visit hangs up, whatever the agent does; no visit is longer than this. */
const visitMsMax = 15 * 60_000
/** What a call has begun when it ends takes no longer to end. */
const restMs = 15_000

export async function simulate(seed: number): Promise<Simulation> {
  const dice = new Dice(seed)
  const world = createWorld(dice)
  const { clock, findings } = world
  const startMs = clock.now()
  const calls: SimulatedCall[] = []
  const watch = new Watch(world, calls)
  const stalls = dice.chance(0.1) ? dice.split() : null
  for (let count = dice.pick([1, 1, 2, 3]); count > 0; count -= 1) {
    calls.push(new SimulatedCall(`call-${calls.length + 1}`, world, dice.split()))
  }
  while (calls.some((call) => !call.finished) && clock.now() - startMs < visitMsMax) {
    // The machine stands still for a moment; what was due meanwhile runs late.
    if (stalls?.chance(0.0005) === true) {
      for (const call of calls) call.stalled = true
      clock.stall(stalls.between(30, 100))
    } else {
      clock.advance(stepMs)
    }
    await settle(12)
  }
  for (const call of calls) {
    if (!call.finished) call.report('ending', `the call has not ended after ${clock.now() - startMs} ms`)
    call.forgetPlans()
  }
  for (let restedMs = 0; restedMs < restMs; restedMs += 1000) {
    clock.advance(1000)
    await settle(30)
  }
  watch.end()
  for (const call of calls.filter((one) => one.finished)) {
    checkFinished(call)
    if (isPlain(call)) for (const reply of call.session?.replies ?? []) checkStart(call, reply)
    // A line that is still open would keep its caller waiting, and us.
    if (call.line.over) await call.visiting
    else call.report('left_over', 'the line is open')
  }
  checkNothingLeft(world)
  return { seed, findings, simulatedMs: clock.now() - startMs, calls }
}

interface World extends SharedWorld {
  readonly detector: EnergyDetector
}

function createWorld(dice: Dice): World {
  const clock = new ManualClock()
  return {
    clock,
    pacer: new Pacer(clock),
    store: new SessionStore(),
    detector: new EnergyDetector(),
    turnEndModel: null,
    overlapModel: null,
    createEcho: () => new FakeEcho(),
    terms: {
      playout: {
        mode: dice.chance(0.8) ? 'stream' : 'file',
        lowWatermarkMs: dice.pick([0, 20, 60, 200]),
        graceMs: dice.pick([0, 200, 300]),
        fallbackMs: dice.pick([500, 1000, 2000]),
        duckGain: 0.25,
      },
      warmUp: new WarmUp(dice.pick([0, 200, 400])),
      turns: simulatedTurns(dice),
    },
    findings: [],
  }
}

function checkNothingLeft({ clock, pacer, store, detector, findings }: World): void {
  const left = { timers: clock.pending, paced: pacer.size, calls: store.size, sessions: store.providerSessions }
  for (const [what, count] of Object.entries({ ...left, detection: detector.opened })) {
    if (count !== 0) findings.push({ kind: 'left_over', atMs: clock.now(), call: '', what: `${what}: ${count}` })
  }
}

/** Looks on at every tick: it is the first writer of the pacer, and so the last that each tick comes to. */
class Watch implements PacedWriter {
  private readonly world: World
  private readonly calls: readonly SimulatedCall[]
  private readonly pacing: Disposable
  // keyed by: leg
  private readonly offered = new Map<SimulatedLeg, number>()
  // keyed by: call id
  private readonly idleSince = new Map<string, Milliseconds>()

  constructor(world: World, calls: readonly SimulatedCall[]) {
    this.world = world
    this.calls = calls
    this.pacing = world.pacer.add(this)
  }

  writeFrames(count: number): void {
    for (const call of this.calls) {
      for (const [index, leg] of call.legs.entries()) this.checkPacing(call, leg, index, count)
      this.checkIdle(call)
    }
  }

  end(): void {
    this.pacing[Symbol.dispose]()
  }

  private checkPacing(call: SimulatedCall, leg: SimulatedLeg, index: number, count: number): void {
    // The first leg of a call gets its first frame at once, out of turn.
    const before = this.offered.get(leg) ?? (index === 0 ? 1 : 0)
    const isNew = !this.offered.has(leg)
    if (isNew && !leg.paced) return
    this.offered.set(leg, leg.offered)
    const got = leg.offered - before
    // One that came or went since the last tick has a part of it.
    if (leg.paced ? got !== count : got > count) {
      call.report('pacing', `${got} frames at a tick of ${count}`)
    }
  }

  /** Nothing sounds, nothing comes, and yet the agent keeps the floor. */
  private checkIdle(call: SimulatedCall): void {
    const now = this.world.clock.now()
    const busy = !call.call.gateClosed || call.finished || call.leg?.condition !== 'well'
    const lastMs = call.ear.heard.at(-1)?.atMs ?? 0
    const sentMs = call.session?.replies.at(-1)?.chunks.at(-1)?.atMs ?? 0
    const since = Math.max(busy ? now : (this.idleSince.get(call.id) ?? now), lastMs, sentMs)
    this.idleSince.set(call.id, since)
    if (now - since <= idleMsMax) return
    this.idleSince.set(call.id, now)
    call.report('stuck', `for ${now - since} ms in ${call.call.turnState}`)
  }
}
