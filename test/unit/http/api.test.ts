import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createApi, endpoints } from '#http/api.ts'
import { type EngineStatus, notReadyReasons } from '#http/status.ts'
import { controlDeps } from '../../fakes/control.ts'

const ready: EngineStatus = {
  version: '1.2.3',
  draining: false,
  activeCalls: 2,
  callsMax: 20,
  ariConnected: true,
  ariProblem: '',
  asteriskVersion: '22.5.1',
  audioTransport: 'audiosocket',
  audioSocketAddress: '127.0.0.1:8090',
  defaultProvider: 'local',
  providers: { local: { ready: true }, loopback: { ready: false, reason: 'off' } },
  speechDetection: { ready: true },
  turnEnd: { ready: true },
  filesProblem: '',
  conversation: { states: { listening: 2 }, gatesClosed: 1, gateReasons: { agent_speaking: 1 } },
}

const mediaFiles = { read: (name: string) => (name === 'a1b2.sln' ? new Uint8Array([1, 2, 3, 4]) : null) }

const api = (status: Partial<EngineStatus> = {}) =>
  createApi({
    mediaFiles,
    control: controlDeps(),
    status: () => ({ ...ready, ...status }),
    scrape: () => Promise.resolve({ contentType: 'text/plain; version=0.0.4; charset=utf-8', text: 'a 1\n' }),
  })

const bodyOf = async (response: Response): Promise<unknown> => response.json()

describe('notReadyReasons', () => {
  const cases: [string, Partial<EngineStatus>, string[]][] = [
    ['all is there', {}, []],
    ['it stops', { draining: true }, ['the engine is stopping']],
    ['no such provider', { defaultProvider: 'x' }, ['provider x is not configured']],
    [
      'the provider is not ready',
      { providers: { local: { ready: false, reason: 'fetching' } } },
      ['provider local: fetching'],
    ],
    ['no speech detection', { speechDetection: { ready: false, reason: 'starting' } }, ['speech detection: starting']],
    ['no Asterisk', { ariConnected: false, ariProblem: 'nobody at :8088' }, ['nobody at :8088']],
    [
      'nothing at all: each is said',
      {
        draining: true,
        defaultProvider: 'x',
        speechDetection: { ready: false, reason: 'r' },
        ariConnected: false,
        ariProblem: 'p',
      },
      ['the engine is stopping', 'provider x is not configured', 'speech detection: r', 'p'],
    ],
    // A provider that no call would use does not matter.
    ['another provider is not ready', { providers: { local: { ready: true }, x: { ready: false, reason: '' } } }, []],
  ]
  test.each(cases)('%s', (_name, status, reasons) => {
    expect(notReadyReasons({ ...ready, ...status })).toEqual(reasons)
  })
})

describe('the endpoints', () => {
  test('/live is 200 whatever is missing', async () => {
    const response = await api({ draining: true, ariConnected: false }).request('/live')
    expect([response.status, await bodyOf(response)]).toEqual([200, { status: 'live' }])
  })

  test('/ready is 200, or 503 with the reasons', async () => {
    const good = await api().request('/ready')
    expect([good.status, await bodyOf(good)]).toEqual([200, { status: 'ready' }])
    const bad = await api({ ariConnected: false, ariProblem: 'nobody at :8088' }).request('/ready')
    expect([bad.status, await bodyOf(bad)]).toEqual([503, { status: 'not_ready', reasons: ['nobody at :8088'] }])
  })

  test('/health says everything, under the names of the documentation', async () => {
    const response = await api().request('/health')
    expect([response.status, await bodyOf(response)]).toEqual([
      200,
      {
        status: 'ok',
        reasons: [],
        version: '1.2.3',
        active_calls: 2,
        calls_max: 20,
        ari_connected: true,
        asterisk_version: '22.5.1',
        audio_transport: 'audiosocket',
        audiosocket_address: '127.0.0.1:8090',
        default_provider: 'local',
        providers: { local: { ready: true }, loopback: { ready: false, reason: 'off' } },
        speech_detection: { ready: true },
        end_of_turn: { ready: true },
        conversation: { states: { listening: 2 }, gates_closed: 1, gate_reasons: { agent_speaking: 1 } },
      },
    ])
  })

  test.each([
    [{}, 'ok'],
    [{ ariConnected: false, ariProblem: 'p' }, 'degraded'],
    [{ draining: true }, 'draining'],
    [{ draining: true, ariConnected: false, ariProblem: 'p' }, 'draining'],
  ] as const)('/health with %p is 200 and says %s', async (status, said) => {
    const response = await api(status).request('/health')
    expect(response.status).toBe(200)
    expect(await bodyOf(response)).toMatchObject({ status: said })
  })

  test('/metrics has the exposition and the content type that Prometheus insists on', async () => {
    const response = await api().request('/metrics')
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
      'a 1\n',
    ])
  })

  test('another path is 404 and names those there are; another method is no endpoint', async () => {
    const response = await api().request('/nothing')
    expect(response.status).toBe(404)
    expect(JSON.stringify(await bodyOf(response))).toContain(endpoints.join(', '))
    expect((await api().request('/health', { method: 'POST' })).status).toBe(404)
  })

  test('/media gives the bytes, no hint of a format, and leave to keep nothing', async () => {
    const response = await api().request('/media/a1b2.sln')
    expect([response.status, [...new Uint8Array(await response.arrayBuffer())]]).toEqual([200, [1, 2, 3, 4]])
    expect(Object.fromEntries(response.headers)).toEqual({
      'content-type': 'application/octet-stream',
      'content-length': '4',
      'cache-control': 'no-store, no-cache',
    })
  })

  test.each(['/media/a1b2', '/media/a1b3.sln', '/media/', '/media/..%2Fa1b2.sln', '/media/a1b2.sln/x'])(
    '%s is nothing',
    async (path) => {
      expect((await api().request(path)).status).toBe(404)
    },
  )

  test('HEAD of a file has its length and no bytes, over a socket as well; an engine without files has none', async () => {
    const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: (request) => api().fetch(request) })
    const head = await fetch(`${server.url}media/a1b2.sln`, { method: 'HEAD' })
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '4', ''])
    expect((await fetch(`${server.url}media/none.sln`, { method: 'HEAD' })).status).toBe(404)
    await server.stop(true)
    const without = createApi({
      status: () => ready,
      scrape: () => Promise.resolve({ contentType: '', text: '' }),
    })
    expect((await without.request('/media/a1b2.sln')).status).toBe(404)
  })

  test('a fault is 500 and tells nothing of the inside', async () => {
    const broken = createApi({
      status: () => {
        throw new Error('secret of the inside')
      },
      scrape: () => Promise.reject(new Error('secret of the inside')),
    })
    for (const path of ['/ready', '/health', '/metrics']) {
      const response = await broken.request(path)
      expect([response.status, await response.text()]).toEqual([500, '{"error":"internal error"}'])
    }
  })

  test('each is answered, and has its row in the README', async () => {
    const readme = readFileSync(join(import.meta.dir, '..', '..', '..', 'README.md'), 'utf8')
    for (const endpoint of endpoints) {
      const [method = '', path = ''] = endpoint.replace(':name', 'a1b2.sln').split(' ')
      const body = method === 'PUT' ? { body: '{"name": "local"}' } : {}
      const response = await api().request(path, { method, headers: { host: 'localhost' }, ...body })
      expect([endpoint, response.status]).toEqual([endpoint, 200])
      expect(readme).toContain(`| \`${endpoint}\` |`)
    }
  })
})
