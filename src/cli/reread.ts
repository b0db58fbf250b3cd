import type { Clock } from '#base/clock.ts'
import { failed, ok, type Result } from '#base/result.ts'
import { deepFreeze } from '#config/load.ts'
import { formatProblem } from '#config/problem.ts'
import { builtInSource } from '#config/source.ts'
import { askChild } from './ask-child.ts'
import {
  type EngineConfig,
  type EngineConfigOptions,
  type EngineProblem,
  type ExaminedConfig,
  examineEngineConfig,
  lineOf,
} from './engine-config.ts'
import { environmentWith } from './env-file.ts'
import { type CommandIo, exitCodes } from './io.ts'
import { parseOptions } from './options.ts'

/**
 * Reads the configuration of a running engine anew, in a child process: parsing and checking a file of the usual size takes
 * longer than a frame, and the event loop that would do it carries the audio of all calls.
 */

type Reread = Result<{ readonly loaded: EngineConfig; readonly warnings: readonly string[] }, readonly string[]>
export type Examined = Result<ExaminedConfig, readonly EngineProblem[]>
/** What the child prints, as JSON; the environment is known here. */
type ChildAnswer = Result<Omit<ExaminedConfig, 'env'>, readonly EngineProblem[]>

/** As `patchcord check` would say it. Never rejects. */
export async function rereadEngineConfig(
  io: Pick<CommandIo, 'env' | 'cwd'>,
  options: EngineConfigOptions,
  begunWith: Pick<EngineConfig, 'file'>,
  clock: Clock,
): Promise<Reread> {
  const examined = await examineAnew(io, options, begunWith, clock)
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
  clock: Clock,
): Promise<Examined> {
  const env = environmentWith(options.envFile, io.env, io.cwd)
  if (!env.ok) return env
  const { text, provider } = options
  const config = begunWith.file === builtInSource.file ? options.config : begunWith.file
  const asked = await askChild<ChildAnswer>({
    argv: [
      'configuration',
      ...['--cwd', io.cwd, ...option('--config', config), ...option('--provider', provider)],
      ...(text === undefined ? [] : ['--text']),
    ],
    env: env.value,
    input: text ?? '',
    clock,
  })
  if (!asked.ok) return failed([`the configuration could not be read: ${asked.error}`])
  const answer = asked.value
  if (!answer.ok) return answer
  return ok({ ...answer.value, configuration: deepFreeze(answer.value.configuration), env: env.value })
}

function option(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [name, value]
}

/** The child: prints what it has read as one JSON value. */
export async function runConfigurationChild(argv: readonly string[]): Promise<number> {
  const options = parseOptions(argv, { cwd: 'text', config: 'text', provider: 'text', text: 'flag' })
  if (!options.ok) return exitCodes.usage
  const { cwd = '/', config, provider } = options.value
  const text = options.value.text === true ? await Bun.stdin.text() : undefined
  const read = examineEngineConfig({ env: process.env, cwd }, { config, provider, text })
  const answer: ChildAnswer = read.ok ? ok(withoutEnvironment(read.value)) : failed(theFirst(read.error))
  await Bun.write(Bun.stdout, JSON.stringify(answer))
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
