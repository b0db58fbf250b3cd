import { existsSync, readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { failed, messageOf, ok, type Result } from '#base/result.ts'
// The copy built in: the text is inside the binary, so the engine starts without any file.
import builtInText from '../../config/ai-agent.yaml' with { type: 'text' }
import type { ConfigProblem } from './problem.ts'
import { fileStart } from './tree.ts'

/** Which file holds the configuration, and its text. */
export interface ConfigurationSource {
  /** As it was named; what error messages begin with. */
  readonly file: string
  readonly text: string
}

/** 1 MiB: a configuration is some kilobytes; anything larger is not one. */
const sizeMaxBytes = 1024 * 1024

export const builtInSource: ConfigurationSource = { file: '(built-in configuration)', text: String(builtInText) }

/** In the working folder, where no file is named. */
export const usualFile = 'config/ai-agent.yaml'

/**
 * `file`, when one was named; else `config/ai-agent.yaml` in the working folder; else the copy built in.
 * @param again it will be read again, which a pipe does not stand: the second time it is empty, or never ends
 */
export function readConfigurationSource(
  cwd: string,
  file?: string,
  again = false,
): Result<ConfigurationSource, readonly ConfigProblem[]> {
  if (file !== undefined) return readSource(file, cwd, again)
  return existsSync(resolve(cwd, usualFile)) ? readSource(usualFile, cwd, again) : ok(builtInSource)
}

function readSource(file: string, cwd: string, again: boolean): Result<ConfigurationSource, readonly ConfigProblem[]> {
  const refuse = (message: string, advice: string) => failed([{ file, ...fileStart, key: '', message, advice }])
  if (file === '')
    return refuse(
      'the name of the file is empty',
      'Name the configuration file, for example --config config/ai-agent.yaml.',
    )
  let bytes: Uint8Array
  try {
    const path = resolve(cwd, file)
    const facts = statSync(path)
    if (facts.isDirectory()) {
      return refuse('this is a folder, not a file', 'Name the file in it, for example config/ai-agent.yaml.')
    }
    if (again && !facts.isFile()) {
      return refuse('this is a pipe or a device, which cannot be read again', 'Write the configuration into a file.')
    }
    if (facts.size > sizeMaxBytes)
      return refuse(`the file has ${facts.size} bytes, at most ${sizeMaxBytes} are read`, 'Is this the right file?')
    bytes = readFileSync(path)
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : ''
    if (code === 'ENOENT')
      return refuse('there is no such file', 'Check the path, or leave --config out to use the built-in configuration.')
    if (code === 'EACCES' || code === 'EPERM')
      return refuse('the file may not be read', 'Give the user that runs the engine the right to read it.')
    return refuse(`the file cannot be read: ${messageOf(thrown)}`, '')
  }
  if (looksLikeUtf16(bytes)) return refuse('the file is encoded as UTF-16', 'Save it as UTF-8.')
  try {
    // A byte order mark at the start is dropped by the decoder.
    return ok({ file, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) })
  } catch {
    return refuse('the file is not UTF-8 text', 'Save it as UTF-8.')
  }
}

function looksLikeUtf16(bytes: Uint8Array): boolean {
  const [first = 0, second = 0] = bytes
  const marked = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)
  return marked || (bytes.length >= 2 && bytes.length % 2 === 0 && (first === 0) !== (second === 0))
}
