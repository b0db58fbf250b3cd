import { contextSamples } from './detection-memory.ts'
import { sileroState } from './silero-graph.ts'

/** What the model remembers of one call. */
export class SileroStream {
  readonly state = new Float32Array(sileroState)
  readonly context = new Float32Array(contextSamples(16000))

  reset(): void {
    this.state.fill(0)
    this.context.fill(0)
  }
}

/** So many windows after a voice, or after it began to listen, a stream is replaced: 3 s. */
const renewAfter = 94
/** So many windows its heir has listened to by then: half a second; a cold one misses more voices. */
const heirListensFor = 16
/** From here on it is a voice, and up to there nobody says anything: no stream is replaced while something begins. */
const voiceFrom = 0.5
const quietBelow = 0.2

/**
 * The streams of one call, one after the other. Silero was trained on short recordings, and grows deaf where nobody
 * speaks for longer: of people who interrupt a reply after 20 s it finds 82 of 100, and a stream that has heard little
 * 93. So in silence a stream is replaced every 3 s by an heir that has listened along for a moment
 * (`scripts/bench/overlap-onset.ts`).
 */
export class RenewedStream {
  private listens = new SileroStream()
  private heir = new SileroStream()
  private heirHeard = -1
  private quietFor = 0

  /** Whose verdict counts. */
  get stream(): SileroStream {
    return this.listens
  }

  /** Who has to hear the window as well, and no later than the other; null: nobody. */
  get alongside(): SileroStream | null {
    return this.heirHeard < 0 ? null : this.heir
  }

  reset(): void {
    this.listens.reset()
    this.heirHeard = -1
    this.quietFor = 0
  }

  /** Both have heard one more window. @param probability the verdict of the one that counts */
  judged(probability: number): void {
    this.quietFor = probability >= voiceFrom ? 0 : this.quietFor + 1
    if (probability >= quietBelow) {
      this.heirHeard = -1
    } else if (this.heirHeard >= 0) {
      this.heirHeard += 1
      if (this.heirHeard >= heirListensFor) this.replace()
    } else if (this.quietFor >= renewAfter - heirListensFor) {
      this.heir.reset()
      this.heir.context.set(this.listens.context)
      this.heirHeard = 0
    }
  }

  private replace(): void {
    const old = this.listens
    this.listens = this.heir
    this.heir = old
    this.heirHeard = -1
    this.quietFor = 0
  }
}
