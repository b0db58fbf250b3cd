/** Why a transcript or a spoken sentence was not made. An expected thing on a busy machine, so a value and no throw. */
export interface SpeechFailure {
  readonly code: 'overloaded' | 'cancelled' | 'not_ready' | 'timeout' | 'too_long' | 'failed'
  /** For the log: no caller's words. */
  readonly message: string
}

/** Would the same request have a chance a moment later? */
export function isRetryable(failure: SpeechFailure): boolean {
  return failure.code !== 'cancelled' && failure.code !== 'too_long'
}
