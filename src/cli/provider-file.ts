import { type EditedFile, editFile, undoEdit } from '#config/file-edit.ts'
import { answeringName } from '#config/schema.ts'
import { agentsKnown, choicesFor, refusalOf } from '#providers/choice.ts'
import { knownConfig } from './engine-config.ts'
import { type CommandIo, exitCodes } from './io.ts'

/** What `patchcord provider` does where no engine runs: the same with the file alone, and with this command's environment. */

export function listInFile(config: string | undefined, io: CommandIo): number {
  const loaded = knownConfig(io, config)
  if (loaded === null) return exitCodes.failed
  const { configuration, secrets, file } = loaded
  const names = agentsKnown(configuration)
  const states = names.map((name) => {
    return [name === answeringName(configuration), name, refusalOf(name, configuration, secrets) ?? 'enabled'] as const
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
  const { configuration, secrets, file, path, missing } = loaded
  const refuse = (why: string) => {
    io.stderr(why)
    io.stderr(`No engine answers at ${url}, and nothing was changed.`)
    return exitCodes.failed
  }
  const why = refusalOf(name, configuration, secrets)
  if (why !== null) return refuse(why)
  const choices = choicesFor(name, configuration)
  const unknown = choices.find(({ key }) => missing.includes(key))
  if (unknown !== undefined) return refuse(`${file}: ${unknown.key} comes from a variable that is not set here.`)
  if (path === null) {
    const lines = choices.map(({ key, value }) => `${key}: ${JSON.stringify(value)}`).join(' and ')
    return refuse(`There is no file to change: write one with the line ${lines}, and name it with --config.`)
  }
  const edits: EditedFile[] = []
  const said: string[] = []
  for (const { key, value } of choices) {
    const edit = await editFile(path, file, key, value)
    if (!edit.ok) {
      for (const done of edits.toReversed()) await undoEdit(done)
      return refuse(edit.error)
    }
    edits.push(edit.value)
    if (edit.value.after === edit.value.before) continue
    said.push(`${file}:${edit.value.line}: ${key}: ${JSON.stringify(configuration[key])} -> ${JSON.stringify(value)}`)
  }
  for (const line of said.length === 0 ? [`nothing changed: it is ${name} already`] : said) io.stdout(line)
  io.stderr(`No engine answers at ${url}: none was told. It takes effect when one starts.`)
  return exitCodes.ok
}

/** In use, name, and how it is. */
export function rows(providers: readonly (readonly [boolean, string, string])[]): string[] {
  const width = Math.max(...providers.map(([, name]) => name.length))
  return providers.map(([inUse, name, state]) => `${inUse ? '*' : ' '} ${name.padEnd(width)}  ${state}`)
}
