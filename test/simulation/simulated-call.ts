import type { SampleRateHz } from '#audio/format.ts'
import { levelDbfs } from '#audio/level.ts'
import { silentLog } from '#base/log.ts'
import { Call } from '#call/call.ts'
import type { CallPlan, CallWorld } from '#call/call-plan.ts'
import type { HangupCause } from '#call/leg.ts'
import { RecordingObserver } from '../fakes/call-world.ts'
import type { ManualClock } from '../fakes/manual-clock.ts'
import { createScriptedAgent, type ScriptedSession, type SentReply } from '../fakes/scripted-agent.ts'
import { AgentEar } from './agent-ear.ts'
import { randomAsides } from './asides.ts'
import { addRange, isOnePiece, markCaller, type SampleRange } from './caller-marks.ts'
import type { Dice } from './dice.ts'
import { Ear } from './ear.ts'
import { voicedDbfs } from './energy-detector.ts'
import type { Finding, FindingKind } from './findings.ts'
import { markerSound } from './markers.ts'
import { randomReply, wasDry } from './replies.ts'
import { SimulatedCaller } from './simulated-caller.ts'
import { type FileFate, SimulatedFiles } from './simulated-files.ts'
import { simulatedOverlaps, simulatedTurnEnd, simulatedWords } from './simulated-judges.ts'
import { SimulatedLeg } from './simulated-leg.ts'
import { SimulatedLine } from './simulated-line.ts'
import { SimulatedPbx } from './simulated-pbx.ts'
import { TrueEcho } from './true-echo.ts'
import { TurnFinder } from './turn-finder.ts'
import { Utterances } from './utterances.ts'
import { randomVisit } from './visits.ts'

/** What all calls of a simulation share. */
type OwnToEachCall = 'observer' | 'log' | 'clock' | 'turnEndModel' | 'overlapModel' | 'createEcho'
export interface SharedWorld extends Omit<CallWorld, OwnToEachCall> {
  readonly clock: ManualClock
  /** The part of a plan that the configuration would say. */
  readonly terms: Pick<CallPlan, 'playout' | 'warmUp' | 'turns' | 'voice' | 'tools' | 'choice'>
  readonly findings: Finding[]
}

/** One caller, one call, and all that may go wrong with it; everything out of its own dice. */
export class SimulatedCall {
  readonly id: string
  readonly call: Call
  readonly observer = new RecordingObserver()
  readonly ear: Ear
  readonly caller: SimulatedCaller
  readonly agentEar: AgentEar
  readonly utterances = new Utterances()
  /** Null where nobody asks for the echo. */
  echo: TrueEcho | null = null
  readonly findsTurns: boolean
  readonly startedMs: number
  readonly line: SimulatedLine
  readonly legs: SimulatedLeg[] = []
  readonly files: SimulatedFiles | null
  readonly pbx: SimulatedPbx
  /** Null until it is open. */
  session: ScriptedSession | null = null
  /** Something was wrong with a leg: what depends on a leg that takes its frames is not looked at. */
  legFaults = false
  private lineBroke = false
  /** The machine stood still during it. */
  stalled = false
  /** When the caller hung up, or the engine let the caller go. */
  hangUpMs: number | null = null
  /** When the engine began to end the call. */
  endingMs: number | null = null
  /** By reply: the warm-up that was stated when it began, and how many of its samples were taken. */
  readonly warmUps: number[] = []
  readonly accepted: number[] = []
  /** Replies that came while another was under way: to the engine they are one. */
  readonly joined: number[] = []
  /** Ticks at which somebody spoke over the agent. */
  readonly overlapTicks: number[] = []
  /** Samples of the caller's that came while they were not to be listened to. */
  readonly mutedSaid: SampleRange[] = []
  readonly plan: CallPlan
  visiting: Promise<void> = Promise.resolve()
  private readonly world: SharedWorld
  private readonly dice: Dice
  private readonly sampleRateHz: SampleRateHz
  private readonly closingMs: number
  private readonly plans: Disposable[] = []
  private saidSamples = 0

  constructor(id: string, world: SharedWorld, dice: Dice) {
    this.id = id
    this.world = world
    this.dice = dice
    const wire = dice.chance(0.8) ? 'slin' : 'slin16'
    this.sampleRateHz = wire === 'slin' ? 8000 : 16_000
    this.closingMs = dice.pick([0, 10, 900])
    this.findsTurns = dice.chance(0.2)
    this.agentEar = new AgentEar(
      this.findsTurns,
      () => this.plan.turns.turnMaxMs,
      () => this.mutedSaid.at(-1)?.until ?? 0,
      (kind, what) => this.report(kind, what),
    )
    this.ear = new Ear((kind, what) => this.report(kind, what))
    const { clock } = world
    this.startedMs = clock.now()
    this.line = new SimulatedLine({
      clock,
      sampleRateHz: this.sampleRateHz,
      said: (samples) => this.said(samples),
      pressed: (digit) => this.leg?.digit(digit),
      hungUp: () => this.hangUp(),
    })
    this.caller = new SimulatedCaller(this.line, { seed: dice.between(1, 1000), noiseDbfs: -dice.between(50, 70) })
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
      onLimit: 'farewell',
      onFailure: null,
      keys: {},
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
    const judges = dice.split()
    const lying = dice.pick([0, 0, 0, 0.02, 0.3])
    this.call = new Call(this.plan, {
      ...world,
      log,
      observer: this.observer,
      turnEndModel: dice.chance(0.8) ? simulatedTurnEnd(clock, judges, (shown) => this.checkShown(shown)) : null,
      overlapModel: dice.chance(0.8) ? simulatedOverlaps(judges) : null,
      createEcho: () => {
        this.echo = new TrueEcho(clock, judges, lying)
        return this.echo
      },
    })
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
    const taste = {
      sampleRateHz: this.sampleRateHz,
      replyMsMax: dice.chance(0.04) ? 60_000 : dice.pick([800, 3000, 8000]),
      spoiled: dice.pick([0, 0.2, 0.6]),
      // One that answers when it likes may do so right after it has spoken.
      announces: this.findsTurns,
    }
    const openMs = dice.chance(0.03) ? dice.between(9000, 12_000) : dice.between(0, 600)
    const openFails = dice.chance(0.02)
    const asides = randomAsides(dice.split())
    const thinkMsMax = dice.pick([0, 300, 900])
    let finder: TurnFinder | null = null
    return createScriptedAgent(
      {
        name: 'scripted',
        turnDetection: this.findsTurns ? 'provider' : 'engine',
        clock,
        script: (number) => randomReply(dice, taste, number === 1),
        sound: markerSound,
        opening: async ({ signal }) => {
          await clock.sleep(openMs, signal)
          if (openFails) throw new Error('no session, as the dice say')
        },
        asides: this.findsTurns ? () => [] : asides,
        ...(dice.chance(0.5) ? { wordsIn: simulatedWords(clock, dice.split()) } : {}),
        watch: {
          took: (input) => {
            const asked = input.type === 'say' || input.type === 'turn_committed'
            if (asked && this.hasFloor) this.report('turn_order', `${input.type} while a reply is under way`)
            this.agentEar.took(input, clock.now())
            finder?.took(input)
          },
          begins: (reply) => {
            if (this.hasFloor) this.joined.push(reply.number)
          },
          accepted: (reply) => this.sent(reply),
          interrupted: (reply) => this.interrupted(reply),
        },
      },
      (session) => {
        this.session = session
        if (this.findsTurns) finder = new TurnFinder(clock, session, () => dice.between(0, thinkMsMax))
      },
    )
  }

  private get hasFloor(): boolean {
    const { turnState, ended } = this.call
    return !ended && (turnState === 'agent_speaking' || turnState === 'overlap')
  }

  /** What is one reply to the engine: the last that came while no other was under way, and those behind it. */
  get underWay(): readonly SentReply[] {
    const replies = (this.session?.replies ?? []).filter(({ chunks }) => chunks.length > 0)
    const first = replies.findLastIndex(({ number }) => !this.joined.includes(number))
    return replies.slice(Math.max(0, first))
  }

  /** Asked when a chunk has just been sent: the agent has the floor, or what it says has nowhere to go. */
  private sent(reply: SentReply): boolean {
    const { warmUp, turns } = this.world.terms
    // Read where it counts: at a reply's first chunk its playout has just begun.
    if (reply.chunks.length === 0) this.warmUps[reply.number] = warmUp.of(turns.warmUpMs)
    const accepted = this.hasFloor
    this.accepted[reply.number] = accepted ? reply.samples : (this.accepted[reply.number] ?? 0)
    if (this.findsTurns && !accepted && !this.call.ended) {
      this.report('lost', `reply ${reply.number} of an agent that answers when it likes, in ${this.call.turnState}`)
    }
    return accepted
  }

  private interrupted(last: SentReply | null): void {
    if (last === null) return
    const { underWay } = this
    const told = last.interrupted ?? { atMs: this.world.clock.now(), heardMs: 0 }
    this.checkHeardMs(underWay, told.heardMs)
    for (const reply of underWay) {
      reply.interrupted ??= told
      this.ear.interrupted(reply.number)
    }
    this.ear.interrupted(last.number)
  }

  private checkHeardMs(replies: readonly SentReply[], toldMs: number): void {
    // A reply that came in two parts is two to the engine; a file's place is known to a frame only.
    if (replies.some((reply) => reply.late || wasDry(reply)) || (this.files?.brokeOff ?? 0) > 0) return
    const samples = replies.reduce((sum, { number }) => sum + this.ear.samplesOf(number), 0)
    const heardMs = (samples * 1000) / this.sampleRateHz
    const numbers = replies.map(({ number }) => number)
    const byFile = this.ear.heard.some((run) => numbers.includes(run.reply) && run.via === 'file')
    if (Math.abs(heardMs - toldMs) > (byFile ? 20 : 0.001)) {
      this.report('heard_ms', `reply ${numbers}: the agent is told ${toldMs} ms, the caller heard ${heardMs} ms`)
    }
  }

  // ── what the caller says ──────────────────────────────────────────────────────────────────────────────────────

  private get muted(): boolean {
    return this.call.hearing.gateReasons.some((reason) => reason.startsWith('muted_'))
  }

  /** A frame of the caller's goes to the engine, if a leg takes it there. */
  private said(samples: Int16Array): void {
    const { call, caller, leg, world, saidSamples, muted } = this
    const delivered = leg?.paced === true && leg.condition !== 'broken' && !call.ended
    if (delivered) markCaller(samples, saidSamples)
    else if (saidSamples > 0) this.lineBroke = true
    if (call.ended) this.endingMs ??= world.clock.now()
    const truth = { loud: levelDbfs(samples) > voicedDbfs, own: caller.speaks, echoes: caller.echoes }
    this.echo?.frame(truth)
    if (delivered) this.saidSamples += samples.length
    if (delivered && muted) addRange(this.mutedSaid, saidSamples, this.saidSamples)
    leg?.audio(samples)
    this.utterances.frame({
      ...truth,
      atMs: world.clock.now(),
      fromSample: saidSamples,
      samples: samples.length,
      state: call.turnState,
      muted: muted || this.muted,
      delivered,
    })
  }

  /** A model is shown one stretch of the caller's audio; where they were muted, or the line broke, silence is in it. */
  private checkShown(samples: Int16Array): void {
    if (isOnePiece(samples) || this.lineBroke || this.mutedSaid.length > 0) return
    this.report('turn_audio', `what is shown of a turn, ${samples.length} samples, is not one piece`)
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
