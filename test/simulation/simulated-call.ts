import type { SampleRateHz } from '#audio/format.ts'
import { silentLog } from '#base/log.ts'
import { Call } from '#call/call.ts'
import type { CallPlan, CallWorld } from '#call/call-plan.ts'
import type { HangupCause } from '#call/leg.ts'
import { Caller } from '../bed/caller.ts'
import { RecordingObserver, turnSettings } from '../fakes/call-world.ts'
import type { ManualClock } from '../fakes/manual-clock.ts'
import { createScriptedAgent, type ScriptedSession, type SentReply } from '../fakes/scripted-agent.ts'
import type { Dice } from './dice.ts'
import { Ear } from './ear.ts'
import { EnergyEar } from './energy-detector.ts'
import type { Finding, FindingKind } from './findings.ts'
import { markerSound } from './markers.ts'
import { randomReply } from './replies.ts'
import { type FileFate, SimulatedFiles } from './simulated-files.ts'
import { SimulatedLeg } from './simulated-leg.ts'
import { SimulatedLine } from './simulated-line.ts'
import { SimulatedPbx } from './simulated-pbx.ts'
import { randomVisit } from './visits.ts'

/** What all calls of a simulation share. */
export interface SharedWorld extends Omit<CallWorld, 'observer' | 'log' | 'clock'> {
  readonly clock: ManualClock
  /** The part of a plan that the configuration would say. */
  readonly terms: Pick<CallPlan, 'playout' | 'warmUp' | 'turns'>
  readonly findings: Finding[]
}

/** One caller, one call, and all that may go wrong with it; everything out of its own dice. */
export class SimulatedCall {
  readonly id: string
  readonly call: Call
  readonly observer = new RecordingObserver()
  readonly ear: Ear
  readonly caller: Caller
  readonly line: SimulatedLine
  readonly legs: SimulatedLeg[] = []
  readonly files: SimulatedFiles | null
  readonly pbx: SimulatedPbx
  /** Null until it is open. */
  session: ScriptedSession | null = null
  /** Something was wrong with a leg: what depends on a leg that takes its frames is not looked at. */
  legFaults = false
  /** The machine stood still during it. */
  stalled = false
  /** When the caller hung up, or the engine let the caller go. */
  hangUpMs: number | null = null
  /** By reply: the warm-up that was stated when it began. */
  readonly warmUps: number[] = []
  readonly plan: CallPlan
  visiting: Promise<void> = Promise.resolve()
  private readonly world: SharedWorld
  private readonly dice: Dice
  private readonly sampleRateHz: SampleRateHz
  private readonly closingMs: number
  private readonly plans: Disposable[] = []

  constructor(id: string, world: SharedWorld, dice: Dice) {
    this.id = id
    this.world = world
    this.dice = dice
    const wire = dice.chance(0.8) ? 'slin' : 'slin16'
    this.sampleRateHz = wire === 'slin' ? 8000 : 16_000
    this.closingMs = dice.pick([0, 10, 900])
    this.ear = new Ear((kind, what) => this.report(kind, what))
    const { clock } = world
    this.line = new SimulatedLine({
      clock,
      sampleRateHz: this.sampleRateHz,
      said: (samples) => this.leg?.audio(samples),
      pressed: (digit) => this.leg?.digit(digit),
      hungUp: () => this.hangUp(),
    })
    this.caller = new Caller(this.line, { seed: dice.between(1, 1000), noiseDbfs: -dice.between(50, 70) })
    this.files = dice.chance(0.6) ? this.createFiles(dice.split()) : null
    const reopenings = dice.split()
    this.pbx = new SimulatedPbx({
      clock,
      files: this.files,
      reopening: () => ({
        how: reopenings.pick(['another', 'another', 'another', 'too_late', 'refused', 'silence']),
        afterMs: reopenings.between(0, 2700),
        joinMs: reopenings.between(-150, 150),
      }),
      releaseMs: dice.pick([0, 30, 3000]),
      openLeg: (channel) => this.attach(this.createLeg(channel)),
      released: () => {
        this.hangUpMs ??= clock.now()
        this.line.end()
      },
    })
    this.plan = {
      ...world.terms,
      id,
      provider: this.createAgent(dice.split()),
      language: 'en',
      prompt: 'Be brief.',
      greeting: dice.chance(0.85) ? 'Hello.' : '',
      callMaxMs: dice.chance(0.05) ? dice.between(500, 20_000) : 600_000,
      caller: { number: '+4312345', name: 'Ada', dialled: '100' },
      origin: dice.chance(0.8) ? 'ari' : 'dialplan',
      transport: 'audiosocket',
      wire,
      pbx: this.pbx,
    }
    const log = {
      ...silentLog,
      error: (message: string, fields?: object) => this.logged(message, fields),
    }
    this.call = new Call(this.plan, { ...world, log, observer: this.observer })
    this.setUp()
    this.visiting = randomVisit(dice.split())(this.caller)
  }

  get leg(): SimulatedLeg | undefined {
    return this.legs.at(-1)
  }

  get finished(): boolean {
    return this.observer.facts.length > 0
  }

  report(kind: FindingKind, what: string): void {
    this.world.findings.push({ kind, atMs: this.world.clock.now(), call: this.id, what })
  }

  // ── the door ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** The three things that a door tells a call come in any order; then the leg has its faults. */
  private setUp(): void {
    const { dice } = this
    this.later(dice.between(0, 300), () => this.call.answered())
    this.later(dice.between(0, 400), () => {
      this.call.answered()
      this.call.bridged()
    })
    this.later(dice.between(0, 400), () => this.attach(this.createLeg()))
    if (!dice.chance(0.5)) return
    for (let faults = dice.between(1, 3); faults > 0; faults -= 1) {
      const fault = dice.pick(['full', 'full', 'lost'])
      const forMs = fault === 'full' ? dice.between(20, 4000) : dice.between(0, 300)
      this.later(dice.between(400, 25_000), () => this.spoilLeg(fault, forMs))
    }
  }

  private spoilLeg(fault: 'full' | 'lost', forMs: number): void {
    const { leg } = this
    if (leg === undefined || !leg.paced) return
    this.legFaults = true
    leg.condition = fault === 'full' ? 'full' : 'broken'
    this.later(forMs, () => {
      if (fault === 'full') leg.condition = 'well'
      else if (leg.paced) leg.end('media_lost')
    })
  }

  private createLeg(channel: { readonly joined: boolean } = { joined: true }): SimulatedLeg {
    const { clock } = this.world
    return new SimulatedLeg({
      clock,
      sampleRateHz: this.sampleRateHz,
      closingMs: this.closingMs,
      channel,
      hear: (samples) => {
        this.ear.hear(samples, clock.now(), 'leg')
        this.line.play(samples, 'leg')
      },
    })
  }

  private attach(leg: SimulatedLeg): void {
    if (this.call.attachLeg(leg) === 'refused') return
    this.legs.push(leg)
  }

  /** Asterisk tells it by an event, or the connection just ends; with ARI both come, in either order. */
  private hangUp(): void {
    const { dice, leg } = this
    this.hangUpMs ??= this.world.clock.now()
    const legFirst = dice.chance(0.5)
    if (this.plan.origin === 'dialplan' && leg?.paced === true) return leg.end('caller')
    if (legFirst) leg?.end('caller')
    this.later(dice.between(0, 100), () => void this.call.end('caller'))
    if (!legFirst) this.later(dice.between(0, 200), () => leg?.end('caller'))
  }

  private createFiles(dice: Dice): SimulatedFiles {
    const { clock } = this.world
    return new SimulatedFiles({
      clock,
      dice,
      fate: () => dice.pick<FileFate>(['plays', 'plays', 'plays', 'refused', 'never_starts', 'breaks_off']),
      hear: (samples) => {
        this.ear.hear(samples, clock.now(), 'file')
        this.line.play(samples, 'file')
      },
    })
  }

  private createAgent(dice: Dice) {
    const { clock } = this.world
    const findsTurns = dice.chance(0.15)
    const taste = {
      sampleRateHz: this.sampleRateHz,
      replyMsMax: dice.chance(0.04) ? 60_000 : dice.pick([800, 3000, 8000]),
      spoiled: dice.pick([0, 0.2, 0.6]),
    }
    const openMs = dice.chance(0.03) ? dice.between(9000, 12_000) : dice.between(0, 600)
    const openFails = dice.chance(0.02)
    return createScriptedAgent(
      {
        name: 'scripted',
        turnDetection: findsTurns ? 'provider' : 'engine',
        clock,
        script: (number) => randomReply(dice, taste, number === 1),
        sound: markerSound,
        opening: async ({ signal }) => {
          await clock.sleep(openMs, signal)
          if (openFails) throw new Error('no session, as the dice say')
        },
        watch: {
          accepted: (reply) => this.sent(reply),
          interrupted: (reply) => {
            if (reply !== null) this.checkHeardMs(reply)
            if (reply !== null) this.ear.interrupted(reply.number)
          },
        },
      },
      (session) => {
        this.session = session
        const ear = new EnergyEar(({ type }) => session.emit({ type }))
        if (findsTurns) session.onAudio = ({ samples }) => ear.push(samples)
      },
    )
  }

  /** Asked when a chunk has just been sent: the agent has the floor, or what it says has nowhere to go. */
  private sent(reply: SentReply): boolean {
    const { warmUp, turns } = this.world.terms
    // Read where it counts: at a reply's first chunk its playout has just begun.
    if (reply.chunks.length === 0) this.warmUps[reply.number] = warmUp.of(turns.warmUpMs)
    const { turnState, ended } = this.call
    return !ended && (turnState === 'agent_speaking' || turnState === 'overlap')
  }

  private checkHeardMs(reply: SentReply): void {
    const told = reply.interrupted?.heardMs ?? 0
    // A reply that came in two parts is two to the engine; a file's place is known to a frame only.
    if (reply.late || (this.files?.brokeOff ?? 0) > 0 || this.dryFor(reply)) return
    const heard = (this.ear.samplesOf(reply.number) * 1000) / this.sampleRateHz
    const byFile = this.ear.heard.some((run) => run.reply === reply.number && run.via === 'file')
    if (Math.abs(heard - told) > (byFile ? 20 : 0.001)) {
      this.report('heard_ms', `reply ${reply.number}: the agent is told ${told} ms, the caller heard ${heard} ms`)
    }
  }

  /** Five seconds without audio end a reply; what comes then is another one to the engine. */
  dryFor(reply: SentReply): boolean {
    return reply.chunks.some((chunk, index) => {
      const before = reply.chunks[index - 1]
      return before !== undefined && chunk.atMs - before.atMs >= 4900
    })
  }

  private logged(message: string, fields?: object): void {
    if (message.startsWith('a fault of the engine'))
      this.report('internal_error', `${message} ${JSON.stringify(fields)}`)
    else if (message.startsWith('a part of the call')) this.report('ending', `${message} ${JSON.stringify(fields)}`)
  }

  /** What the world has in store for a call dies with it. */
  private later(afterMs: number, action: () => void): void {
    this.plans.push(this.world.clock.after(afterMs, action))
  }

  forgetPlans(): void {
    for (const plan of this.plans.splice(0)) plan[Symbol.dispose]()
  }

  get cause(): HangupCause | undefined {
    return this.observer.facts[0]?.cause
  }
}

/** Round numbers, but one warm-up for all: the greeting's is no other one. */
export function simulatedTurns(dice: Dice): typeof turnSettings {
  const warmUpMs = dice.pick([0, 40, 60, 200])
  return { ...turnSettings, warmUpMs, greetingWarmUpMs: warmUpMs }
}
