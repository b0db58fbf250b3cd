import { readFileSync, statSync } from 'node:fs'
import { failed, messageOf, ok, type Result } from '#base/result.ts'

/** The environment as it was handed in; nothing below `main.ts` reads `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What stands in for a secret wherever a configuration is shown. */
export const mask = '********'

/** A secret from the variable NAME, or from the file that NAME_FILE names (how containers hand secrets over). */
export type ReadSecret = (name: string) => Result<string | undefined, string>

/** A secret that cannot be told, and what to do about it. */
export interface UntoldSecret {
  readonly why: string
}

/**
 * What the variables of secrets, and their files, held when they were read, by name; null: neither is set. Whoever holds
 * this needs no disk any more, which may be a network's and hang, and with it all calls.
 */
export type Secrets = Readonly<Record<string, string | UntoldSecret | null>>

export function readSecrets(names: readonly string[], read: ReadSecret): Secrets {
  return Object.fromEntries(
    names.map((name) => {
      const secret = read(name)
      return [name, secret.ok ? (secret.value ?? null) : { why: secret.error }]
    }),
  )
}

/** One that was not among those that were read is not set. */
export function secretIn(secrets: Secrets, name: string): Result<string | undefined, string> {
  const secret = Object.hasOwn(secrets, name) ? (secrets[name] ?? null) : null
  if (typeof secret === 'string') return ok(secret === '' ? undefined : secret)
  return secret === null ? ok(undefined) : failed(secret.why)
}

/**
 * From the disk, whose answer the thread waits for: at a start, in a command or in a child process. `undefined`: neither
 * is set. The failure says what to do and never holds the secret.
 */
export function readSecret(name: string, env: Environment): Result<string | undefined, string> {
  const place = secretPlace(name, env)
  if (place.kind === 'told') return place.secret
  try {
    // Opening a pipe waits for whoever writes into it.
    return secretOfFile(name, statSync(place.file).isFile() ? readFileSync(place.file, 'utf8') : null)
  } catch (thrown) {
    return unreadable(name, thrown)
  }
}

/**
 * The secret of the variable that a key of the configuration names, which must be there; `undefined` where it names none.
 * @param key for the failure: where the name stands
 */
export function namedSecretIn(secrets: Secrets, name: string, key: string): Result<string | undefined, string> {
  if (name === '') return ok(undefined)
  const secret = secretIn(secrets, name)
  const isMissing = secret.ok && secret.value === undefined
  return isMissing ? failed(`the environment variable ${name} (${key}) is not set`) : secret
}

export type SecretPlace =
  | { readonly kind: 'told'; readonly secret: Result<string | undefined, string> }
  | { readonly kind: 'file'; readonly file: string }

/** Without a look at the disk. */
export function secretPlace(name: string, env: Environment): SecretPlace {
  const direct = env[name] === '' ? undefined : env[name]
  const file = env[`${name}_FILE`] ?? ''
  if (file === '') return { kind: 'told', secret: ok(direct) }
  if (direct === undefined) return { kind: 'file', file }
  return { kind: 'told', secret: failed(`both ${name} and ${name}_FILE are set: keep one of them`) }
}

/** Its last line break is not part of it. @param content null: it is no regular file */
export function secretOfFile(name: string, content: string | null): Result<string, string> {
  if (content === null) {
    const cure = 'Write the secret into one: a pipe or a device cannot be read again'
    return failed(`what ${name}_FILE names is not a regular file. ${cure}`)
  }
  const secret = content.replace(/\r?\n$/, '')
  return secret === '' ? failed(`the file that ${name}_FILE names is empty`) : ok(secret)
}

export function unreadable(name: string, thrown: unknown): Result<never, string> {
  return failed(`the file that ${name}_FILE names cannot be read: ${messageOf(thrown)}`)
}

/** Names by which people call secrets, and what may hold one, whatever the schema says of them. */
export function isSecretName(key: string): boolean {
  return /(?:password|secret|token|api_key|authorization|credentials?|headers)$/i.test(key)
}

/** `https://user:password@host` is a secret as well. */
export function withoutUserInfo(text: string): string {
  return text.replace(/(:\/\/)[^/?#\s"]*@/g, `$1${mask}@`)
}
