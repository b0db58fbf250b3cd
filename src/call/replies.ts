import type { Milliseconds } from '#base/clock.ts'
import type { BargeInSettings } from './barge-in.ts'

/**
 * The agent's replies, one after the other: the greeting first, when each began to sound, which broke off, and how often
 * in a row the agent has failed to answer.
 */
/** Turns in a row that the agent may fail to answer before the call is given up. */
const faultsMax = 3

export class Replies {
  faults = 0
  greeting: 'pending' | 'sounding' | 'over' = 'pending'
  /** The reply that sounds broke off: what there is of it is still heard. */
  brokeOff = false
  /** The reply that sounds, or will, is the apology for one that failed. */
  private apologising = false
  /** The words of the newest reply that was told; empty before there is one. */
  last = ''
  /** A key has ended the reply that sounds: nobody wants the rest of it. */
  dropped = false
  private inRow = 0
  private count = 0
  private toldCount = 0
  private startedMs: Milliseconds = 0
  /** The agent's first audio of the reply; null once its first frame has left. */
  private firstAudioMs: Milliseconds | null = null
  private interruptedMs = Number.NEGATIVE_INFINITY

  begins(nowMs: Milliseconds): void {
    this.count += 1
    this.brokeOff = false
    this.dropped = false
    this.startedMs = nowMs
  }

  /** Which reply it is that sounds, or that did last. */
  get number(): number {
    return this.count
  }

  /** Whether its words are known. */
  get told(): boolean {
    return this.toldCount === this.count
  }

  /** @param text null: it is nothing that is worth saying again */
  tell(text: string | null): void {
    this.toldCount = this.count
    this.last = text ?? this.last
  }

  /** The agent's first audio of a reply is there. */
  arrives(nowMs: Milliseconds): void {
    this.firstAudioMs = nowMs
  }

  /** Its first frame has left. @returns how long the engine took; null where that is not known */
  sounds(nowMs: Milliseconds): Milliseconds | null {
    const engineMs = this.firstAudioMs === null ? null : nowMs - this.firstAudioMs
    this.startedMs = nowMs
    this.firstAudioMs = null
    return engineMs
  }

  /** Its last frame has left. */
  ends(): void {
    if (!this.apologising && !this.brokeOff) this.inRow = 0
    this.brokeOff = false
  }

  /** @returns whether that ends it for good: an apology is not worth saying twice */
  interrupted(nowMs: Milliseconds): boolean {
    this.interruptedMs = nowMs
    return this.dropped || this.apologising
  }

  /** A turn is over and waits for its answer. */
  turnCommitted(): void {
    this.apologising = false
  }

  apologise(): void {
    this.apologising = true
  }

  /** @returns whether the call is to be given up */
  fault(): boolean {
    this.faults += 1
    this.inRow += 1
    return this.inRow >= faultsMax || this.greeting === 'pending'
  }

  /** No interruption of this reply before that moment. */
  protectedUntilMs(settings: BargeInSettings): Milliseconds {
    const { greetingProtectionMs, initialProtectionMs, cooldownMs } = settings
    const protectionMs = this.greeting === 'sounding' ? greetingProtectionMs : initialProtectionMs
    return Math.max(this.startedMs + protectionMs, this.interruptedMs + cooldownMs)
  }
}
