import { type TokenCounts, type TokenKind, tokenKinds } from '#agent/usage.ts'
import type { CallFacts } from '#call/observer.ts'
import type { UsageRecord } from '#call/usage-log.ts'

/**
 * What a call has cost, estimated by the prices in the configuration. Pure.
 *
 * Who answered, by their own name: `per_call` + `per_minute` × minutes that the session was open + `per_1000_characters` ×
 * characters that the agent said / 1000. Each part of a pipeline, by its vendor's: the tokens of its model; and where the
 * pipeline itself has no prices, `per_call`, `per_minute` × minutes of sound that it was given to hear, and
 * `per_1000_characters` × characters that it was given to say / 1000.
 *
 * Vendors round up, to the second or to the minute, each in its own way; here nothing is rounded up. Tokens that a vendor
 * does not tell are not in it.
 */
export interface Prices {
  /** Such as EUR. */
  readonly currency: string
  readonly providers: Readonly<Record<string, ProviderPrices>>
}

export interface ProviderPrices {
  readonly per_call: number
  readonly per_minute: number
  readonly per_1000_characters: number
  /** Of text; without a price of its own, what is cached or audio costs as much. */
  readonly per_million_input_tokens: number
  readonly per_million_cached_input_tokens?: number | undefined
  readonly per_million_audio_input_tokens?: number | undefined
  readonly per_million_cached_audio_input_tokens?: number | undefined
  readonly per_million_output_tokens: number
  readonly per_million_audio_output_tokens?: number | undefined
}

export type CostFacts = Pick<CallFacts, 'provider' | 'sessionMs' | 'spokenCharacters' | 'usage'>

export interface CostItem {
  readonly provider: string
  /** In the currency of the prices, to a millionth. */
  readonly cost: number
}

/** What each provider has cost; null where none of them has prices. A call without a session cost nothing. */
export function callCosts(facts: CostFacts, prices: Prices): readonly CostItem[] | null {
  const own = pricesOf(facts.provider, prices)
  const parts = facts.usage.flatMap((used) => {
    const found = pricesOf(used.provider, prices)
    return found === undefined ? [] : [{ used, found }]
  })
  if (own === undefined && parts.length === 0) return null
  // keyed by: name of a provider
  const sums = new Map<string, number>()
  const add = (provider: string, cost: number) => sums.set(provider, (sums.get(provider) ?? 0) + cost)
  if (own !== undefined) add(facts.provider, facts.sessionMs === 0 ? 0 : sessionCost(facts, own))
  for (const { used, found } of parts)
    add(used.provider, tokenCost(used.tokens, found) + (own === undefined ? partCost(used, found) : 0))
  return [...sums].map(([provider, cost]) => ({ provider, cost: toMillionth(cost) }))
}

export function sumOf(items: readonly CostItem[]): number {
  return toMillionth(items.reduce((sum, { cost }) => sum + cost, 0))
}

function pricesOf(provider: string, { providers }: Prices): ProviderPrices | undefined {
  return Object.hasOwn(providers, provider) ? providers[provider] : undefined
}

function sessionCost({ sessionMs, spokenCharacters }: CostFacts, prices: ProviderPrices): number {
  return byUse(sessionMs, spokenCharacters, prices)
}

function partCost({ audioMs, characters }: UsageRecord, prices: ProviderPrices): number {
  return byUse(audioMs, characters, prices)
}

function byUse(durationMs: number, characters: number, prices: ProviderPrices): number {
  const { per_call: call, per_minute: minute, per_1000_characters: thousand } = prices
  return call + (minute * durationMs) / 60_000 + (thousand * characters) / 1000
}

function tokenCost(tokens: TokenCounts | null, prices: ProviderPrices): number {
  if (tokens === null) return 0
  const each = perMillion(prices)
  return tokenKinds.reduce((sum, kind) => sum + tokens[kind] * each[kind], 0) / 1e6
}

function perMillion(prices: ProviderPrices): Record<TokenKind, number> {
  const input = prices.per_million_input_tokens
  const audioInput = prices.per_million_audio_input_tokens ?? input
  const output = prices.per_million_output_tokens
  return {
    input,
    cached_input: prices.per_million_cached_input_tokens ?? input,
    audio_input: audioInput,
    cached_audio_input: prices.per_million_cached_audio_input_tokens ?? audioInput,
    output,
    audio_output: prices.per_million_audio_output_tokens ?? output,
  }
}

function toMillionth(cost: number): number {
  return Math.round(cost * 1e6) / 1e6
}
