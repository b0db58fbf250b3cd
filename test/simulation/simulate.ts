import type { Milliseconds } from '#base/clock.ts'
import { defaultChoice } from '#call/choice.ts'
import { Pacer } from '#call/pacer.ts'
import { ProviderUse } from '#call/provider-use.ts'
import { SessionStore } from '#call/session-store.ts'
import { WarmUp } from '#call/warm-up.ts'
import { ManualClock, settle } from '../fakes/manual-clock.ts'
import { checkFinished, checkStart, isPlain, stallMsMax } from './checks.ts'
import { Dice } from './dice.ts'
import { EnergyDetector } from './energy-detector.ts'
import type { Finding } from './findings.ts'
import { type SharedWorld, SimulatedCall } from './simulated-call.ts'
import { checkTurns } from './turn-checks.ts'
import { simulatedTurns } from './turn-dice.ts'
import { Watch } from './watch.ts'

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
      clock.stall(stalls.between(30, stallMsMax))
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
    checkTurns(call)
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
    use: new ProviderUse(clock),
    detector: new EnergyDetector(),
    terms: {
      voice: null,
      tools: null,
      choice: defaultChoice,
      playout: {
        mode: dice.chance(0.8) ? 'stream' : 'file',
        lowWatermarkMs: dice.pick([0, 20, 60, 200]),
        graceMs: dice.pick([0, 200, 300]),
        fallbackMs: dice.pick([500, 1000, 2000]),
        // As loud as before: what is heard is to be told sample by sample.
        duckGain: 1,
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
