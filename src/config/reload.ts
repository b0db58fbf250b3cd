import { type Change, formatChange } from './changes.ts'

/** What became of a reload; every trigger gives the same answer. Nothing in it holds a secret. */
export type ReloadAnswer =
  /** In force for the next call. */
  | { readonly outcome: 'changed'; readonly changes: readonly Change[]; readonly warnings: readonly string[] }
  | { readonly outcome: 'unchanged'; readonly warnings: readonly string[] }
  /** What was in force before still is. Each problem is a line for people; those of the file begin with file and line. */
  | { readonly outcome: 'refused'; readonly problems: readonly string[] }

/** The answer in lines, as a terminal shows it. */
export function answerLines(answer: ReloadAnswer): string[] {
  switch (answer.outcome) {
    case 'changed':
      return [...answer.warnings, ...answer.changes.map(formatChange)]
    case 'unchanged':
      return [...answer.warnings, 'nothing changed']
    case 'refused':
      return [...answer.problems, 'refused: what was in force before still is']
  }
}
