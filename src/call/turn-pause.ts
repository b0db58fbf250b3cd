import { msToSamples } from '#audio/format.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import { type EndpointingSettings, type PauseEvidence, type TurnEnder, turnEnd } from './endpointing.ts'
import type { TurnEndModel } from './turn-end-model.ts'
import { whatWordsSay } from './unfinished-words.ts'

/**
 * The pauses of one call: asks the end-of-turn model once for each, and has one timer, which stands where
 * `endpointing.ts` says by the evidence that there is.
 */
/**
 * So much of the silence is shown to the model, whatever there is: with more of it everything sounds finished (of whole
 * and cut sentences it told 88 % apart after 100 ms, 85 % after 200, 75 % after 400).
 */
export const tailMs: Milliseconds = 100

/** For so long after a caller has gone on the word may come that was due to the pause before. */
const lateMaxMs: Milliseconds = 700

export interface TurnPauseDeps {
  readonly clock: Clock
  readonly settings: EndpointingSettings
  readonly sampleRateHz: number
  /** Of the call: ISO 639-1, with or without a region; null where it isn't known. */
  readonly language: string | null
  /** Null where there is none in this engine. */
  readonly model: TurnEndModel | null
  readonly over: (by: TurnEnder) => void
  readonly guarded: (action: () => void) => void
}

export class TurnPause {
  private readonly deps: TurnPauseDeps
  private evidence: { -readonly [Key in keyof PauseEvidence]: PauseEvidence[Key] } = {
    probability: null,
    words: null,
    providerDone: false,
    providerTells: false,
  }
  private stoppedMs: Milliseconds = 0
  /** When the provider's recogniser spoke of the end last. */
  private saidMs = Number.NEGATIVE_INFINITY
  /** When a pause was over last. */
  private resumedMs = Number.NEGATIVE_INFINITY
  private timer: Disposable | null = null
  private asking: AbortController | null = null

  constructor(deps: TurnPauseDeps) {
    this.deps = deps
  }

  get asksModel(): boolean {
    return this.deps.settings.stop === 'model' && this.deps.model !== null
  }

  /**
   * What the recogniser has said of this turn counts, also where it came before the detector noticed the pause: in a
   * babble that is much later.
   *
   * @param startedMs when the turn began, @param stoppedMs when the voice ended
   * @param turn the turn so far, with the pause; empty where nobody asks for it
   */
  begin(startedMs: Milliseconds, stoppedMs: Milliseconds, turn: Int16Array): void {
    this.stop()
    this.stoppedMs = stoppedMs
    this.evidence.probability = null
    this.evidence.words = null
    if (this.saidMs < startedMs) this.evidence.providerDone = false
    this.arm()
    if (this.asksModel) this.ask(turn)
  }

  /** The provider's recogniser says that the turn is over; with `resumed`, that it is not after all. */
  providerSays(done: boolean): void {
    this.evidence.providerTells = true
    this.saidMs = this.deps.clock.now()
    const ofThePauseBefore = this.timer === null && this.saidMs - this.resumedMs < lateMaxMs
    this.evidence.providerDone = done && !ofThePauseBefore
    if (this.timer !== null) this.arm()
  }

  /** The recogniser's words of the turn so far. Only those of a pause count: in speech the next one is under way. */
  heard(text: string): void {
    if (this.timer === null) {
      // Who says more is not done after all.
      this.evidence.providerDone = false
      return
    }
    this.evidence.words = whatWordsSay(text, this.deps.language)
    this.arm()
  }

  /** The caller goes on, or the turn is over. */
  end(): void {
    this.stop()
    this.evidence.providerDone = false
    this.resumedMs = this.deps.clock.now()
  }

  private stop(): void {
    this.timer?.[Symbol.dispose]()
    this.timer = null
    this.asking?.abort()
    this.asking = null
  }

  private ask(turn: Int16Array): void {
    const { model, sampleRateHz } = this.deps
    const asking = new AbortController()
    this.asking = asking
    const tooMuchMs = Math.max(0, this.deps.clock.now() - this.stoppedMs - tailMs)
    const shown = turn.subarray(0, Math.max(0, turn.length - msToSamples(tooMuchMs, sampleRateHz)))
    void model?.judge(shown, sampleRateHz, asking.signal).then((probability) => {
      if (this.asking !== asking) return
      this.asking = null
      this.evidence.probability = probability
      this.deps.guarded(() => this.arm())
    })
  }

  private arm(): void {
    const { clock, settings } = this.deps
    this.timer?.[Symbol.dispose]()
    const { silenceMs, by } = turnEnd(this.evidence, settings)
    this.timer = clock.after(Math.max(0, silenceMs - (clock.now() - this.stoppedMs)), () =>
      this.deps.guarded(() => this.deps.over(by)),
    )
  }
}
