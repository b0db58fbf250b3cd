import type { Milliseconds } from '#base/clock.ts'
import type { TurnRecord } from './observer.ts'

/**
 * Whether the caller is a machine that talks in a circle with our agent: a voicemail greeting that starts again, an
 * announcement, another agent. Such a call would go on for ever, and each minute of it costs. A person must never be taken
 * for one, so it takes `turnsMin` turns in a row that all go in the circle:
 *
 * - the turn's words have been said before in this call, by the caller or by the agent; and
 * - so has what they answer, by the agent: both sides go round. Whoever dictates a list, says sentences after a teacher or
 *   asks for a person in many words repeats as much, but is answered something else each time; and
 * - all turns of the row have begun after nearly the same short pause. The pauses of people differ: with a standard
 *   deviation of 400 ms, as in talk on the telephone, the shortest and the longest of eight lie 2.85 × 400 = 1140 ms
 *   apart on the average.
 *
 * A row ends with a turn that brings other words, that breaks into the agent's reply or could not be answered. A key, a
 * silence and a tool end it as well: the caller of this file says since when it may count. Pure.
 */
export type SpokenTurn = Pick<
  TurnRecord,
  'startedMs' | 'speechMs' | 'responseMs' | 'heardMs' | 'outcome' | 'callerText' | 'agentText'
>

export interface TalkSoFar {
  /** Of the call, oldest first. */
  readonly turns: readonly SpokenTurn[]
  readonly greeting: string
  /** Turns that began before then are no part of a row: since the call began. */
  readonly sinceMs: Milliseconds
}

/** How far back a repetition is looked for: circles are short. */
const circleTurnsMax = 12
/** Of the pauses before the turns of a row. */
const pauseMaxMs: Milliseconds = 3000
const pauseSpreadMaxMs: Milliseconds = 600
/** Shares of words in common. A recogniser mishears a word in five; the agent's own words are known as they are. */
const sameOfCaller = 0.8
const sameOfAgent = 0.91

/** @param turnsMin 0: nobody is taken for a machine */
export function isMachineTalk(talk: TalkSoFar, turnsMin: number): boolean {
  if (turnsMin === 0) return false
  // Words that are written down late are still missing at the end.
  const turns = talk.turns.slice(0, talk.turns.findLastIndex(({ callerText }) => callerText !== '') + 1)
  const pauses: Milliseconds[] = []
  for (let row = 1; row <= turnsMin; row += 1) {
    const index = turns.length - row
    const turn = turns[index]
    if (turn === undefined || turn.startedMs < talk.sinceMs || turn.outcome !== 'answered') return false
    if (!goesRound(turns.slice(Math.max(0, index - circleTurnsMax), index), turn, talk.greeting)) return false
    const pauseMs = pauseBefore(turn, turns[index - 1])
    if (pauseMs === null || pauseMs > pauseMaxMs) return false
    pauses.push(pauseMs)
  }
  return Math.max(...pauses) - Math.min(...pauses) <= pauseSpreadMaxMs
}

/** The words of a turn and those that they answer have both been said before. */
function goesRound(before: readonly SpokenTurn[], { callerText }: SpokenTurn, greeting: string): boolean {
  const words = wordsOf(callerText)
  const saidByAgent = [greeting, ...before.map(({ agentText }) => agentText)]
  const said = [...saidByAgent, ...before.map((turn) => turn.callerText)]
  if (!said.some((text) => alike(words, wordsOf(text), sameOfCaller))) return false
  const answered = wordsOf(saidByAgent.at(-1) ?? '')
  return saidByAgent.slice(0, -1).some((text) => alike(answered, wordsOf(text), sameOfAgent))
}

/** From the end of the reply before it to the turn; null where that reply is not known. */
function pauseBefore(turn: SpokenTurn, before: SpokenTurn | undefined): Milliseconds | null {
  if (before === undefined) return null
  const { startedMs, speechMs, responseMs, heardMs } = before
  if (speechMs === null || responseMs === null || heardMs === null) return null
  return turn.startedMs - (startedMs + speechMs + responseMs + heardMs)
}

/** In lower case, without punctuation; of scripts that part no words, each sign. */
function wordsOf(text: string): readonly string[] {
  const parts = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[\p{L}\p{M}\p{N}'’]+/gu
  return text.toLowerCase().match(parts) ?? []
}

/** Two texts share so much of their words, each as often as it occurs in both; and their numbers are the same. */
function alike(one: readonly string[], other: readonly string[], shareMin: number): boolean {
  if (one.length === 0 || other.length === 0) return false
  // The most that can be shared: 2 × the shorter one.
  if (2 * Math.min(one.length, other.length) < shareMin * (one.length + other.length)) return false
  const left = [...other]
  let shared = 0
  for (const word of one) {
    const at = left.indexOf(word)
    if (at >= 0) {
      left.splice(at, 1)
      shared += 1
    } else if (/\p{N}/u.test(word)) return false
  }
  return 2 * shared >= shareMin * (one.length + other.length)
}
