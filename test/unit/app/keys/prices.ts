import type { Probe, Probes } from './probe.ts'

/** What a call costs, as its record has it. */

/** What the record of a call of a minute says that it has cost, in which 1000 characters were said. */
const costs = (look: (record: Readonly<Record<string, unknown>>) => unknown, prices: object): Partial<Probe> => ({
  name: 'stage',
  around: { prices: { providers: { stage: prices } } },
  begin: async (world) => {
    const up = await world.call()
    return async () => {
      await up.greeted()
      await up.speak()
      up.emit({ type: 'transcript', side: 'agent', final: true, text: 'x'.repeat(1000) })
      up.reply(200)
      await up.pass(400)
      world.clock.advance(up.session.told[0] === undefined ? 0 : 60_000 - (up.nowMs - up.session.told[0].atMs))
      await world.hangUp()
      const records = await world.records()
      return look(records.at(-1) ?? {})
    }
  },
})

/** Millions of tokens, each kind another number, so that a cost tells which of them it is of. */
const million = 1_000_000
const usage = {
  total_tokens: 1122 * million,
  input_tokens: 1111 * million,
  output_tokens: 11 * million,
  input_token_details: {
    text_tokens: 11 * million,
    audio_tokens: 1100 * million,
    cached_tokens: 1010 * million,
    cached_tokens_details: { text_tokens: 10 * million, audio_tokens: 1000 * million },
  },
  output_token_details: { text_tokens: million, audio_tokens: 10 * million },
}

/** What a call has cost whose one reply the Realtime API says to have taken these tokens. */
const tokens = (millions: number): Probe => ({
  name: 'openai_realtime',
  around: { active_pipeline: '', default_provider: 'openai_realtime' },
  values: [1, 2],
  shows: [millions, 2 * millions],
  seen: 'wire',
  begin: async (world) => {
    world.outside.renew({ replies: () => ({ text: 'Hello.', ms: 200, usage }) })
    const up = await world.call()
    return async () => {
      await up.pass(1000)
      await world.hangUp()
      return (await world.records()).at(-1)?.cost
    }
  },
})

export const priceProbes: Probes = {
  'prices.currency': {
    values: ['USD', 'CHF'],
    seen: 'call',
    ...costs(({ currency }) => currency, { per_call: 1 }),
  } as Probe,
  'prices.providers.*.per_call': { values: [1, 2], seen: 'call', ...costs(({ cost }) => cost, {}) } as Probe,
  'prices.providers.*.per_minute': { values: [3, 4], seen: 'call', ...costs(({ cost }) => cost, {}) } as Probe,
  'prices.providers.*.per_1000_characters': { values: [5, 6], seen: 'call', ...costs(({ cost }) => cost, {}) } as Probe,
  // What has no price of its own costs as much.
  'prices.providers.*.per_million_input_tokens': tokens(1 + 10 + 100 + 1000),
  'prices.providers.*.per_million_cached_input_tokens': tokens(10),
  'prices.providers.*.per_million_audio_input_tokens': tokens(100 + 1000),
  'prices.providers.*.per_million_cached_audio_input_tokens': tokens(1000),
  'prices.providers.*.per_million_output_tokens': tokens(1 + 10),
  'prices.providers.*.per_million_audio_output_tokens': tokens(10),
}
