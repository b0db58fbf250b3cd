import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { failed, messageOf, ok, type Result } from '#base/result.ts'
import type { Environment } from '#config/secrets.ts'

/**
 * Reads NAME=value lines: `#` comments, an optional `export`, single or double quotes. Nothing is expanded, so a
 * password may hold any character. A line that is none of this is an error with its number, never with its text.
 */
export function readEnvFile(path: string, cwd: string): Result<Record<string, string>, string> {
  let text: string
  try {
    // Each reload reads it again: a pipe would be empty then, or hold up all calls until somebody writes into it.
    if (!statSync(resolve(cwd, path)).isFile()) {
      return failed(
        `--env-file ${path}: this is no regular file, and could not be read again. Write the variables into one.`,
      )
    }
    text = readFileSync(resolve(cwd, path), 'utf8')
  } catch (thrown) {
    return failed(`--env-file ${path}: ${messageOf(thrown)}`)
  }
  const values: Record<string, string> = {}
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const trimmed = line.trim()
    if (trimmed === '' || trimmed.startsWith('#')) continue
    const match = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$/.exec(trimmed)
    if (match?.[1] === undefined) return failed(`${path}:${index + 1}: expected NAME=value`)
    values[match[1]] = unquoted(match[2] ?? '')
  }
  return ok(values)
}

function unquoted(value: string): string {
  // A comment behind quotes begins after a space, and whatever stands in it is none of the value.
  const quoted = /^(["'])(.*?)\1\s+#/.exec(value) ?? /^(["'])(.*)\1$/.exec(value)
  return quoted?.[2] ?? value.replace(/\s+#.*$/, '')
}

/** What the process was started with wins over the file, as every tool with such an option has it. */
export function environmentWith(
  file: string | undefined,
  env: Environment,
  cwd: string,
): Result<Environment, readonly string[]> {
  if (file === undefined) return ok(env)
  const read = readEnvFile(file, cwd)
  return read.ok ? ok({ ...read.value, ...env }) : failed([read.error])
}
