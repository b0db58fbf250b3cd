import type { Milliseconds } from '#base/clock.ts'
import type { OverlapJudgement } from './overlap-verdict.ts'
import type { Hold } from './playout-contract.ts'
import type { StartPolicy } from './turn-policies.ts'

/**
 * What speech over the agent's means, and what the reply does until that is known: one decision, pure, taken anew with
 * every frame of an overlap.
 *
 * | evidence, first row that fits                     | reply               | verdict                                  |
 * |---------------------------------------------------|---------------------|------------------------------------------|
 * | barge-in is off, or this moment is protected      | goes on             | none; once the speech is over: ignored   |
 * | it is the agent's own echo                        | goes on             | none; once it is over: echo              |
 * | the policy says interruption                      |                     | interruption                             |
 * | the policy says backchannel or noise              | goes on             | none; once it is over: that              |
 * | not known yet, the speech is over, no words to come |                   | interruption where a voice sounded for minMs, else noise |
 * | not known yet                                     | ducked; paused from pauseAfterMs on; ducked again after pauseMaxMs of pause | none |
 *
 * While speech goes on nothing but `interruption` is final: "yeah, but" begins as a backchannel.
 */
export interface BargeInSettings {
  readonly enabled: boolean
  readonly start: StartPolicy
  /** A voice of so long interrupts where its sound cannot be judged. */
  readonly minMs: Milliseconds
  readonly minWords: number
  readonly onOverlap: 'duck' | 'pause' | 'none'
  readonly pauseAfterMs: Milliseconds
  readonly pauseMaxMs: Milliseconds
  /** No interruption in the first moments of a reply, or of the greeting. */
  readonly initialProtectionMs: Milliseconds
  readonly greetingProtectionMs: Milliseconds
  /** After an interruption, no other for so long. */
  readonly cooldownMs: Milliseconds
  /** After a reply its echo may still come back. */
  readonly guardMs: Milliseconds
  readonly echoDetection: boolean
  /** Where the provider finds the turns: our detector confirms or vetoes its interruptions. */
  readonly confirm: boolean
  /** Words of listeners, beside those known of the language. */
  readonly backchannels: readonly string[]
}

/** Something may interrupt, and what it sounds like matters. */
export const judgesSound = ({ enabled, start }: BargeInSettings): boolean => enabled && start !== 'vad'

export interface OverlapEvidence {
  readonly sinceOnsetMs: Milliseconds
  /** How long the voice has sounded, the pause at its end not counted. */
  readonly voicedMs: Milliseconds
  /** The speech is over. */
  readonly ended: boolean
  /** How much longer this moment is protected. */
  readonly protectedMs: Milliseconds
  readonly echo: boolean
  /** By its sound and its words; null where neither can be had in this call. */
  readonly judgement: OverlapJudgement | null
  /** Words so far; null: nobody writes them down in this call. */
  readonly words: number | null
  /** Words of what has been said are on their way. */
  readonly wordsDue: boolean
  /** For how long this overlap has paused the reply. */
  readonly pausedMs: Milliseconds
}

export const overlapVerdicts = ['interruption', 'backchannel', 'noise', 'echo', 'ignored'] as const
export type OverlapVerdict = (typeof overlapVerdicts)[number]

export interface OverlapDecision {
  readonly hold: Hold
  readonly verdict: OverlapVerdict | null
}

const goOn: OverlapDecision = { hold: 'none', verdict: null }
const interruption: OverlapDecision = { hold: 'none', verdict: 'interruption' }
const over = (verdict: OverlapVerdict): OverlapDecision => ({ hold: 'none', verdict })
const held: Record<Hold, OverlapDecision> = {
  none: goOn,
  ducked: { hold: 'ducked', verdict: null },
  paused: { hold: 'paused', verdict: null },
}

export function decideOverlap(evidence: OverlapEvidence, settings: BargeInSettings): OverlapDecision {
  const { ended, voicedMs } = evidence
  if (!settings.enabled || (evidence.protectedMs > 0 && ended)) return ended ? over('ignored') : goOn
  if (evidence.echo) return ended ? over('echo') : goOn
  if (evidence.protectedMs > 0) return goOn
  const judgement = judge(evidence, settings)
  if (judgement === 'interruption') return interruption
  if (judgement !== 'undecided') return ended && !evidence.wordsDue ? over(judgement) : goOn
  if (ended && !evidence.wordsDue) return voicedMs >= settings.minMs ? interruption : over('noise')
  return held[holdUntilKnown(evidence, settings)]
}

function judge(evidence: OverlapEvidence, settings: BargeInSettings): OverlapJudgement {
  const { voicedMs, words, judgement, ended } = evidence
  const byLength = voicedMs >= settings.minMs ? 'interruption' : ended ? 'noise' : 'undecided'
  switch (settings.start) {
    case 'vad':
      return byLength
    case 'model':
      return judgement ?? byLength
    case 'transcript':
      // Without words so far, sound alone does not interrupt.
      if (words === null) return judgement ?? byLength
      return words === 0 ? (ended && !evidence.wordsDue ? 'noise' : 'undecided') : (judgement ?? 'undecided')
    case 'min_words':
      if (words === null) return judgement ?? byLength
      if (words >= settings.minWords) return 'interruption'
      return ended && !evidence.wordsDue ? 'backchannel' : 'undecided'
  }
}

function holdUntilKnown({ sinceOnsetMs, pausedMs }: OverlapEvidence, settings: BargeInSettings): Hold {
  const { onOverlap, pauseAfterMs, pauseMaxMs } = settings
  if (onOverlap === 'none') return 'none'
  if (pausedMs >= pauseMaxMs) return 'ducked'
  if (onOverlap === 'pause') return 'paused'
  return sinceOnsetMs >= pauseAfterMs ? 'paused' : 'ducked'
}
