import type { Milliseconds } from '#base/clock.ts'

/**
 * What the server hears as the caller's speech, one stretch at a time, where it finds the turns. What it hears over a reply
 * may be a cough or the reply's echo: the engine's coordinator says whether it was an interruption, before or after the
 * server has made an item of it and begun to answer. Until then an answer to it is held back.
 */
export interface Speech {
  readonly itemId: string
  /** It began while a reply sounded, and the coordinator has a word on it. */
  over: boolean
  /** `vetoed`: it was no interruption. The word may change while the speech goes on: "mm-hm, but …". */
  verdict: 'open' | 'vetoed' | 'confirmed'
  stoppedMs: Milliseconds | null
  committed: boolean
  /** The server could make no answer, since it was still making another. */
  unanswered: boolean
}

export function newSpeech(itemId: string, over: boolean): Speech {
  return { itemId, over, verdict: over ? 'open' : 'confirmed', stoppedMs: null, committed: false, unanswered: false }
}

/** What is to become of the answer that the server makes to what it has heard last. */
export function fateOfAnswer(speech: Speech | null): 'live' | 'held' | 'dropped' {
  if (speech === null || !speech.committed || !speech.over) return 'live'
  if (speech.verdict === 'vetoed') return 'dropped'
  return speech.verdict === 'open' ? 'held' : 'live'
}
