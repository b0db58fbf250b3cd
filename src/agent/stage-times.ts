import type { Clock, Milliseconds } from '#base/clock.ts'
import type { StageName } from './provider.ts'

/** How long the stages of a turn took, each told once, from when it was committed. */
export class StageTimes {
  private readonly clock: Clock
  private readonly tell: (stage: StageName, durationMs: Milliseconds) => void
  private startedMs: Milliseconds | null = null
  private done: StageName[] = []

  constructor(clock: Clock, tell: (stage: StageName, durationMs: Milliseconds) => void) {
    this.clock = clock
    this.tell = tell
  }

  restart(): void {
    this.startedMs = this.clock.now()
    this.done = []
  }

  /** What follows is no answer to a turn. */
  stop(): void {
    this.startedMs = null
  }

  reached(stage: StageName): void {
    if (this.startedMs === null || this.done.includes(stage)) return
    this.done.push(stage)
    this.tell(stage, this.clock.now() - this.startedMs)
  }
}
