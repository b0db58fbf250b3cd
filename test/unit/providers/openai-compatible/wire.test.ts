import { describe, expect, test } from 'bun:test'
import { failureOfResponse, retryAfterMs } from '#providers/openai-compatible/failure-wire.ts'
import { commonDialect, dialectAfter, recentMessages, requestBody } from '#providers/openai-compatible/request-wire.ts'
import { SseParser, ThinkFilter } from '#providers/openai-compatible/sse.ts'
import { ChatStream, modelNames, type WireEvent, wholeAnswer } from '#providers/openai-compatible/wire.ts'

const utf8 = new TextEncoder()

/** Everything a stream gives for these network reads, neighbouring texts joined. */
function read(reads: readonly Uint8Array[]): WireEvent[] {
  const stream = new ChatStream()
  const events = [...reads.flatMap((bytes) => stream.push(bytes)), ...stream.end()]
  return events.reduce<WireEvent[]>((joined, event) => {
    const last = joined.at(-1)
    if (last?.type === 'text' && event.type === 'text')
      joined[joined.length - 1] = { type: 'text', delta: last.delta + event.delta }
    else joined.push(event)
    return joined
  }, [])
}

const data = (value: unknown) => `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`
const delta = (content: unknown, finish: string | null = null) =>
  data({ choices: [{ index: 0, delta: { content }, finish_reason: finish }] })

describe('the stream', () => {
  // Wörter, an emoji of four bytes, a line break inside the text, CRLF line ends.
  const answer =
    `: hi\r\n\r\nevent: x\r\n${delta('Grüße ')}${delta('an 😀\n')}${delta('alle.', 'stop')}${data('[DONE]')}`.replaceAll(
      '\n\n',
      '\r\n\r\n',
    )
  const spoken: WireEvent[] = [{ type: 'text', delta: 'Grüße an 😀\nalle.' }, { type: 'finish' }]

  test('split at every byte, and at every pair of reads', () => {
    const bytes = utf8.encode(answer)
    expect(read([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(spoken)
    for (let cut = 0; cut <= bytes.length; cut += 1)
      expect(read([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual(spoken)
  })

  test('one network read gives one text, however many chunks it holds', () => {
    const events = new ChatStream().push(utf8.encode(delta('One ') + delta('two ') + delta('three')))
    expect(events).toEqual([{ type: 'text', delta: 'One two three' }])
  })

  test.each([
    [
      'several data lines of one event',
      'data: {"choices":[{"index":0,\ndata: "delta":{"content":"a"},"finish_reason":"stop"}]}\n\n',
      'a',
    ],
    [
      'no space after the colon',
      `data:${JSON.stringify({ choices: [{ delta: { content: 'a' }, finish_reason: 'stop' }] })}\n\n`,
      'a',
    ],
    [
      'a chunk without choices',
      data({ choices: [], usage: { total_tokens: 3 } }) + delta('a', 'stop') + data({ choices: [] }),
      'a',
    ],
    ['no [DONE], and no empty line at the end', delta('a', 'stop').trimEnd(), 'a'],
    ['[DONE] without a reason', delta('a') + data('[DONE]'), 'a'],
    [
      'null content, a role, extra fields',
      data({ choices: [{ index: 0, delta: { role: 'assistant', content: null }, finish_reason: null }], x: 1 }) +
        delta('a', 'stop'),
      'a',
    ],
    [
      'content in parts',
      delta(
        [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
        'stop',
      ),
      'ab',
    ],
    ['a refusal is spoken', data({ choices: [{ delta: { refusal: 'I can’t.' }, finish_reason: 'stop' }] }), 'I can’t.'],
    [
      'reasoning in fields of its own is not',
      data({ choices: [{ delta: { reasoning_content: 'hm', reasoning: 'hm' } }] }) + delta('a', 'stop'),
      'a',
    ],
    ['another choice is not', data({ choices: [{ index: 1, delta: { content: 'b' } }] }) + delta('a', 'stop'), 'a'],
    [
      'thoughts in the text are not',
      delta('<th') + delta('ink>I should') + delta(' greet</thi') + delta('nk>\n\nHello', 'stop'),
      'Hello',
    ],
    ['a lesser-than sign is no thought', delta('1 <') + delta(' 2 <thin', 'stop'), '1 < 2 <thin'],
  ])('%s', (_, text, words) => {
    expect(read([utf8.encode(text)])).toEqual([{ type: 'text', delta: words }, { type: 'finish' }])
  })

  test('a close before any end is a broken answer', () => {
    expect(read([utf8.encode(delta('Hello'))])).toEqual([
      { type: 'text', delta: 'Hello' },
      { type: 'error', failure: { code: 'bad_answer', message: 'the answer broke off', retryable: true } },
    ])
  })

  test('an error inside the stream, with a number or a name for a code', () => {
    const failures = [
      { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } },
      { error: { message: 'Rate limit reached', type: 'rate_limit_exceeded', code: null, param: null } },
      { error: { message: 'boom' } },
    ].map((error) => new ChatStream().push(utf8.encode(data(error)))[0])
    expect(failures.map((event) => (event?.type === 'error' ? event.failure.code : ''))).toEqual([
      'server_error',
      'rate_limited',
      'server_error',
    ])
  })

  test('rubbish and an event without end are bad answers', () => {
    expect(new ChatStream().push(utf8.encode('data: {nonsense\n\n'))).toMatchObject([
      { type: 'error', failure: { code: 'bad_answer' } },
    ])
    const endless = new ChatStream()
    const events = Array.from({ length: 20 }, () => endless.push(utf8.encode(`data: ${'x'.repeat(100_000)}`))).flat()
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'error', failure: expect.objectContaining({ code: 'bad_answer' }) }),
    )
  })

  test('no random bytes make it throw', () => {
    let state = 7
    for (let round = 0; round < 300; round += 1) {
      const bytes = Uint8Array.from({ length: 200 }, () => {
        state = (state * 48271) % 2147483647
        return state & 0xff
      })
      expect(() => read([utf8.encode('data: '), bytes, utf8.encode('\n\n')])).not.toThrow()
    }
  })
})

test('server-sent events: fields other than data are overlooked', () => {
  expect(new SseParser().push(utf8.encode(':c\nid: 1\nretry: 5\ndata: a\ndata\ndata: b\n\n'))).toEqual(['a\nb'])
})

test('thoughts are held back only as long as they may be a tag', () => {
  const filter = new ThinkFilter()
  expect([
    filter.push('a <'),
    filter.push('thing'),
    filter.push('<think>x'),
    filter.push('y</think> b'),
    filter.end(),
  ]).toEqual(['a ', '<thing', '', 'b', ''])
})

test('a whole answer from a server that does not stream', () => {
  expect(wholeAnswer('{"choices":[{"message":{"content":"<think>x</think>Hi."}}]}')).toEqual([
    { type: 'text', delta: 'Hi.' },
    { type: 'finish' },
  ])
  expect(wholeAnswer('<html>')).toMatchObject([{ type: 'error', failure: { code: 'bad_answer' } }])
})

describe('errors', () => {
  test.each([
    [
      401,
      {
        error: {
          message: 'Incorrect API key provided: sk-secret',
          type: 'invalid_request_error',
          code: 'invalid_api_key',
        },
      },
      'unauthorized',
      false,
    ],
    [403, 'Forbidden', 'unauthorized', false],
    [
      404,
      { error: { message: 'The model `x` does not exist', type: 'invalid_request_error', code: 'model_not_found' } },
      'model_not_found',
      false,
    ],
    [404, { error: { message: 'model "llama9" not found, try pulling it first' } }, 'model_not_found', false],
    [404, '404 page not found', 'bad_request', false],
    [429, { error: { message: 'Rate limit', code: 'rate_limit_exceeded' } }, 'rate_limited', true],
    [429, { error: { message: 'You exceeded your current quota', code: 'insufficient_quota' } }, 'rate_limited', false],
    [400, { error: { message: 'bad', param: 'messages' } }, 'bad_request', false],
    [422, { detail: [{ msg: 'field required', input: 'the words of the caller' }] }, 'bad_request', false],
    [408, '', 'server_error', true],
    [500, { error: 'oops' }, 'server_error', true],
    [503, { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } }, 'server_error', true],
  ] as const)('%i %j is %s', (status, body, code, retryable) => {
    const failure = failureOfResponse(status, typeof body === 'string' ? body : JSON.stringify(body))
    expect({ code: failure.code, retryable: failure.retryable }).toEqual({ code, retryable })
    expect(failure.message).toContain(String(status))
    expect(failure.message).not.toMatch(/sk-secret|words of the caller/)
  })

  test('a parameter that a server does not take is renamed or left out, each once', () => {
    const renamed = dialectAfter(
      400,
      '{"error":{"message":"Unsupported parameter","param":"max_tokens"}}',
      commonDialect,
    )
    expect(renamed).toEqual({ ...commonDialect, maxTokensKey: 'max_completion_tokens' })
    expect(dialectAfter(400, '{"error":{"message":"temperature does not support 0.4"}}', commonDialect)).toEqual({
      ...commonDialect,
      temperature: false,
    })
    expect(
      dialectAfter(400, '{"error":{"param":"max_tokens"}}', {
        ...commonDialect,
        maxTokensKey: 'max_completion_tokens',
      }),
    ).toBeUndefined()
    expect(dialectAfter(400, '{"error":{"message":"too long","param":"messages"}}', commonDialect)).toBeUndefined()
    expect(dialectAfter(500, '{"error":{"param":"max_tokens"}}', commonDialect)).toBeUndefined()
  })

  test.each([
    '{"error":{"message":"registry.ollama.ai/library/gemma:2b does not support tools"}}',
    '{"error":{"message":"\\"auto\\" tool choice requires --enable-auto-tool-choice to be set"}}',
    '{"error":{"message":"Unknown parameter","param":"tools"}}',
  ])('a server without functions is asked without: %s', (body) => {
    expect(dialectAfter(400, body, commonDialect)).toEqual({ ...commonDialect, tools: false })
  })

  test('retry-after, in seconds or milliseconds', () => {
    expect(retryAfterMs(new Headers({ 'retry-after': '2' }))).toBe(2000)
    expect(retryAfterMs(new Headers({ 'retry-after': '2', 'retry-after-ms': '150' }))).toBe(150)
    expect(retryAfterMs(new Headers({ 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }))).toBeUndefined()
    expect(retryAfterMs(new Headers())).toBeUndefined()
  })
})

describe('functions in a stream', () => {
  const event = (delta: object, finish: string | null = null) =>
    utf8.encode(`data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`)
  const done = utf8.encode('data: [DONE]\n\n')
  const call = (index: number | undefined, id: string | undefined, name: string | undefined, text: string) => ({
    tool_calls: [
      {
        ...(index === undefined ? {} : { index }),
        ...(id === undefined ? {} : { id, type: 'function' }),
        function: { ...(name === undefined ? {} : { name }), arguments: text },
      },
    ],
  })
  const callsOf = (reads: readonly Uint8Array[]) =>
    read(reads).flatMap((each) => (each.type === 'calls' ? each.calls : []))

  test('come in pieces, are joined by their place, and end the answer', () => {
    const events = read([
      event({ content: 'One moment.' }),
      event(call(0, 'a', 'hours', '')),
      event(call(1, 'b', 'terminate_call', '{"rea')),
      event(call(0, undefined, undefined, '{"day":1}')),
      event(call(1, undefined, undefined, 'son":"x"}')),
      event({}, 'tool_calls'),
      done,
    ])
    expect(events.map(({ type }) => type).filter((type) => type !== 'calling')).toEqual(['text', 'calls', 'finish'])
    expect(events.find(({ type }) => type === 'calls')).toEqual({
      type: 'calls',
      calls: [
        { id: 'a', name: 'hours', text: '{"day":1}' },
        { id: 'b', name: 'terminate_call', text: '{"reason":"x"}' },
      ],
    })
  })

  test('without places, without ids, whole, and with another reason to end', () => {
    expect(
      callsOf([
        event(call(undefined, 'a', 'one', '{"x":1}')),
        event(call(undefined, 'b', 'two', '{"x"')),
        event(call(undefined, undefined, undefined, ':2}')),
        event({}, 'stop'),
      ]),
    ).toEqual([
      { id: 'a', name: 'one', text: '{"x":1}' },
      { id: 'b', name: 'two', text: '{"x":2}' },
    ])
    expect(callsOf([event(call(0, undefined, 'one', '{}')), event({}, 'stop')])).toEqual([
      { id: 'call_0', name: 'one', text: '{}' },
    ])
  })

  test('of an answer that broke off none is run; and not more than a model can mean', () => {
    expect(callsOf([event(call(0, 'a', 'one', '{"x'))])).toEqual([])
    const many = Array.from({ length: 40 }, (_, index) => event(call(index, `id${index}`, 'one', '{}')))
    expect(callsOf([...many, event({}, 'stop')]).length).toBe(16)
    const long = Array.from({ length: 5 }, () => event(call(0, 'a', 'one', 'x'.repeat(30_000))))
    expect(callsOf([...long, event({}, 'stop')])[0]?.text.length).toBe(65_536)
  })

  test('of an answer that came whole', () => {
    const message = { role: 'assistant', content: null, ...call(undefined, 'a', 'one', '{}') }
    expect(wholeAnswer(JSON.stringify({ choices: [{ index: 0, message, finish_reason: 'tool_calls' }] }))).toEqual([
      { type: 'calls', calls: [{ id: 'a', name: 'one', text: '{}' }] },
      { type: 'finish' },
    ])
  })
})

const stream_options = { include_usage: true }

describe('the request', () => {
  const messages = [{ role: 'user', content: 'Hi' }] as const

  test('holds what every compatible server knows, and nothing else', () => {
    const body: unknown = JSON.parse(
      requestBody({ model: 'm', messages, temperature: 0, maxTokens: 9, dialect: commonDialect }),
    )
    expect(body).toEqual({
      model: 'm',
      messages: [...messages],
      stream: true,
      stream_options,
      max_tokens: 9,
      temperature: 0,
    })
  })

  const asked = { id: 'call_1', name: 'hours', text: '' }
  const withFunctions = [
    { role: 'user', content: 'Open?' },
    { role: 'assistant', content: '', calls: [asked] },
    { role: 'tool', content: '{"opens":9}', callId: 'call_1' },
  ] as const
  const functions = [{ name: 'hours', description: 'When', parameters: { type: 'object' } }]

  test('functions, what was asked for and what it brought', () => {
    const facts = { model: 'm', messages: withFunctions, functions, temperature: 0, maxTokens: 9 }
    expect(JSON.parse(requestBody({ ...facts, dialect: commonDialect }))).toEqual({
      model: 'm',
      messages: [
        { role: 'user', content: 'Open?' },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'hours', arguments: '{}' } }],
        },
        { role: 'tool', content: '{"opens":9}', tool_call_id: 'call_1' },
      ],
      tools: [{ type: 'function', function: functions[0] }],
      stream: true,
      stream_options,
      max_tokens: 9,
      temperature: 0,
    })
    // A server that knows none is told words only.
    expect(JSON.parse(requestBody({ ...facts, dialect: { ...commonDialect, tools: false } }))).toMatchObject({
      messages: [{ role: 'user', content: 'Open?' }],
    })
  })

  test('history: what functions brought is never without what asked for it', () => {
    const all = [
      ...withFunctions,
      { role: 'assistant', content: 'At nine.' },
      { role: 'user', content: 'Thanks.' },
    ] as const
    const roles = (turns: number) => recentMessages(all, turns).map(({ role }) => role)
    expect(roles(0)).toEqual(['user'])
    expect(roles(1)).toEqual(['user', 'assistant', 'tool', 'assistant', 'user'])
    expect(recentMessages(withFunctions, 0)).toEqual([...withFunctions])
  })

  test('history: system messages stay, of the turns only the last, with the newest words', () => {
    const turn = (n: number) => [
      { role: 'user', content: `q${n}` } as const,
      { role: 'assistant', content: `a${n}` } as const,
    ]
    const all = [
      { role: 'system', content: 's' } as const,
      ...turn(1),
      ...turn(2),
      ...turn(3),
      { role: 'user', content: 'now' } as const,
    ]
    const kept = (turns: number) =>
      recentMessages(all, turns)
        .map(({ content }) => content)
        .join(' ')
    expect(kept(0)).toBe('s now')
    expect(kept(1)).toBe('s q3 a3 now')
    expect(kept(9)).toBe('s q1 a1 q2 a2 q3 a3 now')
  })
})

test('names of models', () => {
  expect(modelNames('{"object":"list","data":[{"id":"a"},{"id":"b","x":1}]}')).toEqual(['a', 'b'])
  expect(modelNames('{}')).toBeUndefined()
})
