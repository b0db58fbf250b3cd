import { describe, expect, test } from 'bun:test'
import { SystemClock } from '#base/clock.ts'
import { seededRandom } from '#base/random.ts'
import { type Generator, LlmServer, threadsFor } from '#providers/local/llm-child.ts'
import type { GenerateEnd, GenerateRequest } from '#providers/local/llm-engine.ts'
import { parseChatRequest } from '#providers/local/llm-wire.ts'
import { failureOfResponse } from '#providers/openai-compatible/failure-wire.ts'
import { ChatStream, modelNames, type WireEvent } from '#providers/openai-compatible/wire.ts'

/** The child's HTTP without a model and without a socket, read back by the client's own parser. */
type Generate = (request: GenerateRequest, signal: AbortSignal, onText: (text: string) => void) => Promise<GenerateEnd>

const stop: GenerateEnd = { type: 'stop', promptTokens: 5, completionTokens: 2 }

function server(generate: Generate): LlmServer {
  const engine: Generator = { generate, load: { active: 0, waiting: 0 } }
  return new LlmServer(engine, 'tiny', new SystemClock(), seededRandom(1))
}

function post(target: LlmServer, body: unknown, signal?: AbortSignal): Promise<Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return target.handle(
    new Request('http://127.0.0.1/v1/chat/completions', { method: 'POST', body: text, ...(signal ? { signal } : {}) }),
  )
}

async function events(response: Response): Promise<readonly WireEvent[]> {
  const stream = new ChatStream()
  return [...stream.push(await response.bytes()), ...stream.end()]
}

const hello = { stream: true, messages: [{ role: 'user', content: 'Hello' }] }

describe('the child', () => {
  test('streams what is generated, as an OpenAI-compatible server does', async () => {
    const target = server(async (_, __, onText) => {
      onText('Good')
      await Promise.resolve()
      onText(' day.')
      return stop
    })
    const response = await post(target, hello)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect(await events(response)).toEqual([{ type: 'text', delta: 'Good day.' }, { type: 'finish' }])
  })

  test('answers whole where no stream is asked for', async () => {
    const target = server(async (_, __, onText) => {
      onText('Good day.')
      return { type: 'length', promptTokens: 5, completionTokens: 2 }
    })
    const answer: unknown = await (await post(target, { ...hello, stream: false })).json()
    expect(answer).toMatchObject({
      object: 'chat.completion',
      model: 'tiny',
      choices: [{ index: 0, message: { role: 'assistant', content: 'Good day.' }, finish_reason: 'length' }],
      usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
    })
  })

  test('overloaded is 503, retryable for the client; a prompt that is too long is 400, and is not', async () => {
    const refusals = await Promise.all(
      (['overloaded', 'too_long'] as const).map(async (type) => {
        const response = await post(
          server(() => Promise.resolve({ type })),
          hello,
        )
        return {
          status: response.status,
          retryable: failureOfResponse(response.status, await response.text()).retryable,
        }
      }),
    )
    expect(refusals).toEqual([
      { status: 503, retryable: true },
      { status: 400, retryable: false },
    ])
  })

  test('says how many tokens an answer has taken, where it is asked to', async () => {
    const target = server((_, __, onText) => {
      onText('Well.')
      return Promise.resolve({ type: 'stop', promptTokens: 12, completionTokens: 3 })
    })
    const told = async (body: object) =>
      (await events(await post(target, body))).flatMap((event) => (event.type === 'usage' ? [event.tokens] : []))
    expect(await told(hello)).toEqual([])
    expect(await told({ ...hello, stream_options: { include_usage: true } })).toMatchObject([{ input: 12, output: 3 }])
  })

  test('a model that fails within an answer says so inside the stream', async () => {
    const target = server(async (_, __, onText) => {
      onText('Well,')
      await Promise.resolve()
      throw new Error('out of memory')
    })
    expect((await events(await post(target, hello))).map(({ type }) => type)).toEqual(['text', 'error', 'error'])
  })

  test('generation is told when the client breaks the stream off', async () => {
    let told = false
    const target = server(
      (_, signal, onText) =>
        new Promise((resolve) => {
          onText('Once')
          signal.addEventListener('abort', () => {
            told = true
            resolve({ type: 'aborted', promptTokens: 1, completionTokens: 1 })
          })
        }),
    )
    const response = await post(target, hello)
    await response.body?.cancel()
    expect(told).toBe(true)
  })

  test('names its model, and says that it is well', async () => {
    const target = server(() => Promise.resolve(stop))
    const get = async (path: string) => (await target.handle(new Request(`http://127.0.0.1${path}`))).text()
    expect(modelNames(await get('/v1/models'))).toEqual(['tiny'])
    expect(JSON.parse(await get('/health'))).toEqual({ status: 'ok', active: 0, waiting: 0 })
    expect((await target.handle(new Request('http://127.0.0.1/'))).status).toBe(404)
  })

  test.each([
    ['no JSON', '{', 'not JSON'],
    ['no messages', {}, 'messages'],
    ['an empty list', { messages: [] }, 'messages'],
    ['a strange role', { messages: [{ role: 'king', content: 'secret words' }] }, 'messages.0.role'],
    ['a wrong length', { ...hello, max_tokens: -1 }, 'max_tokens'],
  ])('%s is refused without repeating words', async (_, body, member) => {
    const response = await post(
      server(() => Promise.resolve(stop)),
      body,
    )
    const text = await response.text()
    expect(response.status).toBe(400)
    expect(text).toContain(member)
    expect(text).not.toContain('secret')
  })

  test('a body that is too large is refused', async () => {
    const response = await post(
      server(() => Promise.resolve(stop)),
      { messages: [{ role: 'user', content: 'x'.repeat(1_100_000) }] },
    )
    expect(response.status).toBe(413)
  })
})

test('a request: defaults, bounds, parts, the developer role', () => {
  const parsed = (body: object) => {
    const result = parseChatRequest(
      JSON.stringify({
        messages: [
          {
            role: 'developer',
            content: [
              { type: 'text', text: 'a' },
              { type: 'text', text: 'b' },
            ],
          },
        ],
        ...body,
      }),
    )
    return result.ok ? result.value : undefined
  }
  expect(parsed({})).toEqual({
    messages: [{ role: 'system', content: 'ab' }],
    stream: false,
    includeUsage: false,
    temperature: 0.4,
    maxTokens: 60,
    seed: undefined,
  })
  expect(parsed({ max_tokens: 100_000, temperature: null, seed: 7, tools: [], user: 'x' })).toMatchObject({
    maxTokens: 512,
    temperature: 0.4,
    seed: 7,
  })
  expect(parsed({ max_tokens: 5, max_completion_tokens: 9 })).toMatchObject({ maxTokens: 9 })
})

test('one thread where a second would have to share a core with audio', () => {
  expect([1, 2, 3, 4, 64].map(threadsFor)).toEqual([1, 1, 1, 2, 2])
})
