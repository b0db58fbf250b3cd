import { isWildcard } from '#config/hosts.ts'
import { quietEngineConfig } from './engine-config.ts'
import type { CommandIo } from './io.ts'

/**
 * Where a running engine of this configuration answers, without a slash at its end. Null when the configuration is wrong;
 * it has been said then.
 */
export function engineUrl(io: CommandIo, options: { readonly url?: string; readonly config?: string }): string | null {
  if (options.url !== undefined) return options.url.replace(/\/+$/, '')
  const loaded = quietEngineConfig(io, options.config)
  if (loaded === null) return null
  const { host, port } = loaded.configuration.health
  const reachable = isWildcard(host) ? '127.0.0.1' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}
