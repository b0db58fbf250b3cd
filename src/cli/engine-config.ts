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
  const providers: Readonly<Record<string, { readonly enabled: boolean }>> = configuration.providers
  if (providers[options.provider]?.enabled !== true) {
    const names = Object.keys(providers).filter((name) => providers[name]?.enabled === true)
    io.stderr(`--provider ${options.provider}: no such provider is enabled; there are ${names.join(', ')}`)
    return null
  }
  return { configuration: { ...configuration, default_provider: options.provider }, env, file: source.value.file }
}

/** The same for commands that only look something up: mistakes are said, warnings are the engine's own business. */
export function quietEngineConfig(io: CommandIo, config: string | undefined): EngineConfig | null {
  const said: string[] = []
  const loaded = engineConfig({ ...io, stderr: (line) => void said.push(line) }, { config })
  if (loaded === null) for (const line of said) io.stderr(line)
  return loaded
}
