import type { Clock } from '#base/clock.ts'
import { failed, type Result } from '#base/result.ts'
import { type EditedFile, editFile } from '#config/file-edit.ts'
import type { Environment } from '#config/secrets.ts'
import { askChild } from './ask-child.ts'
import { exitCodes } from './io.ts'
import { parseOptions } from './options.ts'

/** `editFile` for a running engine: finding the one place in the text takes longer than a frame. Never rejects. */
export async function editInChild(
  path: string,
  name: string,
  key: string,
  value: string,
  { env, clock }: { readonly env: Environment; readonly clock: Clock },
): Promise<Result<EditedFile, string>> {
  const argv = ['edit', `--path=${path}`, `--name=${name}`, `--key=${key}`, `--value=${value}`]
  const asked = await askChild<Result<EditedFile, string>>({ argv, env, clock })
  return asked.ok ? asked.value : failed(`${name}: cannot be changed: ${asked.error}`)
}

/** The child: prints what has become of the file as one JSON value. */
export async function runEditChild(argv: readonly string[]): Promise<number> {
  const options = parseOptions(argv, { path: 'text', name: 'text', key: 'text', value: 'text' })
  if (!options.ok) return exitCodes.usage
  const { path = '', name = '', key = '', value = '' } = options.value
  await Bun.write(Bun.stdout, JSON.stringify(await editFile(path, name, key, value)))
  return exitCodes.ok
}
