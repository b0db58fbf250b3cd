import { failed, ok, type Result } from '#base/result.ts'
import { loadConfiguration } from '#config/load.ts'
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
  const providers: Readonly<Record<string, { readonly enabled: boolean }>> = configuration.providers
  if (providers[options.provider]?.enabled !== true) {
    const names = Object.keys(providers).filter((name) => providers[name]?.enabled === true)
    return failed([`--provider ${options.provider}: no such provider is enabled; there are ${names.join(', ')}`])
  }
  return ok({ ...found, configuration: { ...configuration, default_provider: options.provider } })
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

/** The same for commands that only look something up: mistakes are said, warnings are the engine's own business. */
export function quietEngineConfig(io: CommandIo, config: string | undefined): EngineConfig | null {
  const said: string[] = []
  const loaded = engineConfig({ ...io, stderr: (line) => void said.push(line) }, { config })
  if (loaded === null) for (const line of said) io.stderr(line)
  return loaded
}
