import { editFile } from '#config/file-edit.ts'
import { choiceKey, refusalOf } from '#providers/choice.ts'
import { knownConfig } from './engine-config.ts'
import { type CommandIo, exitCodes } from './io.ts'

/** What `patchcord provider` does where no engine runs: the same with the file alone, and with this command's environment. */

export function listInFile(config: string | undefined, io: CommandIo): number {
  const loaded = knownConfig(io, config)
  if (loaded === null) return exitCodes.failed
  const { configuration, env, file } = loaded
  const names = Object.keys(configuration.providers)
  const states = names.map((name) => {
    return [name === configuration[choiceKey], name, refusalOf(name, configuration, env) ?? 'enabled'] as const
  })
  for (const line of rows(states)) io.stdout(line)
  io.stderr(`No engine answers: this is what ${file} says.`)
  return exitCodes.ok
}

export async function switchInFile(
  name: string,
  config: string | undefined,
  url: string,
  io: CommandIo,
): Promise<number> {
  const loaded = knownConfig(io, config)
  if (loaded === null) return exitCodes.failed
  const { configuration, env, file, path, missing } = loaded
  const refuse = (why: string) => {
    io.stderr(why)
    io.stderr(`No engine answers at ${url}, and nothing was changed.`)
    return exitCodes.failed
  }
  const why = refusalOf(name, configuration, env)
  if (why !== null) return refuse(why)
  if (missing.includes(choiceKey)) return refuse(`${file}: ${choiceKey} comes from a variable that is not set here.`)
  if (path === null) {
    return refuse(
      `There is no file to change: write one with the line ${choiceKey}: ${name}, and name it with --config.`,
    )
  }
  const edit = await editFile(path, file, choiceKey, name)
  if (!edit.ok) return refuse(edit.error)
  const before = configuration[choiceKey]
  if (edit.value.after === edit.value.before) io.stdout(`nothing changed: it is ${name} already`)
  else io.stdout(`${file}:${edit.value.line}: ${choiceKey}: ${JSON.stringify(before)} -> ${JSON.stringify(name)}`)
  io.stderr(`No engine answers at ${url}: none was told. It takes effect when one starts.`)
  return exitCodes.ok
}

/** In use, name, and how it is. */
export function rows(providers: readonly (readonly [boolean, string, string])[]): string[] {
  const width = Math.max(...providers.map(([, name]) => name.length))
  return providers.map(([inUse, name, state]) => `${inUse ? '*' : ' '} ${name.padEnd(width)}  ${state}`)
}
