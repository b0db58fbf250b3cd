import { afterEach, describe, expect, test } from 'bun:test'
import { seededRandom } from '#base/random.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'
import type { Refusal, StandinOptions } from '../../standin/openai-realtime/options.ts'
import { type StandinServer, startStandin } from '../../standin/openai-realtime/server.ts'
import { RealtimeClient } from './realtime-client.ts'

let server: StandinServer

function start(options: Partial<StandinOptions> = {}): StandinServer {
  server = startStandin({ clock: new ManualClock(), random: seededRandom(1), ...options })
  return server
}

afterEach(() => server.close())

const bearer = (key: string) => ({ authorization: `Bearer ${key}` })

/** The upgrade, asked by plain HTTP so that the answer can be read: what a WebSocket client never sees. */
async function upgrade(query: string, headers: Record<string, string>, base = server.baseUrl) {
  const response = await fetch(`${base}/realtime${query}`, {
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    },
  })
  const text = await response.text()
  const error = text === '' ? null : (JSON.parse(text) as { error: { code: string; type: string } }).error
  return {
    status: response.status,
    code: error?.code,
    type: error?.type,
    retryAfter: response.headers.get('retry-after'),
  }
}

describe('the handshake', () => {
  test('opens a session for any key and any model', async () => {
    start()
    const client = new RealtimeClient(`${server.realtimeUrl}?model=some-model`, bearer('x'))
    const { session } = await client.next('session.created')
    expect(session).toMatchObject({ type: 'realtime', model: 'some-model' })
    client.close()
    expect((await client.closed).code).toBe(1000)
  })

  test('takes one key only where one was given', async () => {
    start({ key: 'right' })
    expect(await upgrade('?model=m', bearer('wrong'))).toMatchObject({ status: 401, code: 'invalid_api_key' })
    expect(await upgrade('?model=m', {})).toMatchObject({ status: 401, code: null })
    expect((await fetch(`${server.baseUrl}/models`, { headers: bearer('wrong') })).status).toBe(401)
    const client = new RealtimeClient(`${server.realtimeUrl}?model=m`, bearer('right'))
    await client.next('session.created')
    client.close()
  })

  test('takes the key as a browser must give it, and answers the sub-protocol', async () => {
    start({ key: 'right' })
    const protocols = ['realtime', 'openai-insecure-api-key.right']
    const client = new RealtimeClient(`${server.realtimeUrl}?model=m`, {}, protocols)
    await client.next('session.created')
    expect(client.protocol).toBe('realtime')
    client.close()
  })

  test('needs a model, and one that exists', async () => {
    start({ models: ['gpt-realtime'] })
    expect(await upgrade('', bearer('x'))).toMatchObject({ status: 400, code: 'missing_model' })
    expect(await upgrade('?model=gpt-nothing', bearer('x'))).toMatchObject({ status: 404, code: 'model_not_found' })
    const listed = (await (await fetch(`${server.baseUrl}/models`, { headers: bearer('x') })).json()) as {
      data: { id: string }[]
    }
    expect(listed.data.map(({ id }) => id)).toEqual(['gpt-realtime'])
    expect((await fetch(`${server.baseUrl}/models/gpt-nothing`, { headers: bearer('x') })).status).toBe(404)
  })

  const refusals: [Refusal, number, string | null, string | null][] = [
    [{ kind: 'bad_key' }, 401, 'invalid_api_key', null],
    [{ kind: 'rate_limited', retryAfterSeconds: 7 }, 429, 'rate_limit_exceeded', '7'],
    [{ kind: 'insufficient_quota' }, 429, 'insufficient_quota', null],
    [{ kind: 'server_error' }, 500, null, null],
  ]
  for (const [refusal, status, code, retryAfter] of refusals) {
    test(`refuses with ${refusal.kind}, and says the same at /models`, async () => {
      start({ refusal })
      expect(await upgrade('?model=m', bearer('x'))).toMatchObject({ status, code, retryAfter })
      const asked = await fetch(`${server.baseUrl}/models`, { headers: bearer('x') })
      expect([asked.status, asked.headers.get('retry-after')]).toEqual([status, retryAfter])
      const client = new RealtimeClient(`${server.realtimeUrl}?model=m`)
      expect((await client.closed).code).toBe(1006)
      server.refusal = null
      const second = new RealtimeClient(`${server.realtimeUrl}?model=m`)
      await second.next('session.created')
      second.close()
      expect([server.refused, server.modelRequests]).toEqual([2, 1])
    })
  }

  test('knows at /models nothing of a model that is refused elsewhere', async () => {
    start({ refusal: { kind: 'unknown_model' } })
    expect(await upgrade('?model=m', bearer('x'))).toMatchObject({ status: 404 })
    expect((await fetch(`${server.baseUrl}/models`, { headers: bearer('x') })).status).toBe(200)
  })

  test('can refuse after the upgrade, by an error and a close code', async () => {
    start({ refusal: { kind: 'bad_key', afterUpgrade: true } })
    const client = new RealtimeClient(`${server.realtimeUrl}?model=m`)
    expect((await client.next('error')).error.code).toBe('invalid_api_key')
    expect(await client.closed).toEqual({ code: 3000, reason: 'invalid_request_error.invalid_api_key' })
    expect(server.sessions).toEqual([])
  })

  test('refuses what speaks of the beta, unless it speaks as the beta did', async () => {
    start()
    const headers = { ...bearer('x'), 'openai-beta': 'realtime=v1' }
    const client = new RealtimeClient(`${server.realtimeUrl}?model=m`, headers)
    expect((await client.closed).reason).toBe('invalid_request_error.beta_api_shape_disabled')
    await server.close()
    start({ names: 'beta' })
    const old = new RealtimeClient(`${server.realtimeUrl}?model=m`, headers)
    await old.next('session.created')
    old.close()
  })

  test('has the path and the header of Azure where it is told to', async () => {
    start({ azure: true, key: 'right' })
    const url = server.realtimeUrl
    expect(new URL(url).pathname).toBe('/openai/v1/realtime')
    expect(await upgrade('?model=deployment', { 'api-key': 'wrong' })).toMatchObject({ status: 401 })
    expect(await upgrade('?model=m', bearer('right'), `http://127.0.0.1:${server.port}/v1`)).toMatchObject({
      status: 404,
    })
    const client = new RealtimeClient(`${url}?model=deployment`, { 'api-key': 'right' })
    await client.next('session.created')
    client.close()
  })

  test('never answers where it is told to, until it is closed', async () => {
    start({ refusal: { kind: 'never_answers' } })
    const client = new RealtimeClient(`${server.realtimeUrl}?model=m`)
    expect(await Promise.race([client.closed, Bun.sleep(50)])).toBeUndefined()
    await server.close()
    expect((await client.closed).code).toBe(1006)
  })

  test('answers a plain request with 426, and another path with 404', async () => {
    start()
    const plain = await fetch(`${server.baseUrl}/realtime?model=m`, { headers: bearer('x') })
    expect(plain.status).toBe(426)
    expect((await fetch(`${server.baseUrl}/chat/completions`)).status).toBe(404)
  })
})
