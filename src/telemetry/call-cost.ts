import type { CallFacts } from '#call/observer.ts'

/**
 * What a call has cost, estimated by the prices in the configuration: `per_call` + `per_minute` × minutes that the
 * provider's session was open + `per_1000_characters` × characters that the agent said / 1000. Vendors round up, to the
 * second or to the minute, each in its own way; here nothing is rounded up. The tokens of language models are not in it:
 * the engine does not learn how many there were from every vendor. Pure.
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
}

export type CostFacts = Pick<CallFacts, 'provider' | 'sessionMs' | 'spokenCharacters'>

/** In `currency`, to a millionth; null where there are no prices for the provider. A call without a session cost nothing. */
export function callCost({ provider, sessionMs, spokenCharacters }: CostFacts, { providers }: Prices): number | null {
  const prices = Object.hasOwn(providers, provider) ? providers[provider] : undefined
  if (prices === undefined) return null
  if (sessionMs === 0) return 0
  const cost =
    prices.per_call + (prices.per_minute * sessionMs) / 60_000 + (prices.per_1000_characters * spokenCharacters) / 1000
  return Math.round(cost * 1e6) / 1e6
}
