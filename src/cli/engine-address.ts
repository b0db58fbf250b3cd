import { failed, ok, type Result } from '#base/result.ts'
import { isWildcard } from '#config/hosts.ts'
import { knownConfig } from './engine-config.ts'
import { type CommandIo, exitCodes } from './io.ts'

/** Where a running engine answers. */
export interface EngineAddress {
  /** Without a slash at its end, and without user name and password: it may be shown. */
  readonly url: string
  /** What `--url` said of user and password, for a proxy before the engine; null: nothing. */
  readonly authorization: string | null
}

/**
 * That of `--url`, else of the engine of this configuration, whose secrets need not be known here. Fails with the exit code;
 * what is wrong has been said then.
 */
export function engineAddress(
  io: CommandIo,
  options: { readonly url?: string; readonly config?: string },
): Result<EngineAddress, number> {
  if (options.url !== undefined) {
    const named = namedAddress(options.url)
    if (named !== null) return ok(named)
    io.stderr('--url: expected an address such as http://127.0.0.1:15000')
    return failed(exitCodes.usage)
  }
  const loaded = knownConfig(io, options.config)
  const unknown = loaded?.missing.find((key) => key.startsWith('health.'))
  if (unknown !== undefined) io.stderr(`${loaded?.file}: ${unknown} comes from a variable that is not set here.`)
  if (loaded === null || unknown !== undefined) return failed(exitCodes.failed)
  const { host, port } = loaded.configuration.health
  const reachable = isWildcard(host) ? '127.0.0.1' : host
  const url = `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
  return ok({ url, authorization: null })
}

function namedAddress(text: string): EngineAddress | null {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) return null
  const { username, password, origin, pathname } = url
  const shown = `${origin}${pathname}`.replace(/\/+$/, '')
  if (username === '' && password === '') return { url: shown, authorization: null }
  const both = decoded(`${username}:${password}`)
  return both === null ? null : { url: shown, authorization: `Basic ${Buffer.from(both).toString('base64')}` }
}

/** Null: a `%` that begins nothing. */
function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
