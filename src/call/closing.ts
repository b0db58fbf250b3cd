import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import { messageOf } from '#base/result.ts'

/** A part that does not close by then is left behind, loudly: the caller's line and the count must not wait for it. */
const closingMaxMs: Milliseconds = 4000

export interface Closing {
  readonly clock: Clock
  readonly log: Log
  /** The call's id, and which part of it is closed. */
  readonly call: string
  readonly part: string
}

/** A bug in the code of one call, with where it was. */
export function logBug(log: Log, call: string, thrown: unknown): void {
  const where = thrown instanceof Error ? (thrown.stack ?? '').split('\n').slice(0, 4).join(' | ') : ''
  log.error('a fault of the engine ends the call', { call, why: messageOf(thrown), where })
}

/** Resolves when it is closed, has failed to, or has taken too long; never rejects. */
export async function closePart(
  { clock, log, call, part }: Closing,
  close: () => Promise<void> | undefined,
): Promise<void> {
  const over = Promise.withResolvers<void>()
  // No AbortController here: with them a sixth of what hundreds of hang-ups at one moment cost is `abort`.
  const limit = clock.after(closingMaxMs, () => {
    log.error('a part of the call did not close in time', { call, part })
    over.resolve()
  })
  void Promise.try(close)
    .catch((thrown) => log.error('a part of the call failed to close', { call, part, why: messageOf(thrown) }))
    .then(over.resolve)
  await over.promise
  limit[Symbol.dispose]()
}
