import { partRoles, type RoleEntry, vendorFacts } from '#config/pipeline-schema.ts'
import type { Configuration } from '#config/schema.ts'
import { type Secrets, secretIn } from '#config/secrets.ts'
import { nearest } from '#config/suggest.ts'
import { type VendorsConfiguration, vendorSchemas } from './schemas.ts'

/** The keys at the top of the file that say who answers calls; a pipeline that is named wins. */
export const choiceKeys = ['default_provider', 'active_pipeline'] as const

/** The providers that are agents, enabled or not; the others have parts only, which pipelines name. */
function agentSections({ providers }: Configuration<VendorsConfiguration>): [string, { readonly enabled: boolean }][] {
  return Object.entries(providers).filter(
    ([name]) => vendorFacts(vendorSchemas[name as keyof VendorsConfiguration]).isAgent ?? true,
  )
}

/** What can answer calls: the enabled providers that are agents, and the pipelines. */
export function agentsOf(configuration: Configuration<VendorsConfiguration>): string[] {
  const enabled = agentSections(configuration).filter(([, section]) => section.enabled)
  return [...enabled.map(([name]) => name), ...Object.keys(configuration.pipelines)]
}

/** The same with those that are not enabled. */
export function agentsKnown(configuration: Configuration<VendorsConfiguration>): string[] {
  return [...agentSections(configuration).map(([name]) => name), ...Object.keys(configuration.pipelines)]
}

export interface Choice {
  readonly key: (typeof choiceKeys)[number]
  readonly value: string
}

/** What the file must say for calls to be given to the provider or the pipeline of this name, in this order. */
export function choicesFor(name: string, configuration: Configuration<VendorsConfiguration>): readonly Choice[] {
  if (Object.hasOwn(configuration.pipelines, name)) return [{ key: 'active_pipeline', value: name }]
  const provider: Choice = { key: 'default_provider', value: name }
  return configuration.active_pipeline === '' ? [provider] : [provider, { key: 'active_pipeline', value: '' }]
}

/**
 * Why calls cannot be given to the provider or the pipeline of this name, with the cure; null: nothing speaks against it that can be known
 * without asking anybody.
 */
export function refusalOf(
  name: string,
  configuration: Configuration<VendorsConfiguration>,
  secrets: Secrets,
): string | null {
  const { pipelines } = configuration
  if (Object.hasOwn(pipelines, name)) return refusalOfPipeline(name, configuration, secrets)
  const section = agentSections(configuration).find(([each]) => each === name)?.[1]
  if (section === undefined) {
    const known = agentsKnown(configuration)
    const near = nearest(name, known)
    const said = JSON.stringify(name.length > shownMax ? `${name.slice(0, shownMax)}…` : name)
    const cure = near === undefined ? `There are ${known.join(', ')}.` : `Did you mean ${near}?`
    return `no provider is called ${said}. ${cure}`
  }
  if (!section.enabled) return `provider ${name} is not enabled. Set providers.${name}.enabled to true.`
  return lackedKey(`provider ${name}`, section, `providers.${name}`, secrets)
}

/** A role is lacking where each part of its list is. */
function refusalOfPipeline(
  name: string,
  { pipelines, providers }: Configuration<VendorsConfiguration>,
  secrets: Secrets,
): string | null {
  const sections: Readonly<Record<string, object>> = providers
  for (const role of partRoles) {
    const chosen = pipelines[name]?.[role] ?? []
    const entries = (Array.isArray(chosen) ? chosen : [chosen]) as readonly RoleEntry[]
    const refusals = entries.map((entry) =>
      typeof entry === 'string'
        ? lackedKey(`pipeline ${name}`, { ...sections[entry] }, `providers.${entry}`, secrets)
        : lackedKey(`pipeline ${name}`, entry, `pipelines.${name}.${role}`, secrets),
    )
    const [first] = refusals
    if (first !== undefined && refusals.every((refusal) => refusal !== null)) return first
  }
  return null
}

function lackedKey(who: string, section: object, path: string, secrets: Secrets): string | null {
  for (const { key, variable } of keysNeeded(section, path)) {
    const secret = secretIn(secrets, variable)
    if (!secret.ok) return `${who} lacks its key (${key}): ${secret.error}`
    if (secret.value === undefined) {
      return `${who} lacks its key: the environment variable ${variable} (${key}) is not set. Set it, or ${variable}_FILE to the path of a file that holds it, where the engine is started.`
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
