import type { Configuration } from '#config/schema.ts'
import { type Environment, readSecret } from '#config/secrets.ts'
import { nearest } from '#config/suggest.ts'
import type { VendorsConfiguration } from './schemas.ts'

/** The key at the top of the file that says which provider answers calls. */
export const choiceKey = 'default_provider'

/**
 * Why calls cannot be given to the provider of this name, with the cure; null: nothing speaks against it that can be known
 * without asking anybody.
 */
export function refusalOf(
  name: string,
  configuration: Configuration<VendorsConfiguration>,
  env: Environment,
): string | null {
  const providers: Readonly<Record<string, { readonly enabled: boolean }>> = configuration.providers
  const section = Object.hasOwn(providers, name) ? providers[name] : undefined
  if (section === undefined) {
    const near = nearest(name, Object.keys(providers))
    const said = JSON.stringify(name.length > shownMax ? `${name.slice(0, shownMax)}…` : name)
    const cure = near === undefined ? `There are ${Object.keys(providers).join(', ')}.` : `Did you mean ${near}?`
    return `no provider is called ${said}. ${cure}`
  }
  if (!section.enabled) return `provider ${name} is not enabled. Set providers.${name}.enabled to true.`
  for (const { key, variable } of keysNeeded(section, `providers.${name}`)) {
    const secret = readSecret(variable, env)
    if (!secret.ok) return `provider ${name} lacks its key (${key}): ${secret.error}`
    if (secret.value === undefined) {
      return `provider ${name} lacks its key: the environment variable ${variable} (${key}) is not set. Set it, or ${variable}_FILE to the path of a file that holds it, where the engine is started.`
    }
  }
  return null
}

const shownMax = 60

/** The variables that a section names by keys that end in `_env`, at any depth. */
function keysNeeded(section: object, path: string): { readonly key: string; readonly variable: string }[] {
  return Object.entries(section).flatMap(([name, value]: [string, unknown]) => {
    const key = `${path}.${name}`
    if (typeof value === 'object' && value !== null) return keysNeeded(value, key)
    return name.endsWith('_env') && typeof value === 'string' && value !== '' ? [{ key, variable: value }] : []
  })
}
