import { failed, ok, type Result } from '#base/result.ts'
import { defaultRoute, noFacts, type Route, type RouteFacts, type RoutePatterns, routeOf } from './route.ts'

/**
 * What one call is given: its agent, who speaks for it, and what that is told; each with where it comes from. What the
 * dialplan says of this one call wins over the agent's section, and that over what is said for all. The engine and
 * `patchcord explain` ask here alike.
 */

/** What the dialplan may say about one call; empty where it says nothing. */
export const wishNames = ['agent', 'provider', 'pipeline', 'greeting', 'prompt'] as const
export type WishName = (typeof wishNames)[number]
export type Wish = Readonly<Record<WishName, string>>

export const noWish: Wish = { agent: '', provider: '', pipeline: '', greeting: '', prompt: '' }

export interface CallWishes {
  /** Arguments of `Stasis()`, and channel variables. */
  readonly argument: Wish
  readonly variable: Wish
  readonly facts: RouteFacts
}

export const noWishes: CallWishes = { argument: noWish, variable: noWish, facts: noFacts }

/** An agent's section; null where it leaves a thing to what is said for all. */
export interface AgentTerms extends RoutePatterns {
  readonly greeting: string | null
  readonly prompt: string | null
  readonly voice: string | null
  readonly language: string | null
  /** A provider's name, or a pipeline's. */
  readonly provider: string | null
  readonly tools: readonly string[] | null
}

/** What a configuration has for calls to choose from, and what they have without a choice. */
export interface Offer {
  /** By their names. */
  readonly agents: Readonly<Record<string, AgentTerms>>
  readonly providers: readonly string[]
  readonly pipelines: readonly string[]
  /** What answers where nothing else is said: a provider's name, or a pipeline's. */
  readonly provider: string
  readonly greeting: string
  readonly prompt: string
  readonly language: string
}

/** Where a value comes from: the dialplan, the agent's section, or what the configuration says for all calls. */
export type Origin = 'argument' | 'variable' | 'agent' | 'default'
export const chosenValues = ['provider', 'greeting', 'prompt', 'language', 'voice', 'tools'] as const
export type ChosenValue = (typeof chosenValues)[number]

/** Why a call has what it has; the same in its record and in `patchcord explain`. */
export interface ChoiceFacts {
  /** Null: what is said for all. */
  readonly agent: string | null
  readonly route: Route
  readonly origins: Readonly<Record<ChosenValue, Origin>>
}

export interface Choice {
  readonly facts: ChoiceFacts
  /** A provider's name, or a pipeline's. */
  readonly provider: string
  readonly greeting: string
  readonly prompt: string
  readonly language: string
  /** Null: the provider's own. */
  readonly voice: string | null
  readonly tools: readonly string[] | null
}

/** The dialplan asks for what there is not. */
export interface UnknownName {
  readonly kind: 'agent' | 'provider' | 'pipeline'
  readonly name: string
  readonly origin: 'argument' | 'variable'
  readonly known: readonly string[]
}

export const defaultChoice: ChoiceFacts = {
  agent: null,
  route: defaultRoute,
  origins: {
    provider: 'default',
    greeting: 'default',
    prompt: 'default',
    language: 'default',
    voice: 'default',
    tools: 'default',
  },
}

const wishOrigins = ['argument', 'variable'] as const

export function choose(wishes: CallWishes, offer: Offer): Result<Choice, UnknownName> {
  const unknown = unknownName(wishes, offer)
  if (unknown !== null) return failed(unknown)
  const { agent, route } = agentOf(wishes, offer)
  const terms = agent === null ? undefined : offer.agents[agent]
  const provider = providerOf(wishes, terms ?? null, offer)
  const greeting = wished('greeting', wishes) ?? of(terms?.greeting, offer.greeting)
  const prompt = wished('prompt', wishes) ?? of(terms?.prompt, offer.prompt)
  const language = of(terms?.language, offer.language)
  // They were checked against what the agent names: another provider may have no such voice, and no such tools.
  const own = provider.origin === 'agent' || provider.origin === 'default' ? terms : undefined
  const voice = of<string | null>(own?.voice, null)
  const tools = of<readonly string[] | null>(own?.tools, null)
  return ok({
    facts: {
      agent,
      route,
      origins: {
        provider: provider.origin,
        greeting: greeting.origin,
        prompt: prompt.origin,
        language: language.origin,
        voice: voice.origin,
        tools: tools.origin,
      },
    },
    provider: provider.value,
    greeting: greeting.value,
    prompt: prompt.value,
    language: language.value,
    voice: voice.value,
    tools: tools.value,
  })
}

interface Chosen<Value> {
  readonly value: Value
  readonly origin: Origin
}

function of<Value>(own: Value | null | undefined, shared: Value): Chosen<Value> {
  return own === null || own === undefined ? { value: shared, origin: 'default' } : { value: own, origin: 'agent' }
}

function wished(name: WishName, wishes: CallWishes): Chosen<string> | null {
  const origin = wishOrigins.find((each) => wishes[each][name] !== '')
  return origin === undefined ? null : { value: wishes[origin][name], origin }
}

function unknownName(wishes: CallWishes, offer: Offer): UnknownName | null {
  const known = { agent: Object.keys(offer.agents), provider: offer.providers, pipeline: offer.pipelines }
  for (const kind of ['agent', 'provider', 'pipeline'] as const) {
    const asked = wished(kind, wishes)
    if (asked === null || known[kind].includes(asked.value)) continue
    const origin = asked.origin === 'argument' ? 'argument' : 'variable'
    return { kind, name: asked.value, origin, known: known[kind] }
  }
  return null
}

function agentOf(wishes: CallWishes, offer: Offer): { readonly agent: string | null; readonly route: Route } {
  const asked = wished('agent', wishes)
  if (asked === null) return routeOf(wishes.facts, offer.agents)
  const rule = asked.origin === 'argument' ? 'argument' : 'variable'
  return { agent: asked.value, route: { rule, value: asked.value, pattern: null } }
}

/** Where both are named in one place the pipeline answers, as `active_pipeline` wins over `default_provider`. */
function providerOf(wishes: CallWishes, terms: AgentTerms | null, offer: Offer): Chosen<string> {
  for (const origin of wishOrigins) {
    const { pipeline, provider } = wishes[origin]
    const value = pipeline === '' ? provider : pipeline
    if (value !== '') return { value, origin }
  }
  return of(terms?.provider, offer.provider)
}
