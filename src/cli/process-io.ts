import type { CommandIo } from './io.ts'

/** The real process as a command sees it. */
export const processIo: CommandIo = {
  stdout: (line) => void process.stdout.write(`${line}\n`),
  stderr: (line) => void process.stderr.write(`${line}\n`),
  env: process.env,
  cwd: process.cwd(),
}
