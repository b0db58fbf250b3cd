import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Ask } from './asking.ts'

/**
 * The reply that the caller waits for, and its deadline. It has `reply_timeout_ms` to bring its first audio. Then a filler
 * is heard, and again after each further one. Half of it after the first filler the server is looked at: where it says that
 * its model is slow, or a function runs here, it is waited for, else another session is asked; one that has brought nothing
 * after as long again has failed for good. Nothing of this counts while the caller still hears what was said before.
 */
export interface Due {
  readonly ask: Ask
  readonly sinceMs: Milliseconds
  /** How often it was asked for once more since it had failed. */
  attempts: number
  /** Another session has been asked. */
  renewed: boolean
  /** Halves of `reply_timeout_ms` that have passed since the first whole one. */
  halves: number
}

export interface DueReplyDeps {
  readonly clock: Clock
  readonly timeoutMs: Milliseconds
  /** The caller hears something, and no filler. */
  readonly occupied: () => boolean
  /** A function runs, which has a deadline of its own. */
  readonly works: () => boolean
  /** The first whole `reply_timeout_ms` is over. */
  readonly late: () => void
  readonly playFiller: () => void
  readonly startAnew: () => void
  readonly giveUp: (message: string) => void
}

/** What the server says of its slow model every 5 s holds for so long. */
const slowWordMs: Milliseconds = 6000
/** And is believed for so many halves: with 4 s, 24 s after the caller's turn. */
const halvesMax = 10

export class DueReply {
  now: Due | null = null
  private readonly deps: DueReplyDeps
  private watch: Disposable | null = null
  private postponed = false
  /** When the server last said that its model is slow. */
  private slowMs = Number.NEGATIVE_INFINITY

  constructor(deps: DueReplyDeps) {
    this.deps = deps
  }

  arm(ask: Ask): void {
    this.disarm()
    const { clock, timeoutMs } = this.deps
    const due: Due = { ask, sinceMs: clock.now(), attempts: 0, renewed: false, halves: 0 }
    this.now = due
    this.watchFor(timeoutMs, due)
  }

  disarm(): void {
    this.now = null
    this.postponed = false
    this.watch?.[Symbol.dispose]()
    this.watch = null
  }

  /** The caller has heard all that there was: from now on it is silent. */
  heard(): void {
    if (this.now === null || !this.postponed) return
    this.postponed = false
    this.watchFor(this.deps.timeoutMs, this.now)
  }

  modelIsSlow(): void {
    this.slowMs = this.deps.clock.now()
  }

  private watchFor(durationMs: Milliseconds, due: Due): void {
    this.watch?.[Symbol.dispose]()
    this.watch = this.deps.clock.after(durationMs, () => this.over(due))
  }

  private over(due: Due): void {
    const { timeoutMs, occupied, works, late, playFiller, startAnew, giveUp } = this.deps
    if (occupied()) {
      this.postponed = true
      return
    }
    if (due.ask.kind === 'farewell') return giveUp(`no farewell within ${timeoutMs} ms`)
    const { halves } = due
    due.halves += 1
    if (halves === 0) late()
    this.watchFor(timeoutMs / 2, due)
    if (halves % 2 === 0) return playFiller()
    if (works() || (halves < halvesMax && this.modelWorks)) return
    if (due.renewed) return giveUp('no reply, and none of another session')
    due.renewed = true
    startAnew()
  }

  private get modelWorks(): boolean {
    return this.deps.clock.now() - this.slowMs < slowWordMs
  }
}
