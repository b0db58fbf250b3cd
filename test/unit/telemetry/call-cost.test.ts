import { describe, expect, test } from 'bun:test'
import type { TokenCounts } from '#agent/usage.ts'
import type { UsageRecord } from '#call/usage-log.ts'
import { type CostFacts, callCosts, type Prices, type ProviderPrices, sumOf } from '#telemetry/call-cost.ts'

const nothing: ProviderPrices = {
  per_call: 0,
  per_minute: 0,
  per_1000_characters: 0,
  per_million_input_tokens: 0,
  per_million_output_tokens: 0,
}
const prices: Prices = {
  currency: 'EUR',
  providers: {
    agent: { ...nothing, per_call: 0.02, per_minute: 0.075 },
    whole: { ...nothing, per_minute: 0.0058, per_1000_characters: 0.03 },
    free: nothing,
    hearing: { ...nothing, per_minute: 0.006 },
    speaking: { ...nothing, per_1000_characters: 0.03 },
    model: { ...nothing, per_million_input_tokens: 0.15, per_million_output_tokens: 0.6 },
    realtime: {
      ...nothing,
      per_million_input_tokens: 4,
      per_million_cached_input_tokens: 0.4,
      per_million_audio_input_tokens: 32,
      per_million_cached_audio_input_tokens: 0.4,
      per_million_output_tokens: 16,
      per_million_audio_output_tokens: 64,
    },
  },
}
const minute = 60_000
const facts = (over: Partial<CostFacts>): CostFacts => ({
  provider: 'agent',
  sessionMs: minute,
  spokenCharacters: 0,
  usage: [],
  ...over,
})
const tokens = (over: Partial<TokenCounts>): TokenCounts => ({
  input: 0,
  cached_input: 0,
  audio_input: 0,
  cached_audio_input: 0,
  output: 0,
  audio_output: 0,
  ...over,
})
const used = (provider: string, over: Partial<UsageRecord> = {}): UsageRecord => ({
  provider,
  audioMs: 0,
  characters: 0,
  tokens: null,
  untold: 0,
  ...over,
})
const cost = (over: Partial<CostFacts>) => {
  const items = callCosts(facts(over), prices)
  return items === null ? null : sumOf(items)
}

test.each([
  ['two and a half minutes: 0.02 + 2.5 × 0.075', 'agent', 2.5 * minute, 900, 0.2075],
  ['a second of it: 0.02 + 0.075 / 60', 'agent', 1000, 0, 0.02125],
  ['three minutes and 1,250 characters: 3 × 0.0058 + 1.25 × 0.03', 'whole', 3 * minute, 1250, 0.0549],
  ['to a millionth: 0.0058 / 3000', 'whole', 20, 0, 0.000002],
  ['prices of nothing', 'free', 5 * minute, 5000, 0],
  ['a session that was never opened', 'agent', 0, 0, 0],
  ['a provider that has no prices', 'local', 5 * minute, 5000, null],
  ['a provider by the name of what every object has', 'constructor', 5 * minute, 5000, null],
])('%s', (_name, provider, sessionMs, spokenCharacters, expected) => {
  expect(cost({ provider, sessionMs, spokenCharacters })).toBe(expected)
})

describe('tokens', () => {
  const all = tokens({
    input: 1000,
    cached_input: 2000,
    audio_input: 3000,
    cached_audio_input: 4000,
    output: 500,
    audio_output: 6000,
  })

  test('of a realtime model, each kind by its price', () => {
    // 1000 × 4 + 2000 × 0.4 + 3000 × 32 + 4000 × 0.4 + 500 × 16 + 6000 × 64 = 494,400 millionths.
    expect(cost({ provider: 'realtime', usage: [used('realtime', { tokens: all })] })).toBe(0.4944)
  })

  test('where a kind has no price of its own, by that of text', () => {
    // 10,000 × 0.15 + 6500 × 0.6 = 5400 millionths.
    expect(cost({ provider: 'model', usage: [used('model', { tokens: all })] })).toBe(0.0054)
  })

  test('that are not told cost nothing that anybody knows', () => {
    expect(cost({ provider: 'model', usage: [used('model', { untold: 3 })] })).toBe(0)
  })
})

describe('a pipeline', () => {
  const parts = [
    used('hearing', { audioMs: 2 * minute }),
    used('model', { tokens: tokens({ input: 2_000_000, output: 100_000 }) }),
    used('speaking', { characters: 500 }),
    used('unpriced', { characters: 500 }),
  ]

  test('has the prices of its parts, each by the name of its provider', () => {
    const items = callCosts(facts({ provider: 'front', sessionMs: 5 * minute, usage: parts }), prices)
    expect(items).toEqual([
      { provider: 'hearing', cost: 0.012 },
      { provider: 'model', cost: 0.36 },
      { provider: 'speaking', cost: 0.015 },
    ])
    expect(sumOf(items ?? [])).toBe(0.387)
  })

  test('that has prices of its own is priced as a whole by these, and its tokens by the name of the model', () => {
    expect(callCosts(facts({ provider: 'whole', sessionMs: minute, usage: parts }), prices)).toEqual([
      { provider: 'whole', cost: 0.0058 },
      { provider: 'hearing', cost: 0 },
      { provider: 'model', cost: 0.36 },
      { provider: 'speaking', cost: 0 },
    ])
  })

  test('of parts without prices has no cost', () => {
    expect(callCosts(facts({ provider: 'front', usage: [used('unpriced')] }), prices)).toBeNull()
  })
})
