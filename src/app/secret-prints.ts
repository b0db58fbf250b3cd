import { createHash } from 'node:crypto'
import { tokenVariable } from '#config/api-token.ts'
import type { Change } from '#config/changes.ts'
import type { Configuration } from '#config/schema.ts'
import { type Environment, mask, readSecret } from '#config/secrets.ts'
import { variablesNamed } from '#providers/index.ts'

/**
 * What tells one value of a secret from another, by the name of its variable, without holding it. A secret may lie in a
 * file whose content is rotated while its name stays: what it was when a generation was made can be told only by what
 * was kept of it then.
 */
export type SecretPrints = Readonly<Record<string, string>>

export function secretPrints(configuration: Configuration, env: Environment): SecretPrints {
  return Object.fromEntries([...variablesNamed(configuration), tokenVariable].map((name) => [name, printOf(name, env)]))
}

function printOf(name: string, env: Environment): string {
  return createHash('sha256')
    .update(JSON.stringify(readSecret(name, env)))
    .digest('hex')
}

/** Of those that both name; another name is a change of the key that says it. */
export function changedSecrets(before: SecretPrints, after: SecretPrints): Change[] {
  return Object.keys(after)
    .filter((name) => Object.hasOwn(before, name) && before[name] !== after[name])
    .map((name) => ({ key: `${name} (secret)`, from: mask, to: mask, restart: false }))
}
