import type { Provider } from '#agent/provider.ts'
import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import type { Configuration } from '#config/schema.ts'
import type { Environment } from '#config/secrets.ts'
import { localOptions } from './local/options.ts'
import { createLoopback } from './loopback/agent.ts'
import { loopbackOptions } from './loopback/options.ts'
import { openAiCompatibleOptions } from './openai-compatible/options.ts'

/**
 * Every vendor, by its name in the file: the one list. `config` is handed the schemas, `app.ts` the providers; nothing
 * registers itself.
 */
export const vendorSchemas = {
  local: localOptions(openAiCompatibleOptions),
  loopback: loopbackOptions,
}
export type VendorsConfiguration = typeof vendorSchemas

export interface ProviderDeps {
  readonly configuration: Configuration<VendorsConfiguration>
  readonly env: Environment
  readonly log: Log
  readonly clock: Clock
  readonly random: Random
}

/** The enabled providers by name; none of them has started anything yet. */
export function createProviders(deps: ProviderDeps): Record<string, Provider<'agent'>> {
  const { loopback } = deps.configuration.providers
  return {
    ...(loopback.enabled ? { loopback: createLoopback('loopback', { delayMs: loopback.delay_ms }) } : {}),
  }
}
