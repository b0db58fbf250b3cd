import { setPriority } from 'node:os'
import type { Clock, Milliseconds } from '#base/clock.ts'
import { failed, messageOf, ok, type Result } from '#base/result.ts'
import { deepFreeze } from '#config/load.ts'
import { builtInSource } from '#config/source.ts'
import { selfCommand } from '#speech/executable.ts'
import { type EngineConfig, type EngineConfigOptions, environmentWith, readEngineConfig } from './engine-config.ts'
import { type CommandIo, exitCodes } from './io.ts'
import { parseOptions } from './options.ts'

/**
 * Reads the configuration of a running engine anew, in a child process: parsing and checking a file of the usual size takes
 * longer than a frame, and the event loop that would do it carries the audio of all calls.
 */

type Reread = Result<{ readonly loaded: EngineConfig; readonly warnings: readonly string[] }, readonly string[]>
/** What the child prints, as JSON; the environment is known here. */
type ChildAnswer = Result<Omit<EngineConfig, 'env'>, readonly string[]>

/** It gives way to the audio of calls on a machine that is short of cores. */
const lowPriority = 10
/** On a machine with a cold disk that is short of time. */
const answerMaxMs: Milliseconds = 10_000

/**
 * The file that the engine began with must still be there: one that is missing for a moment, while an editor replaces it,
 * must not be taken for the wish to have the defaults. Never rejects.
 */
export async function rereadEngineConfig(
  io: Pick<CommandIo, 'env' | 'cwd'>,
  options: EngineConfigOptions,
  begunWith: Pick<EngineConfig, 'file'>,
  clock: Clock,
): Promise<Reread> {
  const env = environmentWith(options.envFile, io.env, io.cwd)
  if (!env.ok) return env
  const config = begunWith.file === builtInSource.file ? options.config : begunWith.file
  const answer = await askChild(
    ['--cwd', io.cwd, ...option('--config', config), ...option('--provider', options.provider)],
    env.value,
    clock,
  )
  if (!answer.ok) return answer
  const loaded = { ...answer.value, configuration: deepFreeze(answer.value.configuration), env: env.value }
  return ok({ loaded, warnings: loaded.warnings })
}

function option(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [name, value]
}

async function askChild(argv: readonly string[], env: CommandIo['env'], clock: Clock): Promise<ChildAnswer> {
  try {
    const child = Bun.spawn(selfCommand(['internal', 'configuration', ...argv]), {
      // Not where the engine was started: Bun would read .env and bunfig.toml there.
      cwd: '/',
      env: { ...env },
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'ignore',
    })
    setPriority(child.pid, lowPriority)
    using _limit = clock.after(answerMaxMs, () => child.kill('SIGKILL'))
    const text = await new Response(child.stdout).text()
    if ((await child.exited) === exitCodes.ok) return JSON.parse(text) as ChildAnswer
    return failed([`the configuration could not be read within ${answerMaxMs / 1000} seconds, or its reader broke`])
  } catch (thrown) {
    return failed([`the configuration could not be read: ${messageOf(thrown)}`])
  }
}

/** The child: prints what it has read as one JSON value. */
export async function runConfigurationChild(argv: readonly string[]): Promise<number> {
  const options = parseOptions(argv, { cwd: 'text', config: 'text', provider: 'text' })
  if (!options.ok) return exitCodes.usage
  const { cwd = '/', config, provider } = options.value
  const read = readEngineConfig({ env: process.env, cwd }, { config, provider })
  const answer: ChildAnswer = read.ok ? ok(withoutEnvironment(read.value)) : read
  await Bun.write(Bun.stdout, JSON.stringify(answer))
  return exitCodes.ok
}

function withoutEnvironment({ env: _env, ...rest }: EngineConfig): Omit<EngineConfig, 'env'> {
  return rest
}
