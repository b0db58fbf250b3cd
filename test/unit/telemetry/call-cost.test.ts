import { expect, test } from 'bun:test'
import { callCost, type Prices } from '#telemetry/call-cost.ts'

const prices: Prices = {
  currency: 'EUR',
  providers: {
    agent: { per_call: 0.02, per_minute: 0.075, per_1000_characters: 0 },
    parts: { per_call: 0, per_minute: 0.0058, per_1000_characters: 0.03 },
    free: { per_call: 0, per_minute: 0, per_1000_characters: 0 },
  },
}
const minute = 60_000

test.each([
  ['two and a half minutes: 0.02 + 2.5 × 0.075', 'agent', 2.5 * minute, 900, 0.2075],
  ['a second of it: 0.02 + 0.075 / 60', 'agent', 1000, 0, 0.02125],
  ['three minutes and 1,250 characters: 3 × 0.0058 + 1.25 × 0.03', 'parts', 3 * minute, 1250, 0.0549],
  ['to a millionth: 0.0058 / 3000', 'parts', 20, 0, 0.000002],
  ['prices of nothing', 'free', 5 * minute, 5000, 0],
  ['a session that was never opened', 'agent', 0, 0, 0],
  ['a provider that has no prices', 'local', 5 * minute, 5000, null],
  ['a provider by the name of what every object has', 'constructor', 5 * minute, 5000, null],
])('%s', (_name, provider, sessionMs, spokenCharacters, expected) => {
  expect(callCost({ provider, sessionMs, spokenCharacters }, prices)).toBe(expected)
})
