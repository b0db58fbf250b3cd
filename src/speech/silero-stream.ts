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
const renewAfterWindows = 94
/** So many windows its heir has listened to by then: half a second. */
const heirWindows = 16
/** From here on it is a voice, and below that nobody says anything: no stream is replaced while something begins. */
const voiceFrom = 0.5
const quietBelow = 0.2

/**
 * The streams of one call, one after the other. Silero was trained on short recordings, and the longer nobody speaks the
 * deafer it grows, above all over a noise (figures by `scripts/bench/overlap-onset.ts` in docs/turn-taking.md). So in
 * silence a stream is replaced every 3 s by an heir that has listened along for a moment. A noise that is half taken
 * for a voice all the time keeps its stream.
 */
export class RenewedStream {
  private current = new SileroStream()
  private heir = new SileroStream()
  private heirHeardWindows = -1
  private quietWindows = 0

  /** Whose verdict counts. */
  get stream(): SileroStream {
    return this.current
  }

  /** Who has to hear the window as well, and no later than the other; null: nobody. */
  get alongside(): SileroStream | null {
    return this.heirHeardWindows < 0 ? null : this.heir
  }

  reset(): void {
    this.current.reset()
    this.heirHeardWindows = -1
    this.quietWindows = 0
  }

  /** Both have heard one more window. @param probability the verdict of the one that counts */
  judged(probability: number): void {
    this.quietWindows = probability >= voiceFrom ? 0 : this.quietWindows + 1
    if (probability >= quietBelow) {
      this.heirHeardWindows = -1
    } else if (this.heirHeardWindows >= 0) {
      this.heirHeardWindows += 1
      if (this.heirHeardWindows >= heirWindows) this.replace()
    } else if (this.quietWindows >= renewAfterWindows - heirWindows) {
      this.heir.reset()
      this.heir.context.set(this.current.context)
      this.heirHeardWindows = 0
    }
  }

  private replace(): void {
    const old = this.current
    this.current = this.heir
    this.heir = old
    this.heirHeardWindows = -1
    this.quietWindows = 0
  }
}
