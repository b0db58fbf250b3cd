import type { Milliseconds } from '#base/clock.ts'

/**
 * How much of a reply the caller has heard: what has left playout, without what the far side has taken and not played
 * yet. Only a media WebSocket has such a queue and tells of it, by its STATUS and its marks; what an interruption
 * flushes from it was never heard. AudioSocket and RTP have none while Asterisk keeps up, and no word for it.
 *
 * @param leftMs of the reply that has left playout
 * @param aheadMs audio inside the far side; behind a reply's end it may be more than the reply has
 */
export function heardMs(leftMs: Milliseconds, aheadMs: Milliseconds): Milliseconds {
  return Math.max(0, leftMs - Math.max(0, aheadMs))
}
