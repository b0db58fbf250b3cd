import { afterEach, describe, expect, test } from 'bun:test'
import * as v from 'valibot'
import type { LlmEvent } from '#agent/provider.ts'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { createOpenAiCompatibleLlm } from '#providers/openai-compatible/llm.ts'
import { openAiCompatibleOptions } from '#providers/openai-compatible/options.ts'
import { commonDialect, dialectAfter } from '#providers/openai-compatible/request-wire.ts'
import { tokensOf } from '#providers/openai-compatible/usage-wire.ts'
import { callContext } from '../../../fakes/context.ts'
import { ManualClock } from '../../../fakes/manual-clock.ts'
import { OpenAiCompatibleServer, type Script, type ScriptedAnswer } from '../../../fakes/openai-compatible-server.ts'

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function bench(script: Script | ScriptedAnswer) {
  const server = new OpenAiCompatibleServer(script)
  const clock = new ManualClock()
  const options = v.parse(openAiCompatibleOptions, { base_url: server.baseUrl })
  const llm = createOpenAiCompatibleLlm(options, { clock, random: seededRandom(1), log: silentLog, secrets: {} })
  cleanups.push(
    () => server.close(),
    () => llm.close(),
  )
  llm.start()
  while (!llm.readiness().ready) {
    await Bun.sleep(1)
    clock.advance(10)
  }
  const open = async () => {
    const session = await llm.open(callContext(clock))
    const events: LlmEvent[] = []
    session.onEvent((event) => void events.push(event))
    const until = async (type: LlmEvent['type']) => {
      // Time passes as fast as it can: what is waited for is a pause before another attempt.
      while (!events.some((event) => event.type === type)) {
        await Bun.sleep(1)
        clock.advance(10)
      }
    }
    const ask = async () => {
      events.length = 0
      session.send({ type: 'generate', messages: [{ role: 'user', content: 'Are you open?' }] })
      await until('done')
      return events.filter((event) => event.type === 'usage')
    }
    return { session, events, until, ask }
  }
  return { server, open, ...(await open()) }
}

const nothing = { input: 0, cached_input: 0, audio_input: 0, cached_audio_input: 0, output: 0, audio_output: 0 }

describe('what an answer has taken', () => {
  test('is asked for, and told once, before its end', async () => {
    const usage = { prompt_tokens: 120, completion_tokens: 9, prompt_tokens_details: { cached_tokens: 100 } }
    const { server, ask, events } = await bench({ pieces: ['Yes, ', 'we are.'], usage })
    expect(await ask()).toEqual([{ type: 'usage', tokens: { ...nothing, input: 20, cached_input: 100, output: 9 } }])
    expect(events.map(({ type }) => type).slice(-2)).toEqual(['usage', 'done'])
    expect(server.requests[0]?.body.stream_options).toEqual({ include_usage: true })
  })

  test('by a server that does not stream', async () => {
    const { ask } = await bench({ pieces: ['Yes.'], whole: true })
    expect(await ask()).toEqual([{ type: 'usage', tokens: null }])
  })

  test('is not made up where it is not told, or makes no sense', async () => {
    for (const usage of [null, {}, { prompt_tokens: 'many' }, { prompt_tokens: 3 }]) {
      const { ask } = await bench({ pieces: ['Yes.'], usage })
      expect(await ask()).toEqual([{ type: 'usage', tokens: null }])
    }
  })

  test('of one that is broken off, or breaks off: nobody knows', async () => {
    const cut = await bench({ pieces: ['Well, '], stall: true })
    cut.session.send({ type: 'generate', messages: [{ role: 'user', content: 'Hi.' }] })
    await cut.until('text')
    cut.session.send({ type: 'cancel' })
    expect(cut.events.filter(({ type }) => type === 'usage')).toEqual([{ type: 'usage', tokens: null }])
    const broken = await bench({ pieces: ['Well, '], midStreamError: { message: 'oops' } })
    broken.session.send({ type: 'generate', messages: [{ role: 'user', content: 'Hi.' }] })
    await broken.until('fault')
    expect(broken.events.filter(({ type }) => type === 'usage')).toEqual([{ type: 'usage', tokens: null }])
  })

  test('of one that was refused, and of one that never began: nothing', async () => {
    const refused = await bench({ status: 401, body: {} })
    refused.session.send({ type: 'generate', messages: [{ role: 'user', content: 'Hi.' }] })
    await refused.until('fault')
    const silent = await bench({ neverAnswers: true })
    silent.session.send({ type: 'generate', messages: [{ role: 'user', content: 'Hi.' }] })
    await Bun.sleep(5)
    silent.session.send({ type: 'cancel' })
    for (const { events } of [refused, silent]) expect(events.filter(({ type }) => type === 'usage')).toEqual([])
  })

  test('with every attempt that has answered', async () => {
    const { ask } = await bench((_, index) =>
      index === 0 ? { midStreamError: { message: 'oops', code: 500 } } : { pieces: ['Yes.'] },
    )
    expect(await ask()).toEqual([
      { type: 'usage', tokens: null },
      { type: 'usage', tokens: { ...nothing, input: 1, output: 1 } },
    ])
  })
})

describe('a server that does not know stream_options', () => {
  const error = { message: 'Unrecognized request argument supplied: stream_options', param: null }
  const refusal = { status: 400, body: { error } }

  test('is asked again without, and from then on by every session', async () => {
    const { server, open, ask } = await bench(({ body }) => ('stream_options' in body ? refusal : { pieces: ['Yes.'] }))
    expect(await ask()).toEqual([{ type: 'usage', tokens: null }])
    await (await open()).ask()
    expect(server.requests.map(({ body }) => 'stream_options' in body)).toEqual([true, false, false])
  })

  test('and other parameters: each is left out in turn', async () => {
    const { server, ask } = await bench(({ body }) => {
      if ('stream_options' in body) return refusal
      if ('temperature' in body) return { status: 400, body: { error: { message: 'no temperature' } } }
      if ('max_tokens' in body) return { status: 400, body: { error: { message: 'no', param: 'max_tokens' } } }
      return { pieces: ['Yes.'] }
    })
    await ask()
    await ask()
    expect(server.requests).toHaveLength(5)
  })

  test('and refuses whatever is left out: is asked so often at most', async () => {
    const { server, session, until } = await bench(refusal)
    session.send({ type: 'generate', messages: [{ role: 'user', content: 'Hi.' }] })
    await until('fault')
    expect(server.requests).toHaveLength(2)
  })

  test.each([
    [400, '{"error":{"message":"Unrecognized request argument supplied: stream_options","param":null}}'],
    [400, '{"error":{"message":"Unknown parameter","param":"stream_options.include_usage"}}'],
    [400, '{"error":"unknown field \\"stream_options\\""}'],
    [422, '{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Not permitted"}]}'],
  ])('%i %s', (status, body) => {
    const learnt = dialectAfter(status, body, commonDialect)
    expect(learnt).toEqual({ ...commonDialect, usage: false })
    expect(dialectAfter(status, body, learnt ?? commonDialect)).toBeUndefined()
  })
})

test('each token is counted once', () => {
  expect(
    tokensOf({
      prompt_tokens: 100,
      completion_tokens: 50,
      prompt_tokens_details: { cached_tokens: 60, audio_tokens: 30 },
      completion_tokens_details: { audio_tokens: 40, reasoning_tokens: 5 },
    }),
  ).toEqual({ input: 10, cached_input: 60, audio_input: 30, cached_audio_input: 0, output: 10, audio_output: 40 })
  expect(tokensOf({ prompt_tokens: 7, completion_tokens: 0, prompt_tokens_details: null })).toEqual({
    ...nothing,
    input: 7,
  })
  const broken = { prompt_tokens_details: { cached_tokens: -1 } }
  for (const usage of [
    null,
    { prompt_tokens: -1, completion_tokens: 2 },
    { prompt_tokens: 1, completion_tokens: Number.POSITIVE_INFINITY },
    { prompt_tokens: 1.5, completion_tokens: 2 },
    { prompt_tokens: 5, completion_tokens: 2, ...broken },
  ]) {
    expect(tokensOf(usage)).toBeNull()
  }
})
