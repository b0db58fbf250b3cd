import { editorSchema } from '#config/json-schema.ts'
import { loadConfiguration } from '#config/load.ts'
import { formatProblem } from '#config/problem.ts'
import { renderReference } from '#config/reference.ts'
import { type Configuration, configurationSchema, type VendorSchemas } from '#config/schema.ts'
import { showConfiguration } from '#config/show.ts'
import { readConfigurationSource } from '#config/source.ts'
import { environmentWith } from './env-file.ts'
import { type CommandIo, exitCodes } from './io.ts'

const help = `patchcord check [FILE] [--env-file FILE] [--show] [--keys] [--schema]

Checks a configuration and says what is wrong with it: file, line, column, what was
expected, and how to mend it. It contacts nothing and starts nothing.

  FILE         the file to check (also: --config FILE); without it
               ./config/ai-agent.yaml, or else the configuration built in
  --env-file FILE   variables for it, as patchcord run takes them
  --show       print the resulting configuration, secrets masked
  --keys       print a table of all keys, their defaults and meanings
  --schema     print the JSON Schema by which editors complete and check a file
  --help       print this

Exit status: 0 the configuration is good, 1 it is not, 2 the command line is wrong.`

export interface CheckDependencies {
  readonly vendors: VendorSchemas
  /** What is missing on this machine though the file is right: models not yet fetched, keys not set. */
  readonly notes?: (configuration: Configuration) => Promise<readonly string[]>
}

interface Arguments {
  readonly file: string | undefined
  readonly envFile: string | undefined
  readonly show: boolean
}

export async function runCheck(
  argv: readonly string[],
  io: CommandIo,
  { vendors, notes }: CheckDependencies,
): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    io.stdout(help)
    return exitCodes.ok
  }
  if (argv.includes('--keys')) {
    io.stdout(renderReference(configurationSchema(vendors)))
    return exitCodes.ok
  }
  if (argv.includes('--schema')) {
    io.stdout(JSON.stringify(editorSchema(configurationSchema(vendors)), null, 2))
    return exitCodes.ok
  }
  const parsed = parseArguments(argv)
  if (typeof parsed === 'string') {
    io.stderr(`${parsed}\n\n${help}`)
    return exitCodes.usage
  }
  const env = environmentWith(parsed.envFile, io.env, io.cwd)
  if (!env.ok) {
    for (const line of env.error) io.stderr(line)
    return exitCodes.failed
  }
  const source = readConfigurationSource(io.cwd, parsed.file)
  const loaded = source.ok ? loadConfiguration({ ...source.value, env: env.value, vendors }) : source
  if (!loaded.ok) {
    for (const problem of loaded.error) io.stderr(formatProblem(problem))
    const count = loaded.error.length
    io.stderr(count === 1 ? 'One problem.' : `${count} problems.`)
    return exitCodes.failed
  }
  for (const warning of loaded.value.warnings) io.stderr(`warning: ${formatProblem(warning)}`)
  const { configuration } = loaded.value
  for (const note of (await notes?.(configuration)) ?? []) io.stderr(`note: ${note}`)
  if (parsed.show) io.stdout(showConfiguration(configuration, configurationSchema(vendors)))
  else io.stdout(`${source.ok ? source.value.file : ''}: the configuration is good.`)
  return exitCodes.ok
}

/** The arguments, or what is wrong with them. */
function parseArguments(argv: readonly string[]): Arguments | string {
  let file: string | undefined
  let envFile: string | undefined
  let show = false
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? ''
    const [name = '', given] = /^(--config|--env-file)(?:=(.*))?$/s.exec(word)?.slice(1) ?? []
    if (word === '--show') show = true
    else if (word.startsWith('-') && name === '') return `Unknown option ${word}.`
    else {
      const value = name === '' ? word : (given ?? argv[++index])
      if (value === undefined || value === '') return `${name === '' ? '--config' : name} needs the name of a file.`
      if (name === '--env-file') envFile = value
      else if (file !== undefined) return `One file at a time: ${file} and ${value} were named.`
      else file = value
    }
  }
  return { file, envFile, show }
}
