import { changeLine } from '#config/changes.ts'
import { reloadMaxSeconds } from '#config/reload.ts'
import type { ReloadBody } from '#http/control.ts'
import { askEngine, errorIn } from './ask-engine.ts'
import { engineAddress } from './engine-address.ts'
import { type CommandIo, exitCodes } from './io.ts'
import { parseOptions } from './options.ts'

const help = `Usage: patchcord reload [--url URL | --config FILE] [--token TOKEN]

Lets a running engine read its configuration anew, and prints what changed: the next call has it, running calls keep
what they began with. What is wrong with the file is said as patchcord check says it; nothing is changed then.

  --url URL       where the engine listens; else as the configuration says (default http://127.0.0.1:15000)
  --config FILE   that configuration; else ./config/ai-agent.yaml, else the copy built in
  --token TOKEN   the engine's PATCHCORD_API_TOKEN; else the variable of that name, which other users cannot see
  --help          this text

Exit codes: 0 read, 1 refused, or nobody answers, 2 wrong arguments.`

const answerMaxMs = reloadMaxSeconds * 1000

export async function reload(argv: readonly string[], io: CommandIo): Promise<number> {
  const options = parseOptions(argv, { url: 'text', config: 'text', token: 'text', help: 'flag' })
  if (!options.ok) {
    io.stderr(`${options.error}\n\n${help}`)
    return exitCodes.usage
  }
  const { help: asksHelp, token, ...where } = options.value
  if (asksHelp === true) {
    io.stdout(help)
    return exitCodes.ok
  }
  const address = engineAddress(io, where)
  if (!address.ok) {
    if (where.url === undefined) io.stderr('Nothing was changed. To ask the engine all the same, name it with --url.')
    return address.error
  }
  const answer = await askEngine(address.value, { method: 'POST', path: '/api/reload', token, answerMaxMs }, io)
  if (answer.ok) {
    const error = errorIn(answer.value.body)
    if (error === null) return print(io, answer.value.body as ReloadBody)
    io.stderr(error)
    return exitCodes.failed
  }
  const { kind, message } = answer.error
  io.stderr(kind === 'no_token' ? message : `no engine answers at ${address.value.url} (${message}): is it running?`)
  return kind === 'no_token' ? exitCodes.usage : exitCodes.failed
}

function print(io: CommandIo, { outcome, changes, warnings, problems, last_change: last }: ReloadBody): number {
  for (const line of warnings) io.stderr(line)
  for (const change of changes) io.stdout(changeLine(change))
  if (outcome === 'changed') return exitCodes.ok
  if (outcome === 'unchanged') {
    io.stdout(`nothing changed${last === null ? '' : sinceWords(last)}`)
    return exitCodes.ok
  }
  for (const line of problems) io.stderr(line)
  io.stderr('Refused: what was in force before still is.')
  return exitCodes.failed
}

const triggerWords = { file: 'the file was taken up', signal: 'a signal came', api: 'a reload was asked for' } as const
const keysMax = 10

/** Who has just saved the file sees that it was taken up before they asked. */
function sinceWords({ at, trigger, changes }: NonNullable<ReloadBody['last_change']>): string {
  const keys = changes.slice(0, keysMax).map(({ key }) => key)
  const more = changes.length > keysMax ? ` and ${changes.length - keysMax} more` : ''
  return ` since ${localTime(new Date(at))}, when ${triggerWords[trigger]}: ${keys.join(', ')}${more}`
}

/** `2026-11-29 13:05:09`, where the command runs. */
function localTime(date: Date): string {
  const two = (number: number) => String(number).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}
