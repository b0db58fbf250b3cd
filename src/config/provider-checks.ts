import { type PartRole, type Pipeline, partRoles, type RoleEntry, vendorFacts, vendorsOf } from './pipeline-schema.ts'
import { answeringName, type Configuration, type VendorSchemas } from './schema.ts'
import { nearest } from './suggest.ts'
import type { Path } from './tree.ts'

/** Who answers calls, and what pipelines are made of: names that must exist, have the role and be enabled. */
export interface PlacedProblem {
  readonly path: Path
  readonly severity: 'error' | 'warning'
  readonly message: string
  readonly advice: string
}

type Facts = Pick<
  Configuration,
  'providers' | 'pipelines' | 'default_provider' | 'active_pipeline' | 'transfer' | 'limits'
>

export function providerProblems(configuration: Facts, vendors: VendorSchemas): PlacedProblem[] {
  return [
    ...defaultProvider(configuration, vendors),
    ...activePipeline(configuration),
    ...fallbackProvider(configuration, vendors),
    ...Object.entries(configuration.pipelines).flatMap(([name, pipeline]) =>
      pipelineProblems(name, pipeline, configuration, vendors),
    ),
  ]
}

function defaultProvider(
  { default_provider: chosen, active_pipeline: active, providers }: Facts,
  vendors: VendorSchemas,
): PlacedProblem[] {
  const path = ['default_provider']
  const unknown = notAnAgent(path, chosen, agentsOf(vendors), providers)
  if (unknown !== null) return [unknown]
  // Where a pipeline answers nobody asks for it.
  if (providers[chosen]?.enabled !== false || active !== '') return []
  const message = `default_provider is ${chosen}, but providers.${chosen}.enabled is false`
  return [error(path, message, 'Enable it, or name another provider.')]
}

function agentsOf(vendors: VendorSchemas): string[] {
  return Object.keys(vendors).filter((name) => vendorFacts(vendors[name] as VendorSchemas[string]).isAgent ?? true)
}

function notAnAgent(
  path: Path,
  chosen: string,
  agents: readonly string[],
  providers: Facts['providers'],
): PlacedProblem | null {
  if (agents.includes(chosen)) return null
  if (Object.hasOwn(providers, chosen)) {
    const message = `${chosen} answers no calls by itself: it has parts of pipelines only`
    return error(path, message, 'Write a pipeline that takes them, and name it as active_pipeline.')
  }
  const near = nearest(chosen, agents)
  const advice = near === undefined ? 'Name a provider that this version has.' : `Did you mean ${near}?`
  return error(path, `expected one of ${agents.join(', ')}, found the text ${JSON.stringify(chosen)}`, advice)
}

/** Who answers when the minutes of the day are used up. */
function fallbackProvider(facts: Facts, vendors: VendorSchemas): PlacedProblem[] {
  const { limits, providers, pipelines } = facts
  const { fallback_provider: chosen } = limits
  if (chosen === '') return []
  const path = ['limits', 'fallback_provider']
  const unknown = notAnAgent(path, chosen, [...agentsOf(vendors), ...Object.keys(pipelines)], providers)
  if (unknown !== null) return [unknown]
  if (providers[chosen]?.enabled === false) {
    const message = `limits.fallback_provider is ${chosen}, but providers.${chosen}.enabled is false`
    return [error(path, message, 'Enable it, or name another provider.')]
  }
  if (answeringName(facts) !== chosen) return []
  const message = `limits.fallback_provider is ${chosen}, which answers calls: once its minutes are used up it cannot take its own place`
  return [error(path, message, 'Name another provider, or none.')]
}

function activePipeline({ active_pipeline: active, pipelines }: Facts): PlacedProblem[] {
  const names = Object.keys(pipelines)
  if (active === '' || names.includes(active)) return []
  const near = nearest(active, names)
  const known = names.length === 0 ? 'there are none' : `there are ${names.join(', ')}`
  const advice = near === undefined ? 'Write it, or leave active_pipeline empty.' : `Did you mean ${near}?`
  return [error(['active_pipeline'], `no such pipeline is written under pipelines; ${known}`, advice)]
}

function pipelineProblems(name: string, pipeline: Pipeline, facts: Facts, vendors: VendorSchemas): PlacedProblem[] {
  const path = ['pipelines', name]
  const clash = Object.hasOwn(facts.providers, name)
    ? [error(path, `${name} is the name of a provider`, 'Give the pipeline another name.')]
    : []
  return [
    ...clash,
    ...partRoles.flatMap((role) => roleProblems([...path, role], role, pipeline, facts, vendors)),
    ...toolProblems([...path, 'tools'], pipeline, facts),
  ]
}

function roleProblems(
  path: Path,
  role: PartRole,
  pipeline: Pipeline,
  facts: Facts,
  vendors: VendorSchemas,
): PlacedProblem[] {
  const choice = pipeline[role]
  if (typeof choice === 'string' || !Array.isArray(choice))
    return entryProblems(path, role, choice as RoleEntry, facts, vendors)
  if (choice.length === 0)
    return [error(path, 'the list is empty', 'Name at least one, or leave the key out for local.')]
  return choice.flatMap((entry: RoleEntry, index) => {
    const here = [...path, index]
    const again =
      typeof entry === 'string' && choice.indexOf(entry) < index
        ? [error(here, `${entry} stands twice in this list`, 'Take one out.')]
        : []
    return [...again, ...entryProblems(here, role, entry, facts, vendors)]
  })
}

function entryProblems(
  path: Path,
  role: PartRole,
  entry: RoleEntry,
  { providers }: Facts,
  vendors: VendorSchemas,
): PlacedProblem[] {
  const isInline = typeof entry !== 'string'
  const name = isInline ? entry.provider : entry
  const able = vendorsOf(role, vendors)
  const among = `expected one of ${able.join(', ')}`
  if (!Object.hasOwn(providers, name)) {
    const near = nearest(name, able)
    const advice = near === undefined ? 'Name a provider that this version has.' : `Did you mean ${near}?`
    return [error(path, `${among}, found the text ${JSON.stringify(name)}`, advice)]
  }
  if (!able.includes(name)) return [error(path, `${name} has no ${role}: ${among}`, 'Name one of these.')]
  if (providers[name]?.enabled === false)
    return [error(path, `it takes ${name}, but providers.${name}.enabled is false`, 'Enable it, or name another one.')]
  return []
}

function toolProblems(path: Path, { tools, llm }: Pipeline, { providers, transfer }: Facts): PlacedProblem[] {
  const problems: PlacedProblem[] = []
  if (tools.includes('transfer_call') && Object.keys(transfer.destinations).length === 0)
    problems.push(
      warning(
        path,
        'transfer_call is among the tools, and transfer.destinations names no place',
        'Name one, or take transfer_call out: without one the model is not told of it.',
      ),
    )
  const models = Array.isArray(llm) ? (llm as readonly RoleEntry[]) : [llm as RoleEntry]
  const isLocal = models.every((entry) => (typeof entry === 'string' ? entry : entry.provider) === 'local')
  const local = providers.local as { readonly llm?: { readonly base_url?: string } } | undefined
  if (tools.length > 0 && isLocal && local?.llm?.base_url === '')
    problems.push(
      warning(
        path,
        'the built-in language model calls no tools',
        'Name a server in providers.local.llm.base_url, or another llm; or take the tools out.',
      ),
    )
  return problems
}

function error(path: Path, message: string, advice: string): PlacedProblem {
  return { path, severity: 'error', message, advice }
}

function warning(path: Path, message: string, advice: string): PlacedProblem {
  return { path, severity: 'warning', message, advice }
}
