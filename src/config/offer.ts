import type { AgentTerms, Offer } from '#call/choice.ts'
import type { AgentSection } from './agent-schema.ts'
import { vendorFacts } from './pipeline-schema.ts'
import { answeringName, type Configuration, type VendorSchemas } from './schema.ts'

/** What a configuration offers to calls, and which providers these may go to. */
export function offerOf(configuration: Configuration, vendors: VendorSchemas): Offer {
  const { agents, providers, pipelines, llm, language } = configuration
  return {
    agents: Object.fromEntries(Object.entries(agents).map(([name, agent]) => [name, termsOf(agent)])),
    providers: Object.entries(providers).flatMap(([name, { enabled }]) =>
      enabled && isAgent(name, vendors) ? [name] : [],
    ),
    pipelines: Object.keys(pipelines),
    provider: answeringName(configuration),
    greeting: llm.initial_greeting,
    prompt: llm.prompt,
    language,
  }
}

/** It can answer a call by itself. */
export function isAgent(name: string, vendors: VendorSchemas): boolean {
  const schema = vendors[name]
  return schema !== undefined && (vendorFacts(schema).isAgent ?? true)
}

/** Who answers calls that ask for nothing, whoever agents name, and who takes over: what is loaded from the start. Each once. */
export function namesInUse(configuration: Configuration): string[] {
  const named = Object.values(configuration.agents).flatMap(({ pipeline, provider }) => pipeline ?? provider ?? [])
  const { provider_minutes_per_day: minutes, fallback_provider: fallback } = configuration.limits
  const takesOver = minutes > 0 && fallback !== '' ? [fallback] : []
  return [...new Set([answeringName(configuration), ...named, ...takesOver])]
}

function termsOf(agent: AgentSection): AgentTerms {
  const { greeting, prompt, voice, language, pipeline, provider, tools, dids, extensions, contexts, callers } = agent
  return {
    greeting: greeting ?? null,
    prompt: prompt ?? null,
    voice: voice ?? null,
    language: language ?? null,
    provider: pipeline ?? provider ?? null,
    tools: tools ?? null,
    dids,
    extensions,
    contexts,
    callers,
  }
}
