/**
 * While the way of an echo is not known, a sound is judged by its likeness to what was sent. A guess says from which
 * likeness on some of the sound is taken for an echo, and from which on all of it: strict where any delay will do, and
 * mild where only one is left. Over 120 ms a caller's likeness at their best delay is about 0.2, and 0.45 at most where
 * both have one voice; that of an echo alone 0.4 to 0.9.
 */
export interface Guess {
  readonly from: number
  readonly to: number
}

export const guesses = {
  anywhere: { from: 0.26, to: 0.54 },
  /** 2 s of the agent's speech have brought no echo, or one that is known to come at another delay. */
  unlikely: { from: 0.4, to: 0.68 },
  /** At the delay of a filter that has heard few sounds yet. */
  young: { from: 0.35, to: 0.75 },
  /** At a delay that was found once. */
  hinted: { from: 0.2, to: 0.46 },
  /** At the delay that was found for sure. */
  there: { from: 0.12, to: 0.4 },
} as const

/** The share of a sound that is taken for an echo, 0 to 1. */
export function rise(likeness: number, guess: Guess): number {
  return Math.max(0, Math.min(1, (likeness - guess.from) / (guess.to - guess.from)))
}
