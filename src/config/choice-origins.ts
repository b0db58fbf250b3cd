import type { Choice, ChosenValue } from '#call/choice.ts'
import { factRules } from '#call/route.ts'
import type { Loaded } from './load.ts'
import type { VendorSchemas } from './schema.ts'
import { mask } from './secrets.ts'
import { dotted, type Path } from './tree.ts'

/** Why a call is given what it is given, in words that lead to the line of the file where it can be changed. */
export interface ExplainedValue {
  readonly name: 'agent' | ChosenValue
  /** As it may be shown: shortened; what came out of a variable is masked. */
  readonly value: string
  readonly from: string
}

type Source = Pick<Loaded<VendorSchemas>, 'configuration' | 'fromEnvironment' | 'placeOf'>

export function explainChoice(choice: Choice, source: Source, file: string): ExplainedValue[] {
  const { provider, greeting, prompt, language, voice, tools, facts } = choice
  const { active_pipeline: pipeline } = source.configuration
  const shared: Partial<Record<ChosenValue, Path>> = {
    provider: [pipeline === '' ? 'default_provider' : 'active_pipeline'],
    greeting: ['llm', 'initial_greeting'],
    prompt: ['llm', 'prompt'],
    language: ['language'],
  }
  const own = Object.hasOwn(source.configuration.pipelines, provider) ? source.configuration.pipelines[provider] : null
  const explained = (name: ChosenValue, value: unknown): ExplainedValue => {
    const path = pathOf(name, choice, source, shared)
    const hidden = path !== null && isOfVariable(path, source)
    return {
      name,
      value: value === null ? 'its own' : hidden ? mask : shortened(value),
      from: path === null ? wordsOf(name, choice) : place(path, source, file),
    }
  }
  return [
    { name: 'agent', value: facts.agent ?? 'none', from: routeWords(choice, source, file) },
    explained('provider', provider),
    explained('greeting', greeting),
    explained('prompt', prompt),
    own && own.options.language !== ''
      ? ofPipeline('language', provider, ['options', 'language'], own.options.language, source, file)
      : explained('language', language),
    explained('voice', voice),
    own && tools === null
      ? ofPipeline('tools', provider, ['tools'], own.tools, source, file)
      : explained('tools', tools),
  ]
}

/** What a pipeline says for all of its calls, whatever is said beside it. */
function ofPipeline(
  name: ChosenValue,
  pipeline: string,
  key: Path,
  value: unknown,
  source: Source,
  file: string,
): ExplainedValue {
  const path = ['pipelines', pipeline, ...key]
  return { name, value: isOfVariable(path, source) ? mask : shortened(value), from: place(path, source, file) }
}

/** The key that says it; null where the dialplan does, or the provider. */
function pathOf(
  name: ChosenValue,
  { facts }: Choice,
  { configuration }: Source,
  shared: Partial<Record<ChosenValue, Path>>,
): Path | null {
  const origin = facts.origins[name]
  if (origin === 'default') return shared[name] ?? null
  if (origin !== 'agent' || facts.agent === null) return null
  const isPipeline = name === 'provider' && configuration.agents[facts.agent]?.pipeline !== undefined
  return ['agents', facts.agent, isPipeline ? 'pipeline' : name]
}

function wordsOf(name: ChosenValue, { facts, provider }: Choice): string {
  const origin = facts.origins[name]
  if (origin === 'argument') return 'an argument of Stasis()'
  return origin === 'variable' ? 'a variable of the channel' : `as ${provider} has it`
}

function routeWords({ facts: { agent, route } }: Choice, source: Source, file: string): string {
  const { rule, value, pattern } = route
  if (rule === 'argument') return 'an argument of Stasis()'
  if (rule === 'variable') return 'a variable of the channel'
  const patterns = factRules.find((each) => each.rule === rule)?.patterns
  if (agent === null || patterns === undefined || pattern === null) return 'no agent claims this call'
  const index = source.configuration.agents[agent]?.[patterns].indexOf(pattern) ?? -1
  const fits = pattern === value ? `${rule} ${value}` : `${rule} ${value} fits ${pattern}`
  return `${fits}: ${place(['agents', agent, patterns, index], source, file)}`
}

function place(path: Path, source: Source, file: string): string {
  const key = dotted(path)
  const found = source.placeOf(path)
  const where = found === null ? '' : `, ${file}:${found.line}`
  if (isOfVariable(path, source)) return `${key}, out of the environment${where}`
  return found === null ? `${key}, by default` : `${key}${where}`
}

function isOfVariable(path: Path, { fromEnvironment }: Source): boolean {
  return fromEnvironment.includes(dotted(path))
}

const shownMax = 60

function shortened(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(', ')
  const text = String(value).replace(/\s+/g, ' ')
  if (text === '') return 'none'
  return text.length > shownMax ? `${text.slice(0, shownMax - 1)}…` : text
}
