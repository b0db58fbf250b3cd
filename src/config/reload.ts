import type { Change } from './changes.ts'

/** What became of a reload; every trigger gives the same answer. Nothing in it holds a secret. */
export type ReloadAnswer =
  /** In force for the next call. */
  | { readonly outcome: 'changed'; readonly changes: readonly Change[]; readonly warnings: readonly string[] }
  | { readonly outcome: 'unchanged'; readonly warnings: readonly string[] }
  /** What was in force before still is. Each problem is a line for people; those of the file begin with file and line. */
  | { readonly outcome: 'refused'; readonly problems: readonly string[] }
