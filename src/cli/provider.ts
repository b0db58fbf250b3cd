import type { Milliseconds } from '#base/clock.ts'
import { changeLine } from '#config/changes.ts'
import type { ProviderState, SwitchBody } from '#http/provider-api.ts'
import { askEngine, type EngineRequest, errorIn } from './ask-engine.ts'
import { engineAddress } from './engine-address.ts'
import { type CommandIo, exitCodes } from './io.ts'
import { parseOptions } from './options.ts'
import { listInFile, rows, switchInFile } from './provider-file.ts'

const help = `Usage: patchcord provider list [options]
       patchcord provider switch NAME [options]

Lists the providers and pipelines, or gives calls to another one: the next call has it, running calls keep theirs. A
running engine judges and changes its own file, since it has the keys; of the file only the values of default_provider
and active_pipeline change. Where no engine answers, the file is read and changed here, by the same rules, and takes
effect when an engine starts.

  --config FILE   the configuration, by which the engine is found; else ./config/ai-agent.yaml
  --url URL       where the engine listens, instead: then nothing is done where it does not answer
  --token TOKEN   the engine's PATCHCORD_API_TOKEN; else the variable of that name, which other users cannot see
  --help          this text

Exit codes: 0 done, 1 refused, or not answered, or calls are not served yet, 2 wrong arguments.`

const listMaxMs: Milliseconds = 5000
/** A new provider may take half a minute to become ready, and the file is read twice. */
const switchMaxMs: Milliseconds = 120_000

interface Where {
  readonly url?: string
  readonly config?: string
  readonly token?: string
}

export async function provider(argv: readonly string[], io: CommandIo): Promise<number> {
  const isNamed = argv[0] === 'switch' && argv[1] !== undefined && !argv[1].startsWith('-')
  const verb = argv[0]?.startsWith('-') ? undefined : argv[0]
  const options = parseOptions(argv.slice(isNamed ? 2 : verb === undefined ? 0 : 1), {
    url: 'text',
    config: 'text',
    token: 'text',
    help: 'flag',
  })
  if (!options.ok) return wrong(io, options.error)
  const { help: asksHelp, ...where } = options.value
  if (asksHelp === true) {
    io.stdout(help)
    return exitCodes.ok
  }
  if (verb === 'list') return await list(where, io)
  if (verb !== 'switch') return wrong(io, 'Say what to do: list, or switch NAME.')
  const name = argv[1]
  if (!isNamed || name === undefined) return wrong(io, 'Name the provider: patchcord provider switch NAME.')
  return await switchTo(name, where, io)
}

function wrong(io: CommandIo, what: string): number {
  io.stderr(`${what}\n\n${help}`)
  return exitCodes.usage
}

async function list(where: Where, io: CommandIo): Promise<number> {
  const request = { method: 'GET', path: '/api/providers', answerMaxMs: listMaxMs } as const
  return await ask(request, where, io, {
    answered(body) {
      const { providers = [] } = body as { readonly providers?: readonly ProviderState[] }
      for (const line of rows(providers.map((each) => [each.in_use, each.name, stateOf(each)]))) io.stdout(line)
      return exitCodes.ok
    },
    nobody: () => Promise.resolve(listInFile(where.config, io)),
  })
}

function stateOf({ ready, reason, refusal, changed_at: since, in_use: inUse }: ProviderState): string {
  const state = ready ? 'ready' : inUse ? (reason ?? '') : (refusal ?? reason ?? '')
  return inUse && since !== null ? `${state} (since ${since})` : state
}

async function switchTo(name: string, where: Where, io: CommandIo): Promise<number> {
  const request = { method: 'PUT', path: '/api/provider', body: { name }, answerMaxMs: switchMaxMs } as const
  return await ask(request, where, io, {
    answered: (body) => printSwitch(io, name, body as SwitchBody),
    nobody: (url) => switchInFile(name, where.config, url, io),
  })
}

function printSwitch(io: CommandIo, name: string, body: SwitchBody): number {
  const { outcome, file, line, changes, warnings, problems, ready, reason } = body
  for (const each of warnings) io.stderr(each)
  if (outcome === 'refused') {
    for (const each of problems) io.stderr(each)
    io.stderr('Refused: what was in force before still is.')
    return exitCodes.failed
  }
  for (const change of changes) io.stdout(changeLine(change))
  if (outcome === 'unchanged') io.stdout(`nothing changed: it is ${name} already (${file}:${line})`)
  if (ready === true) return exitCodes.ok
  io.stderr(`${name} is in use from now on, but calls are not served yet: ${reason}`)
  return exitCodes.failed
}

interface Reaction {
  /** @param body of an answer that is no error */
  readonly answered: (body: unknown) => number
  /** Only where no engine was named. */
  readonly nobody: (url: string) => Promise<number>
}

async function ask(
  request: Omit<EngineRequest, 'token'>,
  where: Where,
  io: CommandIo,
  { answered, nobody }: Reaction,
): Promise<number> {
  const address = engineAddress(io, where)
  if (!address.ok) {
    if (where.url === undefined) io.stderr('Nothing was changed. To ask the engine all the same, name it with --url.')
    return address.error
  }
  const { url } = address.value
  const answer = await askEngine(address.value, { ...request, token: where.token }, io)
  if (answer.ok) {
    const error = errorIn(answer.value.body)
    if (error === null) return answered(answer.value.body)
    io.stderr(error)
    return exitCodes.failed
  }
  const { kind, message } = answer.error
  if (kind === 'refused_connection' && where.url === undefined) return await nobody(url)
  io.stderr(kind === 'no_token' ? message : `no engine answers at ${url} (${message}): is it running?`)
  return kind === 'no_token' ? exitCodes.usage : exitCodes.failed
}
