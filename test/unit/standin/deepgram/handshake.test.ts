import { afterEach, describe, expect, test } from 'bun:test'
import { seededRandom } from '#base/random.ts'
import { ManualClock } from '../../../fakes/manual-clock.ts'
import type { StandinOptions } from '../../../standin/deepgram/options.ts'
import { type StandinServer, startStandin } from '../../../standin/deepgram/server.ts'
import { DeepgramClient, paths } from './deepgram-client.ts'

let server: StandinServer

function start(options: Partial<StandinOptions> = {}): StandinServer {
  server = startStandin({ clock: new ManualClock(), random: seededRandom(1), pace: 0, ...options })
  return server
}

afterEach(() => server.close())

const token = (key: string) => ({ authorization: `Token ${key}` })

/** The upgrade, asked by plain HTTP so that the answer can be read: what a WebSocket client never sees. */
async function upgrade(path: string, headers: Record<string, string> = token('any')) {
  const response = await fetch(`${server.baseUrl}${path}`, {
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    },
  })
  const text = await response.text()
  const body = text === '' ? {} : (JSON.parse(text) as { err_code?: string; err_msg?: string })
  return {
    status: response.status,
    code: body.err_code,
    message: body.err_msg ?? '',
    error: response.headers.get('dg-error'),
    retryAfter: response.headers.get('retry-after'),
  }
}

describe('the handshake', () => {
  test('takes one key only where one was given, on every path', async () => {
    start({ key: 'right' })
    for (const path of Object.values(paths)) {
      expect(await upgrade(path, token('wrong'))).toMatchObject({ status: 401, error: 'Invalid credentials.' })
      expect((await upgrade(path, {})).status).toBe(401)
    }
    expect(server.refused).toBe(8)
    for (const headers of [token('right'), { authorization: 'Bearer right' }]) {
      const client = new DeepgramClient(server.agentUrl, headers)
      await client.next('Welcome')
      client.close()
    }
  })

  test('takes the key as a browser must give it, and answers the sub-protocol', async () => {
    start({ key: 'right' })
    const client = new DeepgramClient(server.agentUrl, {}, ['token', 'right'])
    await client.next('Welcome')
    expect(client.protocol).toBe('token')
    client.close()
  })

  test('tells of a key', async () => {
    start({ key: 'right' })
    const ask = async (key: string) => (await fetch(`${server.baseUrl}/v1/auth/token`, { headers: token(key) })).status
    expect([await ask('right'), await ask('wrong')]).toEqual([200, 401])
    expect(server.tokenRequests).toBe(2)
  })

  const refusals = [
    ['bad_key', 401],
    ['rate_limited', 429],
    ['insufficient_quota', 402],
    ['server_error', 503],
  ] as const
  for (const [kind, status] of refusals) {
    test(`can be told to refuse: ${kind}`, async () => {
      start({ refusal: { kind, ...(kind === 'rate_limited' ? { retryAfterSeconds: 5 } : {}) } })
      const answer = await upgrade(paths.agent)
      expect([answer.status, answer.retryAfter]).toEqual([status, kind === 'rate_limited' ? '5' : null])
      server.refusal = null
      const client = new DeepgramClient(server.agentUrl)
      await client.next('Welcome')
      client.close()
    })
  }

  const wrong: [string, RegExp][] = [
    ['/v1/agent/converse?model=x', /Unexpected query parameter: model/],
    ['/v1/listen?encoding=linear16', /sample_rate/],
    ['/v1/listen?sample_rate=8000', /encoding/],
    ['/v1/listen?encoding=linear16&sample_rate=8000&eot_threshold=0.7', /eot_threshold/],
    ['/v1/listen?encoding=linear16&sample_rate=8000&utterance_end_ms=1000', /interim_results/],
    ['/v1/listen?encoding=linear16&sample_rate=8000&interim_results=yes', /true or false/],
    ['/v2/listen?model=nova-3&encoding=linear16&sample_rate=8000', /no such model/],
    ['/v2/listen?model=flux-general-en&encoding=mulaw&sample_rate=8000&interim_results=true', /interim_results/],
    [
      '/v2/listen?model=flux-general-en&encoding=mulaw&sample_rate=8000&eot_threshold=0.6&eager_eot_threshold=0.8',
      /above/,
    ],
    ['/v2/listen?model=flux-general-en&encoding=mulaw&sample_rate=8000&language_hint=de', /multi/],
    ['/v1/speak?encoding=mulaw&sample_rate=24000', /sample_rate/],
    ['/v1/speak?encoding=linear16&sample_rate=8000&container=none', /container/],
  ]
  for (const [path, message] of wrong) {
    test(`refuses ${path}`, async () => {
      start()
      const answer = await upgrade(path)
      expect(answer.status).toBe(400)
      expect(answer.message).toMatch(message)
    })
  }

  test('knows no other path', async () => {
    start()
    expect((await upgrade('/v3/listen')).status).toBe(404)
    expect((await fetch(server.agentUrl.replace('ws', 'http'), { headers: token('x') })).status).toBe(400)
  })
})
