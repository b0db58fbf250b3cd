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
  readonly file: string
}

/**
 * The configuration a command works with: `--config`, `--env-file` and `--provider` applied. Null when something is
 * wrong; it has been said then.
 */
export function engineConfig(
  io: CommandIo,
  options: {
    readonly config?: string | undefined
    readonly envFile?: string | undefined
    readonly provider?: string | undefined
  },
): EngineConfig | null {
  let env = io.env
  if (options.envFile !== undefined) {
    const read = readEnvFile(options.envFile, io.cwd)
    if (!read.ok) {
      io.stderr(read.error)
      return null
    }
    // What the process was started with wins over the file, as every tool with such an option has it.
    env = { ...read.value, ...io.env }
  }
  const source = readConfigurationSource(io.cwd, options.config)
  const loaded = source.ok ? loadConfiguration({ ...source.value, env, vendors: vendorSchemas }) : source
  if (!loaded.ok || !source.ok) {
    for (const problem of loaded.ok ? [] : loaded.error) io.stderr(formatProblem(problem))
    return null
  }
  for (const warning of loaded.value.warnings) io.stderr(`warning: ${formatProblem(warning)}`)
  const { configuration } = loaded.value
  if (options.provider === undefined) return { configuration, env, file: source.value.file }
  const chosen = answeredBy(configuration, options.provider)
  if (chosen === null) {
    io.stderr(
      `--provider ${options.provider}: no such provider is enabled; there are ${agentsOf(configuration).join(', ')}`,
    )
    return null
  }
  return { configuration: chosen, env, file: source.value.file }
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
