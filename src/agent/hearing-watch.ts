import type { Clock, Milliseconds } from '#base/clock.ts'

/**
 * A realtime server that hangs says nothing of the caller's speech, or never that it is over, and nothing would be due that could
 * be missed. Our own detector tells of it: once it has heard a voice and the server ought to have found its end, either the
 * server has said so, or the caller has not been heard.
 */
export interface HearingWatchDeps {
  readonly clock: Clock
  /** So long after the voice the server has found its end. */
  readonly endMaxMs: Milliseconds
  /** As the server has it, the caller speaks. @param voiceMs how long our detector has heard them */
  readonly serverHears: (voiceMs: Milliseconds) => boolean
  readonly unheard: () => void
}

/** What is shorter the server may rightly take for no speech. */
const voiceMinMs: Milliseconds = 500
/** The server's own silence comes on top of it, and the network. */
const patienceMs: Milliseconds = 1000
/** Both detectors have their delays: an event of the server's within that before ours is about the same speech. */
const apartMaxMs: Milliseconds = 2000

export class HearingWatch {
  private readonly deps: HearingWatchDeps
  private startedMs: Milliseconds | null = null
  private serverMs = Number.NEGATIVE_INFINITY
  private timer: Disposable | null = null

  constructor(deps: HearingWatchDeps) {
    this.deps = deps
  }

  /** Our detector hears them. */
  get hears(): boolean {
    return this.startedMs !== null
  }

  /** Our detector. */
  sounds(sounds: boolean): void {
    const { clock } = this.deps
    if (sounds) {
      this.end()
      this.startedMs = clock.now()
      return
    }
    if (this.startedMs === null) return
    const startedMs = this.startedMs
    const stoppedMs = clock.now()
    this.end()
    this.timer = clock.after(this.deps.endMaxMs + patienceMs, () => this.look(startedMs, stoppedMs))
  }

  /** The server has told where speech begins or ends. */
  serverSays(): void {
    this.serverMs = this.deps.clock.now()
  }

  end(): void {
    this.startedMs = null
    this.timer?.[Symbol.dispose]()
    this.timer = null
  }

  private look(startedMs: Milliseconds, stoppedMs: Milliseconds): void {
    this.timer = null
    const voiceMs = stoppedMs - startedMs
    const isDeaf = voiceMs >= voiceMinMs && this.serverMs < startedMs - apartMaxMs
    // Of speech that has only begun since, our detector may not know yet.
    const isOfThis = this.serverMs <= stoppedMs + apartMaxMs
    if (isDeaf || (isOfThis && this.deps.serverHears(voiceMs))) this.deps.unheard()
  }
}
