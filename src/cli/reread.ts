import { existsSync } from 'node:fs'
import { deepFreeze } from '#base/freeze.ts'
import { failed, ok, type Result } from '#base/result.ts'
import { formatProblem } from '#config/problem.ts'
import type { Environment } from '#config/secrets.ts'
import { builtInSource } from '#config/source.ts'
import {
  type EngineConfig,
  type EngineConfigOptions,
  type EngineProblem,
  type ExaminedConfig,
  examineEngineConfig,
  lineOf,
} from './engine-config.ts'
import { environmentWith } from './env-file.ts'
import type { IdleChild } from './idle-child.ts'
import { type CommandIo, exitCodes } from './io.ts'

/**
 * Reads the configuration of a running engine anew, in a child process: parsing and checking a file of the usual size takes
 * longer than a frame, and the event loop that would do it carries the audio of all calls.
 */

/** What the child is asked, with all of the environment: its own is that of the engine's start. */
interface Question {
  readonly env: Environment
  readonly cwd: string
  readonly config: string | undefined
  readonly provider: string | undefined
  readonly text: string | undefined
}

type Reread = Result<{ readonly loaded: EngineConfig; readonly warnings: readonly string[] }, readonly string[]>
export type Examined = Result<ExaminedConfig, readonly EngineProblem[]>
/** What the child answers; the environment is known here. */
type ChildAnswer = Result<Omit<ExaminedConfig, 'env'>, readonly EngineProblem[]>

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
  const env = environmentWith(options.envFile, io.env, io.cwd)
  if (!env.ok) return env
  const { text, provider } = options
  const config = begunWith.file === builtInSource.file ? options.config : begunWith.file
  const question: Question = { env: env.value, cwd: io.cwd, config, provider, text }
  const asked = await child.ask<ChildAnswer>(question)
  if (!asked.ok) return failed([`the configuration could not be read: ${asked.error}`])
  const answer = asked.value
  if (!answer.ok) return answer
  return ok({ ...answer.value, configuration: deepFreeze(answer.value.configuration), env: env.value })
}

/** The child: answers each question, one a line, until there are no more. */
export async function runConfigurationChild(): Promise<number> {
  for await (const line of console) {
    // The end of the input is an empty one.
    if (line === '') continue
    const { env, cwd, ...options } = JSON.parse(line) as Question
    // Where the engine finds the files of its secrets.
    if (existsSync(cwd)) process.chdir(cwd)
    const read = examineEngineConfig({ env, cwd }, options)
    const answer: ChildAnswer = read.ok ? ok(withoutEnvironment(read.value)) : failed(theFirst(read.error))
    process.stdout.write(`${JSON.stringify(answer)}\n`)
  }
  return exitCodes.ok
}

/** Nobody reads more at once, and the engine that takes the answer apart has calls to carry. */
const problemsMax = 100

function theFirst(problems: readonly EngineProblem[]): EngineProblem[] {
  const more = problems.length - problemsMax
  return more > 0 ? [...problems.slice(0, problemsMax), `and ${more} more problems`] : [...problems]
}

function withoutEnvironment({ env: _env, ...rest }: ExaminedConfig): Omit<ExaminedConfig, 'env'> {
  return rest
}
