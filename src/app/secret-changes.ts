import type { Change } from '#config/changes.ts'
import { mask, type Secrets } from '#config/secrets.ts'

/**
 * Of those that both name; another name is a change of the key that says it. A secret may lie in a file whose content is
 * rotated while its name stays, so that no key of the configuration tells it.
 */
export function changedSecrets(before: Secrets, after: Secrets): Change[] {
  return Object.keys(after)
    .filter((name) => Object.hasOwn(before, name) && JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .map((name) => ({ key: `${name} (secret)`, from: mask, to: mask, restart: false }))
}
