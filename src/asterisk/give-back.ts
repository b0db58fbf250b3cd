import type { Clock, Milliseconds } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { PatchcordResult } from '#call/admission.ts'
import type { DialplanPlace } from '#call/dialplan-place.ts'
import { type AriClient, type AriResult, goneOrDone } from './ari-client.ts'

/**
 * Getting rid of what is Asterisk's, for sure: a request that fails is made again, and a channel that cannot go back to
 * the dialplan is hung up. Nobody may be left in the application, in silence, with no owner.
 */
export interface GivingBack {
  readonly ari: AriClient
  readonly clock: Clock
  readonly log: Log
}

const attemptsMax = 3
const waitMs: Milliseconds = 200

/** Removes something that may be gone already. */
export async function remove(
  { clock, log }: GivingBack,
  what: string,
  request: () => Promise<AriResult<void>>,
): Promise<void> {
  let result = await request()
  for (let attempt = 1; attempt < attemptsMax && !goneOrDone(result); attempt += 1) {
    await clock.sleep(waitMs)
    result = await request()
  }
  if (!result.ok && !goneOrDone(result)) {
    log.error('could not remove what belonged to a call', { what, why: result.error.message })
  }
}

/**
 * Back to the dialplan, with the reason in `PATCHCORD_RESULT`; hung up where Asterisk does not let it.
 *
 * @param place where to; null: where it came from
 * @param isBack it has left and come in anew since: it must not be sent away again
 */
export async function giveBack(
  parts: GivingBack,
  channelId: string,
  result: PatchcordResult,
  place: DialplanPlace | null = null,
  isBack: () => boolean = () => false,
): Promise<void> {
  const { ari, clock } = parts
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    // Without its reason the caller still gets further than in silence.
    const named = await ari.setVariable(channelId, 'PATCHCORD_RESULT', result)
    if (!named.ok && named.error.status === 404) return
    const continued = named.ok || attempt === attemptsMax ? await ari.continueInDialplan(channelId, place) : named
    if (goneOrDone(continued)) return
    if (attempt < attemptsMax) await clock.sleep(waitMs)
    if (isBack()) return
  }
  await remove(parts, 'caller channel', () => ari.hangup(channelId))
}
