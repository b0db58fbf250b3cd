import type { Milliseconds } from '#base/clock.ts'

/** What a checker can find; each is a promise that was broken. */
export const findingKinds = [
  /** Samples of a reply that the engine had taken were never heard, though it was neither interrupted nor cut off. */
  'lost',
  'doubled',
  /** What was heard is no sample of a reply, or one that the engine should not have taken. */
  'strange',
  /** A reply, or its rest, sounded after the caller had interrupted it. */
  'after_flush',
  /** Not exactly one frame per tick while a leg was attached. */
  'pacing',
  'late_start',
  'early_start',
  /** What the engine counts is not what was heard. */
  'counters',
  /** What the engine tells the agent of the heard part is not what was heard. */
  'heard_ms',
  /** A reply that could go on falls silent, and nobody speaks over it; or it is held back for too long. */
  'hole',
  /** What a caller said, clearly and when it was theirs to speak, did not become a turn, or not all of it. */
  'turn_lost',
  /** The caller's audio comes to the agent, or to a model, twice, in pieces, or not at all within a turn. */
  'turn_audio',
  /** What the agent is told makes no sense where it comes: two commits for one turn, a reply on top of another. */
  'turn_order',
  /** The agent hears what was said while the caller was not to be listened to. */
  'overheard',
  /** A reason to shut the gate holds for too long, or where it should not, or does not where it should. */
  'gate',
  /** What is written down of turns and overlaps does not fit together. */
  'records',
  /** The gate stays shut, and nothing sounds. */
  'stuck',
  /** The call did not end, or not once. */
  'ending',
  /** Something of a call is left. */
  'left_over',
  /** The engine found a bug in itself. */
  'internal_error',
] as const
export type FindingKind = (typeof findingKinds)[number]

export interface Finding {
  readonly kind: FindingKind
  readonly atMs: Milliseconds
  readonly call: string
  readonly what: string
}
