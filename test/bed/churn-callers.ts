// Callers of a churn: what one does until the moment comes in which it hangs up.

import type { Asterisk } from './asterisk.ts'
import { doors, echoMomentsMs, msWithin, type PlannedCall, setUpMs } from './churn-plan.ts'
import type { BedEngine } from './engine.ts'
import type { PlacedCall } from './placed-call.ts'

export interface ChurnCaller {
  call(planned: PlannedCall, number: string): Promise<PlacedCall>
  /** Resolves when it is time to hang up. */
  live(call: PlacedCall, planned: PlannedCall, order: CallOrder): Promise<void>
}

export interface CallOrder {
  readonly number: string
  readonly orderedMs: number
}

const silence = { waitMs: 60_000 }

async function untilMs(dueMs: number): Promise<void> {
  await Bun.sleep(Math.max(0, dueMs - performance.now()))
}

/** To an echo: the clock alone decides. */
export class LoopbackCaller implements ChurnCaller {
  private readonly asterisk: Asterisk
  private readonly speech: string

  constructor(asterisk: Asterisk, speech: string) {
    this.asterisk = asterisk
    this.speech = speech
  }

  async call({ door }: PlannedCall, number: string): Promise<PlacedCall> {
    const steps = [{ waitMs: 600 }, { play: this.speech }, silence]
    return await this.asterisk.call({ extension: doors[door], callerId: number, steps })
  }

  async live(_call: PlacedCall, { moment, within }: PlannedCall, { orderedMs }: CallOrder): Promise<void> {
    await untilMs(orderedMs + msWithin(echoMomentsMs[moment], within))
  }
}

/** To an agent that greets, listens, thinks and answers: the engine's log tells which of them it does. */
export class LocalCaller implements ChurnCaller {
  private readonly asterisk: Asterisk
  private readonly engine: BedEngine
  private readonly speech: string

  constructor(asterisk: Asterisk, engine: BedEngine, speech: string) {
    this.asterisk = asterisk
    this.engine = engine
    this.speech = speech
  }

  async call({ door }: PlannedCall, number: string): Promise<PlacedCall> {
    return await this.asterisk.call({ extension: doors[door], callerId: number, steps: [silence] })
  }

  async live(call: PlacedCall, planned: PlannedCall, order: CallOrder): Promise<void> {
    const { moment, within } = planned
    const { number, orderedMs } = order
    if (moment === 'invite' || moment === 'set_up') {
      const window = moment === 'invite' ? echoMomentsMs.invite : setUpMs
      return await untilMs(orderedMs + msWithin(window, within))
    }
    const over = { yes: false }
    void call.ended.then(() => {
      over.yes = true
    })
    const { engine } = this
    const until = (what: string, holds: () => boolean) =>
      engine.until(`${what} of ${number}`, 60_000, () => over.yes || holds())
    let id = ''
    await until('the admission', () => {
      id = engine.log.find((line) => String(line.detail).includes(`from ${number}`))?.call ?? ''
      return id !== ''
    })
    const lines = () => engine.log.filter((line) => line.call === id)
    const words = (side: string) => lines().filter((line) => line.message === 'transcript' && line.side === side).length
    await until('the greeting', () => lines().some((line) => line.step === 'greeting_started'))
    if (moment === 'opening') return await Bun.sleep(within * 900)
    await until('the end of the greeting', () => lines().some((line) => line.step === 'greeting_finished'))
    const agentWords = words('agent')
    if (!over.yes) await call.turnTo([{ play: this.speech }, silence])
    if (moment === 'speech') return await Bun.sleep(within * 1500)
    await until("the caller's words", () => words('caller') > 0)
    if (moment === 'thinking') return await Bun.sleep(within * 150)
    await until("the agent's words", () => words('agent') > agentWords)
    if (moment === 'reply') return await Bun.sleep(within * 800)
    await until('the answer', () => lines().some((line) => line.message === 'turn finished'))
    await Bun.sleep(within * 500)
  }
}
