import { choose, noWish, type UnknownName } from '#call/choice.ts'
import { explainChoice } from '#config/choice-origins.ts'
import { loadConfiguration } from '#config/load.ts'
import { offerOf } from '#config/offer.ts'
import { formatProblem } from '#config/problem.ts'
import { readConfigurationSource } from '#config/source.ts'
import { vendorSchemas } from '#providers/schemas.ts'
import { environmentWith } from './env-file.ts'
import { type CommandIo, exitCodes } from './io.ts'
import { type Options, parseOptions } from './options.ts'

const help = `Usage: patchcord explain [--exten EXTENSION] [--did NUMBER] [--caller NUMBER] [--context CONTEXT] [options]

Which agent a call would go to, what it would be given, and where each value comes from:
the same decision that the engine makes, without an engine.

  --exten EXTENSION     the extension of the dialplan
  --did NUMBER          the number that was called: PATCHCORD_DID, else CALLERID(dnid)
  --caller NUMBER       who calls
  --context CONTEXT     the context of the dialplan
  --agent NAME, --provider NAME, --pipeline NAME, --greeting TEXT, --prompt TEXT
                        what the dialplan says of this call, as arguments of Stasis()
  --config FILE         the configuration; else ./config/ai-agent.yaml, else the copy built in
  --env-file FILE       variables for it, as patchcord run takes them
  --help                this text

Exit codes: 0 it is explained, 1 the call would go back to the dialplan, or the configuration is wrong, 2 wrong arguments.`

const kinds = {
  exten: 'text',
  did: 'text',
  caller: 'text',
  context: 'text',
  agent: 'text',
  provider: 'text',
  pipeline: 'text',
  greeting: 'text',
  prompt: 'text',
  config: 'text',
  'env-file': 'text',
  help: 'flag',
} as const

export function explain(argv: readonly string[], io: CommandIo): number {
  const options = parseOptions(argv, kinds)
  if (!options.ok) {
    io.stderr(`${options.error}\n\n${help}`)
    return exitCodes.usage
  }
  if (options.value.help === true) {
    io.stdout(help)
    return exitCodes.ok
  }
  const env = environmentWith(options.value['env-file'], io.env, io.cwd)
  if (!env.ok) {
    for (const line of env.error) io.stderr(line)
    return exitCodes.failed
  }
  const source = readConfigurationSource(io.cwd, options.value.config)
  const loaded = source.ok
    ? loadConfiguration({ ...source.value, env: env.value, vendors: vendorSchemas, withoutSecrets: true })
    : source
  if (!loaded.ok || !source.ok) {
    for (const problem of loaded.ok ? [] : loaded.error) io.stderr(formatProblem(problem))
    return exitCodes.failed
  }
  const chosen = choose(wishesOf(options.value), offerOf(loaded.value.configuration, vendorSchemas))
  if (!chosen.ok) {
    io.stderr(unknownLine(chosen.error))
    return exitCodes.failed
  }
  const rows = explainChoice(chosen.value, loaded.value, source.value.file)
  const width = Math.max(...rows.map(({ value }) => value.length))
  for (const { name, value, from } of rows) io.stdout(`${name.padEnd(8)}  ${value.padEnd(width)}  ${from}`)
  return exitCodes.ok
}

function wishesOf(options: Options<typeof kinds>) {
  const { exten = '', did = '', caller = '', context = '' } = options
  const { agent = '', provider = '', pipeline = '', greeting = '', prompt = '' } = options
  return {
    argument: { agent, provider, pipeline, greeting, prompt },
    variable: noWish,
    facts: { caller, did, extension: exten, context },
  }
}

function unknownLine({ kind, name, known }: UnknownName): string {
  const there = known.length === 0 ? 'there are none' : `there are ${known.join(', ')}`
  return `${name}: no such ${kind}; ${there}. The call goes back to the dialplan with PATCHCORD_RESULT=unknown_${kind}.`
}
