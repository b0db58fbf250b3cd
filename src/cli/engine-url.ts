import { isWildcard } from '#config/hosts.ts'
import { knownConfig } from './engine-config.ts'
import type { CommandIo } from './io.ts'

/**
 * Where a running engine of this configuration answers, without a slash at its end. Its secrets need not be known here.
 * Null when the configuration is wrong; it has been said then.
 */
export function engineUrl(io: CommandIo, options: { readonly url?: string; readonly config?: string }): string | null {
  if (options.url !== undefined) return options.url.replace(/\/+$/, '')
  const loaded = knownConfig(io, options.config)
  if (loaded === null) return null
  const unknown = loaded.missing.find((key) => key.startsWith('health.'))
  if (unknown !== undefined) {
    io.stderr(`${loaded.file}: ${unknown} comes from a variable that is not set here.`)
    return null
  }
  const { host, port } = loaded.configuration.health
  const reachable = isWildcard(host) ? '127.0.0.1' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}
