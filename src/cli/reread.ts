import { existsSync } from 'node:fs'
import { type Clock, SystemClock } from '#base/clock.ts'
import { deepFreeze } from '#base/freeze.ts'
import { failed, ok, type Result } from '#base/result.ts'
import { formatProblem } from '#config/problem.ts'
import { type ReadText, SecretFiles } from '#config/secret-files.ts'
import type { Environment } from '#config/secrets.ts'
import { builtInSource } from '#config/source.ts'
import {
  type EngineConfig,
  type EngineConfigOptions,
  type EngineProblem,
  type ExaminedConfig,
  examineIn,
  lineOf,
} from './engine-config.ts'
import { environmentWith } from './env-file.ts'
import type { IdleChild } from './idle-child.ts'
import { type CommandIo, exitCodes } from './io.ts'

/**
 * Reads the configuration of a running engine anew, in a child process: parsing and checking a file of the usual size takes
 * longer than a frame, and the event loop that would do it carries the audio of all calls. What it needs of the disk is read
 * there, too: the environment file, and the files of secrets, which come back as what they held.
 */

/** What the child is asked, with all of the environment: its own is that of the engine's start. */
interface Question {
  readonly env: Environment
  readonly cwd: string
  readonly envFile: string | undefined
  readonly config: string | undefined
  readonly provider: string | undefined
  readonly text: string | undefined
}

type Reread = Result<{ readonly loaded: EngineConfig; readonly warnings: readonly string[] }, readonly string[]>
export type Examined = Result<ExaminedConfig, readonly EngineProblem[]>

/** As `patchcord check` would say it. Never rejects. */
export async function rereadEngineConfig(
  io: Pick<CommandIo, 'env' | 'cwd'>,
  options: EngineConfigOptions,
  begunWith: Pick<EngineConfig, 'file'>,
  child: IdleChild,
): Promise<Reread> {
  const examined = await examineAnew(io, options, begunWith, child)
  if (!examined.ok) return failed(examined.error.map(lineOf))
  const warnings = examined.value.warnings.map((warning) => `warning: ${formatProblem(warning)}`)
  return ok({ loaded: { ...examined.value, warnings }, warnings })
}

/**
 * The file that the engine began with must still be there: one that is missing for a moment, while an editor replaces it,
 * must not be taken for the wish to have the defaults. Never rejects.
 * @param options with a `text`, that is looked at instead of the file
 */
export async function examineAnew(
  io: Pick<CommandIo, 'env' | 'cwd'>,
  options: EngineConfigOptions,
  begunWith: Pick<EngineConfig, 'file'>,
  child: IdleChild,
): Promise<Examined> {
  const { text, provider, envFile } = options
  const config = begunWith.file === builtInSource.file ? options.config : begunWith.file
  const question: Question = { env: io.env, cwd: io.cwd, envFile, config, provider, text }
  const asked = await child.ask<Examined>(question)
  if (!asked.ok) return failed([`the configuration could not be read: ${asked.error}`])
  const answer = asked.value
  if (!answer.ok) return answer
  return ok({ ...answer.value, configuration: deepFreeze(answer.value.configuration) })
}

/** How the child reads the files of secrets, and how long it waits for them. */
export interface ConfigurationChildDeps {
  readonly clock: Clock
  readonly readText?: ReadText
}

/** The child: answers each question, one a line, until there are no more, or until a file has not answered. */
export async function runConfigurationChild(
  deps: ConfigurationChildDeps = { clock: new SystemClock() },
): Promise<number> {
  for await (const line of console) {
    // The end of the input is an empty one.
    if (line === '') continue
    const { cwd, ...question } = JSON.parse(line) as Question
    // Where the engine finds the files of its secrets.
    if (existsSync(cwd)) process.chdir(cwd)
    const env = environmentWith(question.envFile, question.env, cwd)
    const files = new SecretFiles({ ...deps, env: env.ok ? env.value : {} })
    const read = env.ok ? await examineWith(files, env.value, cwd, question) : env
    process.stdout.write(`${JSON.stringify(read.ok ? read : failed(theFirst(read.error)))}\n`)
    // A thread of this process still waits for it, and there are few: another question has another child.
    if (files.unanswered.length > 0) break
  }
  return exitCodes.ok
}

/** Refuses what has a secret that does not answer: what was in force has the one from before. */
async function examineWith(
  files: SecretFiles,
  env: Environment,
  cwd: string,
  { config, provider, text }: Omit<Question, 'env' | 'cwd'>,
): Promise<Examined> {
  const examine = () => examineIn(env, cwd, { config, provider, text }, files.read)
  let examined = examine()
  while (await files.fetch()) examined = examine()
  return files.unanswered.length > 0 ? failed(files.unanswered) : examined
}

/** Nobody reads more at once, and the engine that takes the answer apart has calls to carry. */
const problemsMax = 100

function theFirst(problems: readonly EngineProblem[]): EngineProblem[] {
  const more = problems.length - problemsMax
  return more > 0 ? [...problems.slice(0, problemsMax), `and ${more} more problems`] : [...problems]
}
