import type { Readiness } from '#agent/provider.ts'

/** Whether the caller has finished, by ear: asked once at each pause. `speech/` does it, with a model. */
export interface TurnEndModel {
  /** Calls are served without it too; /health says what is missing, and the cure. */
  readiness(): Readiness
  /**
   * How likely it is, 0 to 1, that the caller has finished. Null where it can't say: not ready, too much to do, failed,
   * aborted, or later than its deadline. Never rejects.
   * @param samples the newest audio of the caller's turn, the silence after its last word included; of any length, the
   * last 8 s count; copied before this returns
   */
  judge(samples: Int16Array, sampleRateHz: number, signal: AbortSignal): Promise<number | null>
}
