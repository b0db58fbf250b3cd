import type { Position } from './tree.ts'

/** One thing that is wrong with a configuration. It never holds the value of a secret or of a variable. */
export interface ConfigProblem extends Position {
  readonly file: string
  /** Dotted, as in `audiosocket.port`; empty where the whole file is meant. */
  readonly key: string
  /** What is wrong, as a clause: `expected a whole number …, found the text "fast"`. */
  readonly message: string
  /** What to do about it, as a sentence; may be empty. */
  readonly advice: string
}

/** `FILE:LINE:COLUMN: KEY: MESSAGE. ADVICE`: the form that editors and terminals turn into a link. */
export function formatProblem(problem: ConfigProblem): string {
  const place = `${problem.file}:${problem.line}:${problem.column}`
  // A message that begins with its key needs no second one.
  const key = problem.key === '' || problem.message.startsWith(`${problem.key} `) ? '' : ` ${problem.key}:`
  const advice = problem.advice === '' ? '' : ` ${problem.advice}`
  return `${place}:${key} ${problem.message}.${advice}`
}

export function byPlace(left: ConfigProblem, right: ConfigProblem): number {
  return left.line - right.line || left.column - right.column || left.key.localeCompare(right.key)
}

/** A problem as data, for whoever sent the text. */
export interface Finding {
  /** Counted from 1; null where it has no place in the text. */
  readonly line: number | null
  readonly column: number | null
  readonly key: string
  readonly message: string
  /** What to do about it; may be empty. */
  readonly cure: string
}

/** @param problem as a text where it has no place */
export function findingOf(problem: ConfigProblem | string): Finding {
  if (typeof problem === 'string') return { line: null, column: null, key: '', message: problem, cure: '' }
  const { line, column, key, message, advice } = problem
  return { line, column, key, message, cure: advice }
}
