import { describe, expect, test } from 'bun:test'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { Account } from '#providers/openai-realtime/account.ts'
import { ManualClock, settle } from '../../../fakes/manual-clock.ts'
import { realtimeOptions } from '../../../fakes/realtime-standin.ts'

interface Answer {
  readonly status: number
  readonly body?: string
  readonly headers?: Record<string, string>
}

function setUp(
  answer: Answer | 'never' | 'unreachable',
  options: object = {},
  secrets: object = { OPENAI_API_KEY: 'sk-1' },
) {
  const clock = new ManualClock()
  const requests: { url: string; headers: unknown }[] = []
  const state = { answer }
  const account = new Account(realtimeOptions(options as Record<string, unknown>), {
    clock,
    random: seededRandom(3),
    log: silentLog,
    secrets: secrets as Record<string, string>,
    fetch: (url, { headers, signal }) => {
      requests.push({ url, headers })
      const { answer: now } = state
      if (now === 'unreachable')
        return Promise.reject(new Error('Unable to connect. Is the computer able to access the url?'))
      if (now === 'never') {
        return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('aborted'))))
      }
      return Promise.resolve(new Response(now.body ?? '', { status: now.status, headers: now.headers ?? {} }))
    },
  })
  return { clock, account, requests, state }
}
const models = (...ids: string[]) => JSON.stringify({ data: ids.map((id) => ({ id })) })
const error = (code: string) => JSON.stringify({ error: { code, message: 'words of the server', type: 'x_error' } })

describe('what the server thinks of key and model', () => {
  test.each([
    ['a model that it has', { status: 200, body: models('gpt-realtime', 'tts-1') }, 'ready', /^$/],
    ['no such path', { status: 404 }, 'ready', /^$/],
    ['another list', { status: 200, body: '[]' }, 'ready', /^$/],
    ['a bad key', { status: 401, body: error('invalid_api_key') }, 'bad_key', /401 \(invalid_api_key\).*API key right/],
    ['a key that may not list models', { status: 403, body: error('missing_scope') }, 'ready', /^$/],
    ['no quota', { status: 429, body: error('insufficient_quota') }, 'no_quota', /no quota left/],
    ['too many requests', { status: 429, body: error('rate_limit_exceeded') }, 'rate_limited', /too many/],
    ['a server in trouble', { status: 503 }, 'server_error', /503/],
    [
      'a model that it has not',
      { status: 200, body: models('gpt-realtime-mini', 'tts-1') },
      'unknown_model',
      /no model gpt-realtime \(providers\.openai_realtime\.model\); it has gpt-realtime-mini$/,
    ],
    ['nobody there', 'unreachable', 'unreachable', /api\.openai\.com\/v1 cannot be reached: Unable to connect$/],
  ] as const)('%s', async (_what, answer, code, reason) => {
    const { account } = setUp(answer)
    const state = await account.look()
    expect(state.code).toBe(code)
    expect(state.readiness.ready ? '' : state.readiness.reason).toMatch(reason)
    expect(JSON.stringify(state)).not.toContain('words of the server')
  })

  test('no key: said at once, with the name of the variable, and nobody is asked', async () => {
    const { account, requests } = setUp({ status: 200 }, {}, {})
    expect(await account.look()).toMatchObject({
      code: 'no_key',
      hopeless: true,
      readiness: { reason: expect.stringContaining('OPENAI_API_KEY (providers.openai_realtime.api_key_env)') },
    })
    expect([requests, account.headers()]).toEqual([[], undefined])
  })

  test('no answer in time', async () => {
    const { account, clock } = setUp('never')
    const state = account.look()
    await settle()
    clock.advance(5000)
    expect(await state).toMatchObject({ code: 'unreachable', hopeless: false })
  })

  test('Azure: its own header, and deployments are not looked for among models', async () => {
    const { account, requests } = setUp(
      { status: 200, body: models('gpt-4o') },
      {
        base_url: 'https://mine.openai.azure.com/openai/v1/',
        model: 'my-deployment',
        key_header: 'api-key',
        headers: ['X-Team: 7'],
      },
    )
    expect((await account.look()).code).toBe('ready')
    expect(requests).toEqual([
      { url: 'https://mine.openai.azure.com/openai/v1/models', headers: { 'api-key': 'sk-1', 'X-Team': '7' } },
    ])
    expect(account.sessionUrl).toBe('wss://mine.openai.azure.com/openai/v1/realtime?model=my-deployment')
  })

  test('another server than OpenAI: its list is not all there is', async () => {
    const { account } = setUp({ status: 200, body: models('openai/*') }, { base_url: 'http://127.0.0.1:4000/v1' })
    expect(await account.look()).toMatchObject({ code: 'ready', readiness: { ready: true } })
  })

  test('a refused session says it for 30 s, where the list of models says nothing', async () => {
    const { account, clock } = setUp({ status: 200, body: models('gpt-realtime') })
    await account.look()
    account.refused(429)
    expect(account.state.readiness.ready).toBe(true)
    account.refused(404)
    expect(account.state).toMatchObject({
      code: 'session_refused_404',
      hopeless: true,
      readiness: {
        ready: false,
        reason: expect.stringMatching(/404.*gpt-realtime \(providers\.openai_realtime\.model\)/),
      },
    })
    clock.advance(29_000)
    await account.look()
    expect(account.state.readiness.ready).toBe(false)
    clock.advance(1000)
    expect(account.state.readiness.ready).toBe(true)
    account.refused(404)
    account.proved()
    expect(account.state.readiness.ready).toBe(true)
  })

  test.each([
    ['http://127.0.0.1:8080/v1', 'ws://127.0.0.1:8080/v1/realtime?model=gpt-realtime'],
    ['wss://api.openai.com/v1/realtime', 'wss://api.openai.com/v1/realtime?model=gpt-realtime'],
  ])('%s', (baseUrl, sessionUrl) => {
    expect(setUp({ status: 200 }, { base_url: baseUrl }).account.sessionUrl).toBe(sessionUrl)
  })
})

describe('asking', () => {
  test('many calls that fail at one moment ask once', async () => {
    const { account, requests, clock } = setUp({ status: 503 })
    await Promise.all([account.look(), account.look(), account.look()])
    await account.look()
    expect(requests.length).toBe(1)
    clock.advance(1000)
    await account.look()
    expect(requests.length).toBe(2)
  })

  test('until it is ready with a growing pause, then once a minute; closed, no more', async () => {
    const { account, requests, clock, state } = setUp({ status: 503 })
    account.start()
    account.start()
    for (let step = 0; step < 40; step += 1) {
      clock.advance(500)
      await settle()
    }
    const whileRefused = requests.length
    expect(whileRefused).toBeGreaterThan(3)
    expect(whileRefused).toBeLessThan(12)
    state.answer = { status: 200, body: models('gpt-realtime') }
    clock.advance(30_000)
    await settle()
    expect(account.state.readiness).toEqual({ ready: true })
    const whenReady = requests.length
    clock.advance(59_000)
    await settle()
    expect(requests.length).toBe(whenReady)
    clock.advance(1100)
    await settle()
    expect(requests.length).toBe(whenReady + 1)
    await account.close()
    expect(clock.pending).toBe(0)
  })

  test('as long as the server asks to be left alone, it is', async () => {
    const { account, requests, clock } = setUp({ status: 429, headers: { 'retry-after': '20' } })
    account.start()
    await settle()
    clock.advance(19_900)
    await settle()
    expect([requests.length, account.state.waitMs]).toEqual([1, 20_000])
    clock.advance(200)
    await settle()
    expect(requests.length).toBe(2)
    await account.close()
  })
})
