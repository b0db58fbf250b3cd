import type { Milliseconds } from '#base/clock.ts'
import { wordsKind } from './backchannels.ts'
import type { OverlapScore } from './overlap-model.ts'

/**
 * What a voice over the agent's is: the words, where a recogniser has some, and the sound, together. Pure, and asked
 * again with every frame: a caller who went on after a `backchannel` may yet cut in, for then the next answer is another.
 *
 * Words that are never assent decide nearly alone. Other words need the sound's leave, for a recogniser writes words for coughs
 * and hums, too. Without words the sound decides, surer the earlier it is asked; when the voice is over it decides at
 * once, unless it is unsure and words are still on their way. How long the voice lasts decides nothing, until it lasts
 * longer than assent ever does.
 */
export type OverlapJudgement = 'interruption' | 'backchannel' | 'noise' | 'undecided'

export interface HeardOverlap {
  /** From the onset to the newest sample. */
  readonly sinceOnsetMs: Milliseconds
  /** From the onset to where the voice was last heard. */
  readonly voicedMs: Milliseconds
  /** The detector has said that the voice stopped. */
  readonly ended: boolean
  /** Null where no model listens, or it has not heard enough yet. */
  readonly score: OverlapScore | null
  /** The newest words, interim or final; null where there are none yet. */
  readonly words: string | null
  /** Words of what has been said are on their way. */
  readonly wordsDue: boolean
  /** Of the words: ISO 639-1, with or without a region; null where it isn't known. */
  readonly language: string | null
}

/** A value over the time since the onset: straight lines between the points, level before and after them. */
export type Course = readonly (readonly [atMs: Milliseconds, value: number])[]

export interface OverlapPolicy {
  /** p(interruption) from which the caller cuts in, while the voice is heard. */
  readonly interruptionFrom: Course
  /** p(interruption) up to which the agent speaks on, while the voice is heard. */
  readonly harmlessUpTo: Course
  /** So long without the voice and it is over, whatever the detector says. */
  readonly endedQuietMs: Milliseconds
  /** p(interruption) that decides when the voice is over. */
  readonly endedFrom: number
  /** Words that are never assent count from this p(interruption) on: a recogniser hears "no" in some hums. */
  readonly cuttingWordsFrom: number
  /** Words of no list count as cutting in from this p(interruption) on, and assent up to that one. */
  readonly otherWordsFrom: number
  readonly assentUpTo: number
  /** Assent never lasts longer, hums and repetitions included. */
  readonly backchannelMsMax: Milliseconds
}

/** @param more words of listeners beside those of the language's list */
export function overlapVerdict(
  overlap: HeardOverlap,
  more: readonly string[],
  policy: OverlapPolicy = overlapPolicy,
): OverlapJudgement {
  const { score, sinceOnsetMs, voicedMs } = overlap
  const byWords = wordsVerdict(overlap, more, policy)
  if (byWords !== 'undecided') return byWords
  const over = overlap.ended || sinceOnsetMs - voicedMs >= policy.endedQuietMs
  if (score === null) return voicedMs > policy.backchannelMsMax ? 'interruption' : 'undecided'
  if (over) {
    if (score.interruption < policy.endedFrom) return harmless(score)
    const sure = overlap.words !== null || score.interruption >= valueAt(policy.interruptionFrom, sinceOnsetMs)
    return sure || !overlap.wordsDue ? 'interruption' : 'undecided'
  }
  if (voicedMs > policy.backchannelMsMax && score.noise < 0.5) return 'interruption'
  if (score.interruption >= valueAt(policy.interruptionFrom, sinceOnsetMs)) return 'interruption'
  if (score.interruption <= valueAt(policy.harmlessUpTo, sinceOnsetMs)) return harmless(score)
  return 'undecided'
}

function wordsVerdict(
  { words, language, score }: HeardOverlap,
  more: readonly string[],
  policy: OverlapPolicy,
): OverlapJudgement {
  if (words === null) return 'undecided'
  const kind = wordsKind(words, language, more)
  // Where no model judges the sound the words have all the say.
  const interruption = score?.interruption ?? (kind === 'assent' ? 0 : 1)
  if (kind === 'cutting_in' && interruption >= policy.cuttingWordsFrom) return 'interruption'
  if (kind === 'other' && interruption >= policy.otherWordsFrom) return 'interruption'
  if (kind === 'assent' && interruption <= policy.assentUpTo) return 'backchannel'
  return 'undecided'
}

function harmless(score: OverlapScore): 'backchannel' | 'noise' {
  return score.noise > score.backchannel ? 'noise' : 'backchannel'
}

export function valueAt(course: Course, atMs: Milliseconds): number {
  let [fromMs, from] = course[0] ?? [0, 0]
  for (const [toMs, to] of course) {
    if (atMs < toMs) return toMs === fromMs ? to : from + ((to - from) * (atMs - fromMs)) / (toMs - fromMs)
    fromMs = toMs
    from = to
  }
  return from
}

/**
 * Chosen on voices of `tune` that the judges under trial had not heard. A caller who is missed is the worse fault, and
 * counts twice. Words of no list need a sure sound: of a first syllable a recogniser makes some word at any price.
 */
export const overlapPolicy: OverlapPolicy = {
  interruptionFrom: [
    [250, 0.85],
    [450, 0.7],
    [700, 0.55],
  ],
  harmlessUpTo: [
    [250, 0.05],
    [450, 0.3],
    [700, 0.25],
  ],
  endedQuietMs: 160,
  endedFrom: 0.42,
  cuttingWordsFrom: 0.15,
  otherWordsFrom: 0.6,
  assentUpTo: 0.95,
  backchannelMsMax: 1300,
}
