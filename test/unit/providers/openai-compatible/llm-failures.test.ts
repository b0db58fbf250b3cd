import { afterEach, describe, expect, test } from 'bun:test'
import { bench, callerWords, cleanAllUp, clock, textOf, until } from './llm-bench.ts'

afterEach(cleanAllUp)

describe('failures', () => {
  test('no first word in time: a timeout, after that time, and no second attempt', async () => {
    for (const script of [{ neverAnswers: true }, { stall: true }, { reasoning: 'thinking', stall: true }]) {
      const { server, ask } = await bench(script, { first_token_timeout_ms: 120 })
      const began = clock.now()
      expect(await ask()).toMatchObject({ type: 'fault', code: 'timeout', retryable: true })
      expect(clock.now() - began).toBeGreaterThanOrEqual(115)
      expect(clock.now() - began).toBeLessThan(600)
      expect(server.requests).toHaveLength(1)
    }
  })

  test('an answer that does not end: a timeout, after the words that came', async () => {
    const { events, ask } = await bench(
      { pieces: ['One '], stall: true },
      { first_token_timeout_ms: 100, total_timeout_ms: 500 },
    )
    expect(await ask()).toMatchObject({ type: 'fault', code: 'timeout' })
    expect(textOf(events)).toBe('One ')
  })

  test.each([
    [500, {}, 'server_error'],
    [503, { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } }, 'server_error'],
    [429, { error: { message: `you said: ${callerWords}` } }, 'rate_limited'],
  ])('%i is tried once more, then it is a fault', async (status, body, code) => {
    const { server, ask } = await bench({ status, body })
    expect(await ask()).toMatchObject({ type: 'fault', code, retryable: true })
    expect(server.requests).toHaveLength(2)
  })

  test('a server that asks for more time than there is until the first word is not waited for', async () => {
    const busy = { status: 429, headers: { 'retry-after': '60' }, body: {} }
    const { server, ask } = await bench(busy, { first_token_timeout_ms: 5000 })
    const began = clock.now()
    expect(await ask()).toMatchObject({ type: 'fault', code: 'rate_limited', retryable: true })
    expect([server.requests.length, clock.now() - began < 2500]).toEqual([1, true])
  })

  test('a second attempt that succeeds is just an answer', async () => {
    for (const first of [
      { status: 500 },
      { midStreamError: { message: 'oops' } },
      { pieces: [] },
      { noFinishReason: true, noDone: true },
    ]) {
      const { server, events, ask } = await bench((_, index) => (index === 0 ? first : { pieces: ['Fine.'] }))
      expect(await ask()).toEqual({ type: 'done' })
      expect(events.map(({ type }) => type)).toEqual(['text', 'done'])
      expect(server.requests).toHaveLength(2)
    }
  })

  test('once a word is out, nothing is tried again', async () => {
    for (const ending of [{ midStreamError: { message: 'oops' } }, { noFinishReason: true, noDone: true }]) {
      const { server, events, ask } = await bench({ pieces: ['Well, '], ...ending })
      expect(await ask()).toMatchObject({ type: 'fault', retryable: true })
      expect(textOf(events)).toBe('Well, ')
      expect(server.requests).toHaveLength(1)
    }
  })

  test.each([
    [401, { error: { message: 'Incorrect API key: sk-1234' } }, 'unauthorized'],
    [404, { error: { message: 'model not found' } }, 'model_not_found'],
    [400, { error: { message: `cannot parse: ${callerWords}` } }, 'bad_request'],
  ])('%i is not tried again, and says neither key nor words', async (status, body, code) => {
    const { server, logged, ask } = await bench({ status, body }, { api_key_env: 'KEY' }, { KEY: 'sk-1234' })
    const fault = await ask()
    expect(fault).toMatchObject({ type: 'fault', code, retryable: false })
    expect(server.requests).toHaveLength(1)
    expect(server.requests[0]?.authorization).toBe('Bearer sk-1234')
    expect(JSON.stringify(fault) + logged.join()).not.toMatch(/sk-1234|4711/)
  })

  test('a parameter that the server refuses is renamed, once for all sessions', async () => {
    const refusal = {
      status: 400,
      body: { error: { message: 'use max_completion_tokens', param: 'max_tokens', code: 'unsupported_parameter' } },
    }
    const { server, ask } = await bench(({ body }) => ('max_tokens' in body ? refusal : { pieces: ['Yes.'] }))
    expect(await ask()).toEqual({ type: 'done' })
    expect(await ask()).toEqual({ type: 'done' })
    expect(server.requests.map(({ body }) => 'max_tokens' in body)).toEqual([true, false, false])
  })

  test('a server that is gone: unreachable, and readiness follows', async () => {
    const { server, llm, ask } = await bench({ pieces: ['Yes.'] })
    await server.close()
    expect(await ask()).toMatchObject({ type: 'fault', code: 'unreachable', retryable: true })
    await until(() => !llm.readiness().ready)
  })
})
