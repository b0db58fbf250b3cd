import { factRules } from '#call/route.ts'
import type { AgentSection } from './agent-schema.ts'
import { isAgent } from './offer.ts'
import { type Pipeline, type RoleEntry, vendorFacts } from './pipeline-schema.ts'
import type { PlacedProblem } from './provider-checks.ts'
import { answeringName, type Configuration, type VendorSchemas } from './schema.ts'
import { nearest } from './suggest.ts'
import type { Path } from './tree.ts'

/** What agents name: providers and pipelines that must exist and do what is asked of them, and calls that are theirs alone. */
type Facts = Pick<
  Configuration,
  'agents' | 'providers' | 'pipelines' | 'default_provider' | 'active_pipeline' | 'transfer'
>

export function agentProblems(facts: Facts, vendors: VendorSchemas): PlacedProblem[] {
  return [
    ...Object.entries(facts.agents).flatMap(([name, agent]) => {
      const path = ['agents', name]
      const named = [...speakerProblems(path, agent, facts, vendors)]
      // Of a speaker that there is not, nothing more can be said.
      return named.length > 0 ? named : abilityProblems(path, agent, facts, vendors)
    }),
    ...sharedClaims(facts),
  ]
}

function speakerProblems(
  path: Path,
  { provider, pipeline }: AgentSection,
  { providers, pipelines }: Facts,
  vendors: VendorSchemas,
): PlacedProblem[] {
  if (provider !== undefined && pipeline !== undefined)
    return [error([...path, 'pipeline'], 'provider and pipeline are both named, and one of them answers', 'Keep one.')]
  if (pipeline !== undefined && !Object.hasOwn(pipelines, pipeline)) {
    const names = Object.keys(pipelines)
    const known = names.length === 0 ? 'there are none' : `there are ${names.join(', ')}`
    const message = `no such pipeline is written under pipelines; ${known}`
    return [error([...path, 'pipeline'], message, didYouMean(pipeline, names, 'Write it, or name another.'))]
  }
  if (provider === undefined) return []
  const here = [...path, 'provider']
  const known = Object.keys(vendors).filter((name) => isAgent(name, vendors))
  if (!known.includes(provider)) {
    const found = JSON.stringify(provider)
    const advice = Object.hasOwn(pipelines, provider)
      ? `${provider} is a pipeline: write pipeline: ${provider}.`
      : didYouMean(provider, known, 'Name a provider that this version has.')
    return [error(here, `expected one of ${known.join(', ')}, found the text ${found}`, advice)]
  }
  if (providers[provider]?.enabled !== false) return []
  return [error(here, `${provider} answers here, but providers.${provider}.enabled is false`, 'Enable it.')]
}

/** What an agent says and its speaker would not heed. */
function abilityProblems(path: Path, agent: AgentSection, facts: Facts, vendors: VendorSchemas): PlacedProblem[] {
  const { tools, voice, language } = agent
  const speaker = agent.pipeline ?? agent.provider ?? answeringName(facts)
  const pipeline = facts.pipelines[speaker]
  const problems: PlacedProblem[] = []
  if (tools !== undefined && pipeline === undefined)
    problems.push(
      error(
        [...path, 'tools'],
        `${speaker} takes no tools per call: only a pipeline does`,
        `Name them in its section of providers, or let a pipeline answer.`,
      ),
    )
  if (tools?.includes('transfer_call') === true && Object.keys(facts.transfer.destinations).length === 0)
    problems.push({
      path: [...path, 'tools'],
      severity: 'warning',
      message: 'transfer_call is among the tools, and transfer.destinations names no place',
      advice: 'Name one, or take transfer_call out: without one the model is not told of it.',
    })
  if (voice !== undefined && !takesVoice(speaker, pipeline, vendors))
    problems.push(
      error(
        [...path, 'voice'],
        `${speaker} takes no voice per call: ${whoTakesVoices(vendors)}`,
        pipeline === undefined
          ? 'Set its voice in its section of providers, or let another answer.'
          : 'Set the voice in its tts, or write another pipeline.',
      ),
    )
  if (language !== undefined && pipeline !== undefined && pipeline.options.language !== '')
    problems.push(
      error(
        [...path, 'language'],
        `pipelines.${speaker}.options.language (${pipeline.options.language}) is told to its parts instead`,
        'Take one of the two out.',
      ),
    )
  return problems
}

function voicesPerCall(where: 'agent' | 'part', vendors: VendorSchemas): string[] {
  return Object.entries(vendors).flatMap(([name, schema]) => (vendorFacts(schema).voicePerCall === where ? [name] : []))
}

function whoTakesVoices(vendors: VendorSchemas): string {
  const agents = voicesPerCall('agent', vendors).join(', ')
  const parts = voicesPerCall('part', vendors).join(' or ')
  return `only ${agents} does, and a pipeline whose tts is ${parts} alone`
}

function takesVoice(speaker: string, pipeline: Pipeline | undefined, vendors: VendorSchemas): boolean {
  if (pipeline === undefined) return voicesPerCall('agent', vendors).includes(speaker)
  const able = voicesPerCall('part', vendors)
  // Those of one vendor: a voice of one is no name at another.
  const entries = Array.isArray(pipeline.tts) ? (pipeline.tts as readonly RoleEntry[]) : [pipeline.tts as RoleEntry]
  // keyed by: name of a vendor
  const names = new Set(entries.map((entry) => (typeof entry === 'string' ? entry : entry.provider)))
  const [name = ''] = names
  return names.size === 1 && able.includes(name)
}

/** Of two agents that claim the same calls by the same rule, one would never be asked. */
function sharedClaims({ agents }: Facts): PlacedProblem[] {
  return factRules.flatMap(({ patterns }) => {
    // keyed by: pattern
    const owners = new Map<string, string>()
    return Object.entries(agents).flatMap(([name, agent]) =>
      agent[patterns].flatMap((pattern, index) => {
        const owner = owners.get(pattern)
        if (owner === undefined) owners.set(pattern, name)
        if (owner === undefined) return []
        const whose = owner === name ? 'stands twice in this list' : `is claimed by agents.${owner} as well`
        return [error(['agents', name, patterns, index], `${pattern} ${whose}`, 'Take it out in one place.')]
      }),
    )
  })
}

function didYouMean(name: string, known: readonly string[], otherwise: string): string {
  const near = nearest(name, known)
  return near === undefined ? otherwise : `Did you mean ${near}?`
}

function error(path: Path, message: string, advice: string): PlacedProblem {
  return { path, severity: 'error', message, advice }
}
