import type { Milliseconds } from '#base/clock.ts'
import type { StopPolicy } from './turn-policies.ts'
import type { WordsSay } from './unfinished-words.ts'

/**
 * When a pause of the caller is the end of their turn: one decision, pure. The coordinator asks it when a pause is
 * noticed and again with each piece of evidence; the answer is how much silence, counted from the caller's last sound,
 * ends the turn as things stand.
 *
 * | stop     | evidence                                        | silence that ends the turn |
 * |----------|-------------------------------------------------|----------------------------|
 * | silence  |                                                 | silenceMs                  |
 * | provider | the recogniser has said that the turn is over   | none                       |
 * | provider | it says such things, and has not yet            | maxSilenceMs               |
 * | provider | it has never said such a thing                  | silenceMs                  |
 * | model    | the words want more                             | maxSilenceMs               |
 * | model    | the words are a whole answer                    | minSilenceMs               |
 * | model    | no answer yet, or it cannot say                 | silenceMs                  |
 * | model    | p at or above doneProbability                   | minSilenceMs               |
 * | model    | p below: from minSilenceMs up to maxSilenceMs,  | min + (max − min) · (1 − p / done) ^ ½ |
 * |          | the longer the surer it is that more is to come |                            |
 */
export interface EndpointingSettings {
  readonly stop: StopPolicy
  readonly silenceMs: Milliseconds
  readonly minSilenceMs: Milliseconds
  readonly maxSilenceMs: Milliseconds
  /** 0 to 1. */
  readonly doneProbability: number
}

export interface PauseEvidence {
  /** The end-of-turn model's word on this pause; null while there is none, or it cannot say. */
  readonly probability: number | null
  /** What the words so far say, where a recogniser had some by now; null where they leave it open. */
  readonly words: WordsSay | null
  /** The provider's recogniser has said of this pause that it is the end. */
  readonly providerDone: boolean
  /** It has said so of any pause of this call: it is one that does. */
  readonly providerTells: boolean
}

/** Who decided that a turn was over; a metric label. */
export const turnEnders = ['silence', 'model', 'words', 'provider', 'limit', 'key'] as const
export type TurnEnder = (typeof turnEnders)[number]

export interface TurnEnd {
  readonly silenceMs: Milliseconds
  readonly by: TurnEnder
}

export function turnEnd(evidence: PauseEvidence, settings: EndpointingSettings): TurnEnd {
  const { stop, silenceMs, minSilenceMs, maxSilenceMs, doneProbability } = settings
  const { probability, words } = evidence
  if (stop === 'provider') {
    if (evidence.providerDone) return { silenceMs: 0, by: 'provider' }
    return { silenceMs: evidence.providerTells ? maxSilenceMs : silenceMs, by: 'silence' }
  }
  if (stop === 'silence') return { silenceMs, by: 'silence' }
  if (words !== null) return { silenceMs: words === 'finished' ? minSilenceMs : maxSilenceMs, by: 'words' }
  if (probability === null) return { silenceMs, by: 'silence' }
  if (probability >= doneProbability) return { silenceMs: minSilenceMs, by: 'model' }
  const doubt = Math.sqrt(1 - probability / doneProbability)
  return { silenceMs: minSilenceMs + (maxSilenceMs - minSilenceMs) * doubt, by: 'model' }
}
