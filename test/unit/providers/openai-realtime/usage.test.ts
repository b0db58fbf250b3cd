import { describe, expect, test } from 'bun:test'
import { tokensOf, usageOf } from '#providers/openai-realtime/usage-wire.ts'
import { RealtimeBench } from '../../../fakes/realtime-standin.ts'

const nothing = { input: 0, cached_input: 0, audio_input: 0, cached_audio_input: 0, output: 0, audio_output: 0 }

describe('what a response has taken', () => {
  test('each token is counted once', () => {
    const input_token_details = {
      text_tokens: 300,
      audio_tokens: 700,
      cached_tokens: 640,
      cached_tokens_details: { text_tokens: 128, audio_tokens: 512 },
    }
    const output_token_details = { text_tokens: 30, audio_tokens: 120 }
    const usage = {
      total_tokens: 1150,
      input_tokens: 1000,
      output_tokens: 150,
      input_token_details,
      output_token_details,
    }
    expect(tokensOf(usage)).toEqual({
      input: 172,
      cached_input: 128,
      audio_input: 188,
      cached_audio_input: 512,
      output: 30,
      audio_output: 120,
    })
  })

  test('without details it is text', () => {
    expect(tokensOf({ input_tokens: 10, output_tokens: 2 })).toEqual({ ...nothing, input: 10, output: 2 })
    const cached = { input_tokens: 10, output_tokens: 2, input_token_details: { cached_tokens: 4 } }
    expect(tokensOf(cached)).toEqual({ ...nothing, input: 6, cached_input: 4, output: 2 })
  })

  test.each([
    { input_tokens: -1, output_tokens: 2 },
    { input_tokens: 1, output_tokens: Number.POSITIVE_INFINITY },
    { input_tokens: 9, output_tokens: 2, input_token_details: { cached_tokens: -4 } },
    { input_tokens: 9, output_tokens: 2, output_token_details: { audio_tokens: 0.5 } },
  ])('what are no numbers of tokens say nothing: %j', (usage) => {
    expect(tokensOf(usage)).toBeNull()
  })

  test('that is not told is not made up; of one that failed there is nothing to tell', () => {
    expect([tokensOf(null), tokensOf({ total_tokens: 5 })]).toEqual([null, null])
    expect(usageOf({ status: 'cancelled', tokens: null })).toEqual([{ type: 'usage', tokens: null }])
    expect(usageOf({ status: 'failed', tokens: null })).toEqual([])
  })
})

test('a session tells it of each response, also of one that nobody hears', async () => {
  const bench = await new RealtimeBench({
    standin: { replies: [{ text: 'A long answer.', ms: 3000 }], pace: 1 },
  }).open()
  bench.send({ type: 'say', text: 'Hello.' })
  await bench.pass(1000)
  bench.send({ type: 'say', text: 'Never mind.' })
  await bench.pass(3000)
  const told = bench.of('usage')
  expect(told.length).toBe(2)
  for (const { tokens } of told) expect(tokens?.input).toBeGreaterThan(0)
})
