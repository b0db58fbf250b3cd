import type { Milliseconds } from '#base/clock.ts'

/**
 * What a partner has used of what its vendor bills: told by sessions as it comes, gathered for the record of a call and its
 * cost. Nothing is estimated: where a vendor does not say how many tokens an answer has taken, that is what is told.
 */

/** Each token is counted once: `input` and `output` are of text; what was cached is in no other. */
export const tokenKinds = [
  'input',
  'cached_input',
  'audio_input',
  'cached_audio_input',
  'output',
  'audio_output',
] as const
export type TokenKind = (typeof tokenKinds)[number]
export type TokenCounts = Readonly<Record<TokenKind, number>>

export interface Usage {
  readonly type: 'usage'
  /** Of a part of a pipeline, its vendor; else it is the agent's own. */
  readonly provider?: string
  /** Sound that a recogniser was given. */
  readonly audioMs?: Milliseconds
  /** Of texts that a voice was given. */
  readonly characters?: number
  /** Of one answer of a model; null: its vendor does not say. */
  readonly tokens?: TokenCounts | null
}
