import type { Said, Told } from './turns-caller.ts'

/** What a line that brings the agent's voice back did to the turns that were taken on it. */
export interface EchoOutcome {
  readonly turns: number
  /** Turns that nobody had spoken. */
  readonly selfAnswers: number
  /** Replies that nobody broke off and that did not sound to their end. */
  readonly brokenOff: number
  readonly unanswered: number
}

/** What a voice does to the agent shows so soon after its end. */
const shownWithinMs = 1000

/**
 * A caller who is cut off in a pause and goes on has two turns, and interrupts the reply to the first: both are theirs.
 * What happens at any other time, nobody but the agent's own voice can have done.
 *
 * @param lastSoundMs a turn that ends so soon before the end of what was said has ended at its end
 * @param answerWithinMs longer than any pause that ends a turn
 */
export function echoOutcome(
  spoken: readonly Said[],
  told: readonly Told[],
  lastSoundMs: number,
  answerWithinMs: number,
): EchoOutcome {
  const at = (event: Told['event']) => told.filter((each) => each.event === event).map(({ atMs }) => atMs)
  const committed = at('committed')
  const answers = spoken.map(({ offsetMs }) =>
    committed.find((atMs) => atMs >= offsetMs - lastSoundMs && atMs <= offsetMs + answerWithinMs),
  )
  const isCallers = (atMs: number) =>
    spoken.some(({ onsetMs, offsetMs }, turn) => atMs >= onsetMs && atMs <= (answers[turn] ?? offsetMs))
  const speaksAt = (atMs: number) =>
    spoken.some(({ onsetMs, offsetMs }) => atMs >= onsetMs && atMs <= offsetMs + shownWithinMs)
  return {
    turns: spoken.length,
    selfAnswers: committed.filter((atMs) => !isCallers(atMs)).length,
    brokenOff: at('interrupted').filter((atMs) => !speaksAt(atMs)).length,
    unanswered: answers.filter((atMs) => atMs === undefined).length,
  }
}
