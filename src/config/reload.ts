import type { Milliseconds } from '#base/clock.ts'
import type { Change } from './changes.ts'

/** What asked for a reload. */
export type ReloadTrigger = 'file' | 'signal' | 'api'

/** The last one that changed something. */
export interface LastChange {
  /** Since 1970-01-01T00:00:00Z. */
  readonly wallMs: Milliseconds
  readonly trigger: ReloadTrigger
  readonly changes: readonly Change[]
}

/** What became of a reload; every trigger gives the same answer. Nothing in it holds a secret. */
export type ReloadAnswer =
  /** In force for the next call. */
  | { readonly outcome: 'changed'; readonly changes: readonly Change[]; readonly warnings: readonly string[] }
  /** `last`: who saves a file and asks at once may find that the watch of the file came first; null: none since the start. */
  | { readonly outcome: 'unchanged'; readonly warnings: readonly string[]; readonly last: LastChange | null }
  /** What was in force before still is. Each problem is a line for people; those of the file begin with file and line. */
  | { readonly outcome: 'refused'; readonly problems: readonly string[] }

/**
 * By then there is an answer: one that is under way reads (10 s), waits for a provider (30 s) and may look at the file once
 * more (10 s); the one behind it reads and waits as long. 90 s, and some for names that are looked up.
 */
export const reloadMaxSeconds = 100
