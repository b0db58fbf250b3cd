import type { Environment } from '#config/secrets.ts'

/** What a command may touch of the world around it, so that a test can run a command without a process of its own. */
export interface CommandIo {
  /** One line of the command's result. */
  stdout(line: string): void
  /** One line for the person who runs it: problems, progress. */
  stderr(line: string): void
  readonly env: Environment
  /** The folder that relative paths start from. */
  readonly cwd: string
}

/** What a command's process ends with. */
export const exitCodes = {
  ok: 0,
  /** The command did its work and the answer is bad: a broken configuration, a call that failed. */
  failed: 1,
  /** The command line itself was wrong. */
  usage: 2,
} as const
