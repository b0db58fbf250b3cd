import type { Milliseconds } from '#base/clock.ts'

/**
 * What the agent does when it is the caller's turn and nothing comes: a check-in for each silence, then a farewell, then
 * it hangs up. Pure: the coordinator counts the silences since the caller last spoke.
 */
export interface NoInputSettings {
  /** The silence that counts; 0: none ever does. */
  readonly afterMs: Milliseconds
  readonly checkIns: readonly string[]
  /** Empty: it hangs up without a word. */
  readonly farewell: string
}

export type NoInputStep =
  | { readonly do: 'check_in'; readonly say: string }
  /** Hang up once it has been heard. */
  | { readonly do: 'farewell'; readonly say: string }
  | { readonly do: 'hang_up' }

/** @param silences how many there have been, this one included: 1 for the first */
export function noInputStep(silences: number, settings: NoInputSettings): NoInputStep {
  const say = settings.checkIns[silences - 1]
  if (say !== undefined) return { do: 'check_in', say }
  if (silences === settings.checkIns.length + 1 && settings.farewell !== '') {
    return { do: 'farewell', say: settings.farewell }
  }
  return { do: 'hang_up' }
}
