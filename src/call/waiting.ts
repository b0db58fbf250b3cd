import type { Clock } from '#base/clock.ts'
import { type NoInputSettings, noInputStep } from './no-input.ts'

/**
 * The silence of one call while it is the caller's turn: one timer, and how often it has run out since they last spoke.
 * What is then done, `no-input.ts` says.
 */
export interface WaitingDeps {
  readonly clock: Clock
  readonly settings: NoInputSettings
  /** False where the agent takes no order to speak: the next silence is waited for. */
  readonly say: (text: string) => boolean
  readonly hangUp: () => void
  readonly guarded: (action: () => void) => void
}

export class Waiting {
  private readonly deps: WaitingDeps
  private timer: Disposable | null = null
  private silences = 0
  /** The farewell has been ordered: the call ends when it has been heard. */
  leaving = false

  constructor(deps: WaitingDeps) {
    this.deps = deps
  }

  begin(): void {
    const { clock, settings, guarded } = this.deps
    this.end()
    if (settings.afterMs > 0) this.timer = clock.after(settings.afterMs, () => guarded(() => this.step()))
  }

  end(): void {
    this.timer?.[Symbol.dispose]()
    this.timer = null
  }

  /** Somebody begins to speak: while it is not known whether they say anything, nobody leaves. */
  stay(): void {
    this.leaving = false
  }

  /** The caller is there: silences are counted anew, and nobody leaves. */
  callerSpoke(): void {
    this.silences = 0
    this.leaving = false
  }

  private step(): void {
    this.timer = null
    this.silences += 1
    const step = noInputStep(this.silences, this.deps.settings)
    if (step.do === 'hang_up') return this.deps.hangUp()
    const said = this.deps.say(step.say)
    if (step.do === 'farewell' && !said) return this.deps.hangUp()
    this.leaving = step.do === 'farewell'
    // What is not said is no sign to the caller: the next silence is as long as this one.
    if (!said) this.begin()
  }
}
