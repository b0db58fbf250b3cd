import { readFileSync, statSync } from 'node:fs'
import { failed, messageOf, ok, type Result } from '#base/result.ts'

/** The environment as it was handed in; nothing below `main.ts` reads `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What stands in for a secret wherever a configuration is shown. */
export const mask = '********'

/**
 * A secret from the variable NAME, or from the file that NAME_FILE names (how containers hand secrets over). The
 * file's last line break is not part of it. `undefined`: neither is set. The failure says what to do and never holds
 * the secret.
 */
export function readSecret(name: string, env: Environment): Result<string | undefined, string> {
  const direct = env[name]
  const file = env[`${name}_FILE`]
  if (file === undefined || file === '') return ok(direct === '' ? undefined : direct)
  if (direct !== undefined && direct !== '') return failed(`both ${name} and ${name}_FILE are set: keep one of them`)
  try {
    // Opening a pipe waits for whoever writes into it, and all calls would wait with it.
    if (!statSync(file).isFile()) {
      const cure = 'Write the secret into one: a pipe or a device cannot be read again'
      return failed(`what ${name}_FILE names is not a regular file. ${cure}`)
    }
    const content = readFileSync(file, 'utf8').replace(/\r?\n$/, '')
    if (content === '') return failed(`the file that ${name}_FILE names is empty`)
    return ok(content)
  } catch (thrown) {
    return failed(`the file that ${name}_FILE names cannot be read: ${messageOf(thrown)}`)
  }
}

/**
 * The secret of the variable that a key of the configuration names, which must be there; `undefined` where it names none.
 * @param key for the failure: where the name stands
 */
export function readNamedSecret(name: string, key: string, env: Environment): Result<string | undefined, string> {
  if (name === '') return ok(undefined)
  const secret = readSecret(name, env)
  const isMissing = secret.ok && secret.value === undefined
  return isMissing ? failed(`the environment variable ${name} (${key}) is not set`) : secret
}

/** Names by which people call secrets, and what may hold one, whatever the schema says of them. */
export function isSecretName(key: string): boolean {
  return /(?:password|secret|token|api_key|authorization|credentials?|headers)$/i.test(key)
}

/** `https://user:password@host` is a secret as well. */
export function withoutUserInfo(text: string): string {
  return text.replace(/(:\/\/)[^/?#\s"]*@/g, `$1${mask}@`)
}
