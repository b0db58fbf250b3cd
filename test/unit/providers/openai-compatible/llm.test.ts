import { afterEach, describe, expect, test } from 'bun:test'
import * as v from 'valibot'
import { seededRandom } from '#base/random.ts'
import { createOpenAiCompatibleLlm } from '#providers/openai-compatible/llm.ts'
import { openAiCompatibleOptions } from '#providers/openai-compatible/options.ts'
import {
  OpenAiCompatibleServer,
  randomWordsServer,
  type ScriptedAnswer,
} from '../../../fakes/openai-compatible-server.ts'
import { bench, cleanAllUp, cleanUp, clock, recordingLog, textOf, until } from './llm-bench.ts'

afterEach(cleanAllUp)

describe('an answer', () => {
  test('comes as text and done, with the configured model, temperature and length', async () => {
    const { server, events, ask } = await bench(
      { pieces: ['It is ', 'noon.'] },
      { model: 'mine', temperature: 0.1, max_tokens: 33 },
    )
    expect(await ask('What time is it?')).toEqual({ type: 'done' })
    expect(textOf(events)).toBe('It is noon.')
    expect(server.requests[0]?.body).toEqual({
      model: 'mine',
      messages: [{ role: 'user', content: 'What time is it?' }],
      stream: true,
      stream_options: { include_usage: true },
      temperature: 0.1,
      max_tokens: 33,
    })
    expect(server.requests[0]?.authorization).toBeNull()
  })

  test.each<[string, ScriptedAnswer]>([
    ['one byte at a time', { chunkBytes: 1 }],
    ['three bytes at a time, CRLF', { chunkBytes: 3, crlf: true }],
    ['with all that must be overlooked', { noise: true, reasoning: 'They want a greeting.' }],
    ['without [DONE]', { noDone: true }],
    ['without a reason', { noFinishReason: true }],
    ['whole', { whole: true }],
  ])('arrives %s', async (_, how) => {
    const { events, ask } = await bench({ pieces: ['Grüße, ', '😀 ', 'Ångström!'], ...how })
    expect(await ask()).toEqual({ type: 'done' })
    expect(textOf(events)).toBe('Grüße, 😀 Ångström!')
  })

  test('is over at [DONE], where its connection stays open as well; that is closed then', async () => {
    const { server, events, ask } = await bench(
      { pieces: ['Fine.'], staysOpen: true },
      { first_token_timeout_ms: 5000, total_timeout_ms: 20_000 },
    )
    const began = clock.now()
    expect(await ask()).toEqual({ type: 'done' })
    expect([textOf(events), clock.now() - began < 2500]).toEqual(['Fine.', true])
    await until(() => server.aborted === 1)
  })

  test('two answers, one after the other, and the second request in the done of the first', async () => {
    const { session, events, server, ask } = await bench((_, index) => ({ pieces: [`Answer ${index}.`] }))
    await ask()
    await ask()
    expect(textOf(events)).toBe('Answer 0.Answer 1.')
    let again = false
    session.onEvent((event) => {
      if (event.type === 'done' && !again) {
        again = true
        expect(session.send({ type: 'generate', messages: [] })).toBe('sent')
      }
    })
    session.send({ type: 'generate', messages: [] })
    await until(() => server.requests.length === 4)
  })

  test('a second request while one runs is turned away', async () => {
    const { session } = await bench({ neverAnswers: true })
    expect(session.send({ type: 'generate', messages: [] })).toBe('sent')
    expect(session.send({ type: 'generate', messages: [] })).toBe('full')
  })

  test('the model is the first one of the server where none is configured', async () => {
    const { server, ask } = await bench({ pieces: ['Yes.'] })
    await ask()
    expect(server.requests[0]?.body.model).toBe('fake-model')
  })
})

describe('cancel and close', () => {
  test('after a cancel no event of the answer comes, the server notices, and the next answer is a fresh one', async () => {
    const { server, session, events, ask } = await bench((_, index) =>
      index === 0 ? { pieces: ['Long ', 'story '], pieceDelayMs: 5, stall: true } : { pieces: ['Short.'] },
    )
    session.send({ type: 'generate', messages: [] })
    await until(() => events.length >= 2)
    session.send({ type: 'cancel' })
    events.length = 0
    await until(() => server.aborted === 1)
    expect(events).toEqual([])
    expect(await ask()).toEqual({ type: 'done' })
    expect(textOf(events)).toBe('Short.')
  })

  test('the end of the call ends the answer, and closed is the last event, once', async () => {
    const { server, session, events, call } = await bench({ pieces: ['Hm '], stall: true })
    session.send({ type: 'generate', messages: [] })
    await until(() => events.length === 1)
    call.abort()
    await session.close()
    await session.close()
    await until(() => server.aborted === 1)
    expect(events.map(({ type }) => type)).toEqual(['text', 'closed'])
    expect(session.send({ type: 'generate', messages: [] })).toBe('closed')
  })
})

describe('readiness', () => {
  test('a server that comes up later is found', async () => {
    const server = new OpenAiCompatibleServer({ pieces: [] })
    server.modelsStatus = 503
    cleanUp(() => server.close())
    const llm = createOpenAiCompatibleLlm(v.parse(openAiCompatibleOptions, { base_url: server.baseUrl }), {
      clock,
      random: seededRandom(2),
      log: recordingLog([]),
      secrets: {},
    })
    cleanUp(() => llm.close())
    expect(llm.readiness().ready).toBe(false)
    llm.start()
    llm.start()
    await until(() => server.modelsRequests >= 1)
    await clock.sleep(20)
    expect(llm.readiness()).toMatchObject({ ready: false, reason: expect.stringContaining('503') })
    server.modelsStatus = 200
    await until(() => llm.readiness().ready)
  })

  test.each([
    ['a key that is not set', { api_key_env: 'NO_SUCH_KEY' }, 200, /NO_SUCH_KEY/],
    ['a refused key', {}, 401, /API key/],
    ['a path that is not there and no model named', {}, 404, /base_url/],
  ])('%s is said', async (_, options, status, words) => {
    const server = new OpenAiCompatibleServer({ pieces: [] })
    server.modelsStatus = status
    cleanUp(() => server.close())
    const llm = createOpenAiCompatibleLlm(v.parse(openAiCompatibleOptions, { base_url: server.baseUrl, ...options }), {
      clock,
      random: seededRandom(2),
      log: recordingLog([]),
      secrets: {},
    })
    cleanUp(() => llm.close())
    llm.start()
    await until(() => {
      const state = llm.readiness()
      return !state.ready && words.test(state.reason)
    })
  })

  test('no server and no endpoint: not ready, with the cure', async () => {
    const llm = createOpenAiCompatibleLlm(v.parse(openAiCompatibleOptions, {}), {
      clock,
      random: seededRandom(2),
      log: recordingLog([]),
      secrets: {},
    })
    cleanUp(() => llm.close())
    llm.start()
    await until(() => {
      const state = llm.readiness()
      return !state.ready && state.reason.includes('base_url')
    })
  })
})

test('the random-words stub says what it recorded', async () => {
  const { server, said } = randomWordsServer(seededRandom(5))
  cleanUp(() => server.close())
  const response = await fetch(`${server.baseUrl}/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ model: 'any', messages: [] }),
  })
  const words = [...(await response.text()).matchAll(/"content":"([^"]*)"/g)].map((match) => match[1]).join('')
  expect(words).toBe(said[0] ?? '')
  expect(words.split(' ')).toHaveLength(6)
})

describe('functions', () => {
  const functions = [{ name: 'hours', description: 'When', parameters: { type: 'object', properties: {} } }]
  const messages = [{ role: 'user', content: 'Open?' }] as const

  test('are offered; what the model asks for comes before the end of its answer', async () => {
    const { server, session, events } = await bench({
      pieces: ['One moment.'],
      calls: [{ name: 'hours', arguments: '{"day":1}' }],
    })
    session.send({ type: 'generate', messages, functions })
    await until(() => events.at(-1)?.type === 'done')
    expect(events).toEqual([
      { type: 'text', delta: 'One moment.' },
      { type: 'function_calls', calls: [{ id: 'call_0', name: 'hours', text: '{"day":1}' }] },
      { type: 'done' },
    ])
    expect(server.requests[0]?.body.tools).toEqual([{ type: 'function', function: functions[0] }])
    const answered = [
      ...messages,
      { role: 'assistant', content: '', calls: [{ id: 'a', name: 'hours', text: '{"day":1}' }] },
      { role: 'tool', content: '{}', callId: 'a' },
    ] as const
    events.length = 0
    session.send({ type: 'generate', messages: answered, functions })
    await until(() => events.at(-1)?.type === 'done')
    expect(server.problems).toEqual([])
  })

  test('an answer of nothing but functions is a good one', async () => {
    const { session, events } = await bench({ calls: [{ name: 'hours', arguments: '{}' }] })
    session.send({ type: 'generate', messages, functions })
    await until(() => events.at(-1)?.type === 'done')
    expect(events.map(({ type }) => type)).toEqual(['function_calls', 'done'])
  })

  test('a server that knows none is asked without, then and later', async () => {
    const { server, ask, session, events } = await bench(({ body }) =>
      body.tools === undefined
        ? { pieces: ['Hello.'] }
        : { status: 400, body: { error: { message: 'gemma does not support tools', type: 'api_error' } } },
    )
    session.send({ type: 'generate', messages, functions })
    await until(() => events.at(-1)?.type === 'done')
    await ask()
    expect(server.requests.map(({ body }) => body.tools !== undefined)).toEqual([true, false, false])
  })
})
