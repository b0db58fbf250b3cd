import { failed, ok, type Result } from '#base/result.ts'
import { loadConfiguration } from '#config/load.ts'
import { vendorFacts } from '#config/pipeline-schema.ts'
import { formatProblem } from '#config/problem.ts'
import type { Configuration } from '#config/schema.ts'
import type { Environment } from '#config/secrets.ts'
import { readConfigurationSource } from '#config/source.ts'
import { type VendorsConfiguration, vendorSchemas } from '#providers/schemas.ts'
import { readEnvFile } from './env-file.ts'
import type { CommandIo } from './io.ts'

export interface EngineConfig {
  readonly configuration: Configuration<VendorsConfiguration>
  readonly env: Environment
  /** Dotted paths of the values that came out of variables. */
  readonly fromEnvironment: readonly string[]
  readonly file: string
  /** What is odd but possible, as lines. */
  readonly warnings: readonly string[]
}

export interface EngineConfigOptions {
  readonly config?: string | undefined
  readonly envFile?: string | undefined
  readonly provider?: string | undefined
}

/** `--config`, `--env-file` and `--provider` applied. Fails with lines that say what is wrong, where, and the cure. */
export function readEngineConfig(
  { env: ownEnv, cwd }: Pick<CommandIo, 'env' | 'cwd'>,
  options: EngineConfigOptions,
): Result<EngineConfig, readonly string[]> {
  const known = environmentWith(options.envFile, ownEnv, cwd)
  if (!known.ok) return known
  const env = known.value
  const source = readConfigurationSource(cwd, options.config)
  if (!source.ok) return failed(source.error.map(formatProblem))
  const loaded = loadConfiguration({ ...source.value, env, vendors: vendorSchemas })
  if (!loaded.ok) return failed(loaded.error.map(formatProblem))
  const { configuration, fromEnvironment } = loaded.value
  const warnings = loaded.value.warnings.map((warning) => `warning: ${formatProblem(warning)}`)
  const found = { configuration, env, fromEnvironment, file: source.value.file, warnings }
  if (options.provider === undefined) return ok(found)
  const chosen = answeredBy(configuration, options.provider)
  if (chosen === null) {
    const names = agentsOf(configuration).join(', ')
    return failed([`--provider ${options.provider}: no such provider is enabled; there are ${names}`])
  }
  return ok({ ...found, configuration: chosen })
}

/** What the process was started with wins over the file, as every tool with such an option has it. */
export function environmentWith(
  file: string | undefined,
  env: Environment,
  cwd: string,
): Result<Environment, readonly string[]> {
  if (file === undefined) return ok(env)
  const read = readEnvFile(file, cwd)
  return read.ok ? ok({ ...read.value, ...env }) : failed([read.error])
}

/** The configuration a command works with. Null when something is wrong; it has been said then. */
export function engineConfig(io: CommandIo, options: EngineConfigOptions): EngineConfig | null {
  const read = readEngineConfig(io, options)
  for (const line of read.ok ? read.value.warnings : read.error) io.stderr(line)
  return read.ok ? read.value : null
}

/** The configuration with this provider or pipeline in charge; null where there is no such one. */
function answeredBy<Given extends EngineConfig['configuration']>(configuration: Given, name: string): Given | null {
  if (!agentsOf(configuration).includes(name)) return null
  if (Object.hasOwn(configuration.pipelines, name)) return { ...configuration, active_pipeline: name }
  return { ...configuration, default_provider: name, active_pipeline: '' }
}

/** What can answer calls: the enabled providers that are agents, and the pipelines. */
function agentsOf({ providers, pipelines }: EngineConfig['configuration']): string[] {
  const agents = Object.entries(providers).filter(
    ([name, { enabled }]) =>
      enabled && (vendorFacts(vendorSchemas[name as keyof VendorsConfiguration]).isAgent ?? true),
  )
  return [...agents.map(([name]) => name), ...Object.keys(pipelines)]
}

/** The same for commands that only look something up: mistakes are said, warnings are the engine's own business. */
export function quietEngineConfig(io: CommandIo, config: string | undefined): EngineConfig | null {
  const said: string[] = []
  const loaded = engineConfig({ ...io, stderr: (line) => void said.push(line) }, { config })
  if (loaded === null) for (const line of said) io.stderr(line)
  return loaded
}
