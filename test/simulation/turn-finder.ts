import type { AgentInput } from '#agent/provider.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { ScriptedSession } from '../fakes/scripted-agent.ts'
import { EnergyEar } from './energy-detector.ts'

/**
 * How an agent finds the turns itself: it hears the caller all the time, tells of each utterance, and answers some time
 * after its end, unless it is told that what it heard was no interruption.
 */
export class TurnFinder {
  private readonly clock: Clock
  private readonly session: ScriptedSession
  private readonly thinkMs: () => Milliseconds
  private readonly ear: EnergyEar
  private answering: Disposable | null = null
  private speaking = false
  /** What was heard last will not be answered. */
  private vetoed = false

  constructor(clock: Clock, session: ScriptedSession, thinkMs: () => Milliseconds) {
    this.clock = clock
    this.session = session
    this.thinkMs = thinkMs
    this.ear = new EnergyEar(({ type }) => this.heard(type))
  }

  took(input: AgentInput): void {
    if (input.type === 'audio') return this.ear.push(input.frame.samples)
    if (input.type === 'interrupted') this.vetoed = false
    if (input.type !== 'not_interrupted') return
    this.drop()
    this.vetoed = true
  }

  close(): void {
    this.drop()
  }

  private heard(type: 'speech_started' | 'speech_stopped'): void {
    this.speaking = type === 'speech_started'
    this.drop()
    if (this.speaking) this.vetoed = false
    this.session.emit({ type })
    if (this.speaking || this.vetoed) return
    this.answering = this.clock.after(this.thinkMs(), () => {
      this.answering = null
      this.session.answer()
    })
  }

  private drop(): void {
    this.answering?.[Symbol.dispose]()
    this.answering = null
  }
}
