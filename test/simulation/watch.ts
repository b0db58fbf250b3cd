import { msToSamples } from '#audio/format.ts'
import type { Milliseconds } from '#base/clock.ts'
import { type GateReason, gateTokens } from '#call/gate.ts'
import type { PacedWriter } from '#call/pacer.ts'
import { idleMsMax, isPlain } from './checks.ts'
import { wasDry } from './replies.ts'
import type { SharedWorld, SimulatedCall } from './simulated-call.ts'
import type { SimulatedLeg } from './simulated-leg.ts'

/** Looks on at every tick: it is the first writer of the pacer, and so the last that each tick comes to. */
export class Watch implements PacedWriter {
  private readonly world: SharedWorld
  private readonly calls: readonly SimulatedCall[]
  private readonly pacing: Disposable
  // keyed by: leg
  private readonly offered = new Map<SimulatedLeg, number>()
  // keyed by: call id
  private readonly watched = new Map<string, Watched>()

  constructor(world: SharedWorld, calls: readonly SimulatedCall[]) {
    this.world = world
    this.calls = calls
    this.pacing = world.pacer.add(this)
  }

  writeFrames(count: number): void {
    for (const call of this.calls) {
      for (const [index, leg] of call.legs.entries()) this.checkPacing(call, leg, index, count)
      let watched = this.watched.get(call.id)
      if (watched === undefined) {
        watched = new Watched(call, this.world)
        this.watched.set(call.id, watched)
      }
      watched.tick()
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
}

/** One call, tick by tick. */
class Watched {
  private readonly call: SimulatedCall
  private readonly world: SharedWorld
  private idleSinceMs: Milliseconds | null = null
  /** Silence in the reply during the overlap that is under way. */
  private pausedFrames = 0
  private overlapsOver = 0
  private heldSince: Partial<Record<GateReason, Milliseconds>> = {}

  constructor(call: SimulatedCall, world: SharedWorld) {
    this.call = call
    this.world = world
  }

  tick(): void {
    if (this.call.call.turnState === 'overlap') this.call.overlapTicks.push(this.world.clock.now())
    this.checkIdle()
    this.checkHoles()
    this.checkGate()
  }

  /** Nothing sounds, nothing comes, and yet the agent keeps the floor. */
  private checkIdle(): void {
    const { call } = this
    const now = this.world.clock.now()
    const busy = !call.call.gateClosed || call.finished || call.leg?.condition !== 'well'
    const lastMs = call.ear.heard.at(-1)?.atMs ?? 0
    const sentMs = call.session?.replies.at(-1)?.chunks.at(-1)?.atMs ?? 0
    // While a reply is held its clocks stand still.
    const heldMs = call.call.turnState === 'overlap' ? 20 : 0
    const since = Math.max(busy ? now : (this.idleSinceMs ?? now) + heldMs, lastMs, sentMs)
    this.idleSinceMs = since
    if (now - since <= idleMsMax) return
    this.idleSinceMs = now
    call.report('stuck', `for ${now - since} ms in ${call.call.turnState}`)
  }

  /** A reply that sounds, and has audio to go on, is silent only while it is held, and not for longer than it may be. */
  private checkHoles(): void {
    const { call, world } = this
    const { turnState } = call.call
    const overlapsOver = call.observer.bargeIns.length
    if (turnState !== 'overlap' || overlapsOver !== this.overlapsOver) this.pausedFrames = 0
    this.overlapsOver = overlapsOver
    if (call.call.ended || (turnState !== 'overlap' && turnState !== 'agent_speaking')) return
    if (!isPlain(call) || call.leg?.paced !== true || call.ear.heardMs === world.clock.now()) return
    if (!this.couldGoOn()) return
    const { onOverlap, pauseMaxMs } = world.terms.turns.bargeIn
    if (turnState !== 'overlap' || onOverlap === 'none') return call.report('hole', `in ${turnState}`)
    this.pausedFrames += 1
    if (this.pausedFrames * 20 > pauseMaxMs + 40) call.report('hole', `for ${this.pausedFrames * 20} ms in one overlap`)
  }

  private couldGoOn(): boolean {
    const { call, world } = this
    const chain = call.underWay
    if (chain.some((reply) => reply.interrupted !== null || reply.late || wasDry(reply))) return false
    const heard = chain.reduce((sum, { number }) => sum + call.ear.samplesOf(number), 0)
    const sent = chain.reduce((sum, { number }) => sum + (call.accepted[number] ?? 0), 0)
    const enoughMs = Math.max(20, world.terms.playout.lowWatermarkMs)
    return heard > 0 && sent - heard >= msToSamples(enoughMs, call.line.sampleRateHz)
  }

  /** Each reason to shut the gate holds where it should, and for no longer than it may. */
  private checkGate(): void {
    const { call, world } = this
    const { turnState, hearing } = call.call
    const now = world.clock.now()
    const held: Partial<Record<GateReason, Milliseconds>> = {}
    for (const reason of hearing.gateReasons) {
      const since = this.heldSince[reason] ?? now
      held[reason] = since
      if (now - since > gateTokens[reason].limitMs + 20) call.report('gate', `${reason} for ${now - since} ms`)
    }
    this.heldSince = held
    if (hearing.gateReasons.length === 0 && turnState === 'opening') return
    const floor = turnState === 'agent_speaking' || turnState === 'overlap' || turnState === 'guarding'
    if ((held.agent_speaking !== undefined) !== floor) {
      call.report('gate', `agent_speaking is ${floor ? 'not held' : 'held'} in ${turnState}`)
    }
    if (held.opening !== undefined && turnState !== 'opening') call.report('gate', `opening is held in ${turnState}`)
    if (!floor && (held.muted_reply !== undefined || held.muted_greeting !== undefined)) {
      call.report('gate', `muted for a reply in ${turnState}`)
    }
  }
}
