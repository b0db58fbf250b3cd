import { messageOf } from '#base/result.ts'
import { engineAddress } from './engine-address.ts'
import { type CommandIo, exitCodes } from './io.ts'
import { parseOptions } from './options.ts'

const help = `Usage: patchcord health [--url URL | --config FILE] [--live]

Prints /health of a running engine.

  --url URL   where it listens; else as the configuration says (default http://127.0.0.1:15000)
  --config FILE   that configuration; else ./config/ai-agent.yaml, else the copy built in
  --live      only ask whether it lives, and print nothing else; for container health checks
  --help      this text

Exit codes: 0 calls are served (with --live: it lives), 1 they are not, or nobody answers, 2 wrong arguments.`

/** A container's health check must answer well within its own limit. */
const answerMaxMs = 3000

export async function health(argv: readonly string[], io: CommandIo): Promise<number> {
  const options = parseOptions(argv, { url: 'text', config: 'text', live: 'flag', help: 'flag' })
  if (!options.ok) {
    io.stderr(`${options.error}\n\n${help}`)
    return exitCodes.usage
  }
  if (options.value.help === true) {
    io.stdout(help)
    return exitCodes.ok
  }
  const address = engineAddress(io, options.value)
  if (!address.ok) return exitCodes.usage
  const { url: base, authorization } = address.value
  try {
    const live = options.value.live === true
    const response = await fetch(`${base}${live ? '/live' : '/health'}`, {
      headers: authorization === null ? {} : { authorization },
      signal: AbortSignal.timeout(answerMaxMs),
    })
    const body: unknown = await response.json()
    io.stdout(live ? 'live' : JSON.stringify(body, null, 2))
    const served = live || (typeof body === 'object' && body !== null && 'status' in body && body.status === 'ok')
    return response.ok && served ? exitCodes.ok : exitCodes.failed
  } catch (thrown) {
    io.stderr(`no engine answers at ${base} (${messageOf(thrown)}): is it running?`)
    return exitCodes.failed
  }
}
