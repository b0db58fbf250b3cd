import { resolve } from 'node:path'
import { failed, ok, type Result } from '#base/result.ts'
import { loadConfiguration, loadWithoutVariables } from '#config/load.ts'
import type { Provenance } from '#config/origins.ts'
import { type ConfigProblem, formatProblem } from '#config/problem.ts'
import type { Configuration } from '#config/schema.ts'
import { type Environment, type ReadSecret, readSecret, type Secrets } from '#config/secrets.ts'
import { builtInSource, readConfigurationSource } from '#config/source.ts'
import { agentsOf } from '#providers/choice.ts'
import { type VendorsConfiguration, vendorSchemas } from '#providers/schemas.ts'
import { secretsNamed } from '#providers/secret-names.ts'
import { environmentWith } from './env-file.ts'
import type { CommandIo } from './io.ts'

export interface EngineConfig {
  readonly configuration: Configuration<VendorsConfiguration>
  readonly env: Environment
  readonly secrets: Secrets
  /** Dotted paths of the values that came out of variables. */
  readonly fromEnvironment: readonly string[]
  readonly file: string
  readonly provenance: Provenance
  /** What is odd but possible, as lines. */
  readonly warnings: readonly string[]
}

/** The same, with its warnings as they were found. */
export interface ExaminedConfig extends Omit<EngineConfig, 'warnings'> {
  readonly warnings: readonly ConfigProblem[]
}

/** As a text where it has no place in a file. */
export type EngineProblem = ConfigProblem | string

export function lineOf(problem: EngineProblem): string {
  return typeof problem === 'string' ? problem : formatProblem(problem)
}

export interface EngineConfigOptions {
  readonly config?: string | undefined
  readonly envFile?: string | undefined
  readonly provider?: string | undefined
  /** Looked at as if it stood in the file. */
  readonly text?: string | undefined
  /** Of a command beside the engine, which may lack its secrets. */
  readonly withoutSecrets?: boolean
}

/** What stands for the file's name in messages about such a text. */
const bodyName = '(the text sent)'

/** `--config`, `--env-file` and `--provider` applied. Fails with lines that say what is wrong, where, and the cure. */
export function readEngineConfig(
  io: Pick<CommandIo, 'env' | 'cwd'>,
  options: EngineConfigOptions,
): Result<EngineConfig, readonly string[]> {
  const examined = examineEngineConfig(io, options)
  if (!examined.ok) return failed(examined.error.map(lineOf))
  const warnings = examined.value.warnings.map((warning) => `warning: ${formatProblem(warning)}`)
  return ok({ ...examined.value, warnings })
}

export function examineEngineConfig(
  { env: ownEnv, cwd }: Pick<CommandIo, 'env' | 'cwd'>,
  options: EngineConfigOptions,
): Result<ExaminedConfig, readonly EngineProblem[]> {
  const known = environmentWith(options.envFile, ownEnv, cwd)
  if (!known.ok) return known
  const env = known.value
  return examineIn(env, cwd, options, (name) => readSecret(name, env))
}

/** @param env with the variables of an environment file @param read its secrets */
export function examineIn(
  env: Environment,
  cwd: string,
  options: Omit<EngineConfigOptions, 'envFile'>,
  read: ReadSecret,
): Result<ExaminedConfig, readonly EngineProblem[]> {
  const { text, provider, withoutSecrets = false } = options
  const source = text === undefined ? readConfigurationSource(cwd, options.config, true) : ok({ file: bodyName, text })
  if (!source.ok) return source
  const { file } = source.value
  const loaded = loadConfiguration({ ...source.value, env, vendors: vendorSchemas, withoutSecrets, read })
  if (!loaded.ok) return loaded
  const { configuration, fromEnvironment, origins, warnings } = loaded.value
  const isFile = text === undefined && file !== builtInSource.file
  const path = isFile ? resolve(cwd, file) : null
  const commandLine = provider === undefined ? {} : { default_provider: '--provider' }
  const provenance = { file, path, origins, commandLine }
  const secrets = secretsNamed(configuration, read)
  const found = { configuration, env, secrets, fromEnvironment, file, provenance, warnings }
  if (provider === undefined) return ok(found)
  const chosen = answeredBy(configuration, provider)
  if (chosen === null) {
    const names = agentsOf(configuration).join(', ')
    return failed([`--provider ${provider}: no such provider is enabled; there are ${names}`])
  }
  return ok({ ...found, configuration: chosen })
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

/** The same for commands that only look something up: mistakes are said, warnings are the engine's own business. */
export function quietEngineConfig(io: CommandIo, config: string | undefined): EngineConfig | null {
  const said: string[] = []
  const loaded = engineConfig({ ...io, stderr: (line) => void said.push(line) }, { config, withoutSecrets: true })
  if (loaded === null) for (const line of said) io.stderr(line)
  return loaded
}

/** What a command knows that looks something up beside the engine, whose secrets it may lack. */
export interface KnownConfig extends Pick<EngineConfig, 'configuration' | 'secrets' | 'file'> {
  /** Absolute; null: the configuration built in. */
  readonly path: string | null
  /** The keys whose variables are missing here; they hold their defaults. */
  readonly missing: readonly string[]
}

/** Null when the file is wrong in itself; it has been said then. Warnings are the engine's own business. */
export function knownConfig(io: CommandIo, config: string | undefined): KnownConfig | null {
  const examined = examineEngineConfig(io, { config, withoutSecrets: true })
  if (examined.ok) return { ...examined.value, path: examined.value.provenance.path, missing: [] }
  const source = readConfigurationSource(io.cwd, config, true)
  const partly = source.ok ? loadWithoutVariables({ ...source.value, env: io.env, vendors: vendorSchemas }) : null
  if (source.ok && partly !== null && partly.missing.length > 0) {
    const { file } = source.value
    const secrets = secretsNamed(partly.configuration, (name) => readSecret(name, io.env))
    return { ...partly, secrets, file, path: file === builtInSource.file ? null : resolve(io.cwd, file) }
  }
  for (const problem of examined.error) io.stderr(lineOf(problem))
  return null
}
