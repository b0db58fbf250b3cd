import { afterEach, describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { SystemClock } from '#base/clock.ts'
import { ok } from '#base/result.ts'
import type { ReloadAnswer } from '#config/reload.ts'
import type { AccessRules } from '#http/access.ts'
import { createApi } from '#http/api.ts'
import { Listener } from '#http/listener.ts'
import type { EngineStatus } from '#http/status.ts'
import { accessRules, controlDeps } from '../../fakes/control.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

const token = 'canary-token-4711'
const locked = accessRules({ boundHost: '0.0.0.0', token: ok(token) })
const authorization = `Bearer ${token}`
const host = 'localhost'
let listener: Listener | null = null

afterEach(async () => {
  await listener?.close()
  listener = null
})

function setUp(
  answer: ReloadAnswer = { outcome: 'unchanged', warnings: [], last: null },
  access: AccessRules = locked,
) {
  const asked = { times: 0 }
  const clock = new ManualClock()
  const deps = (time: ManualClock | SystemClock) => ({
    status: () => ({}) as EngineStatus,
    scrape: () => Promise.resolve({ contentType: '', text: '' }),
    control: controlDeps({
      clock: time,
      access: () => access,
      reload: () => {
        asked.times += 1
        return Promise.resolve(answer)
      },
    }),
  })
  const api = createApi(deps(clock))
  const post = (init: RequestInit = {}) =>
    api.request('/api/reload', { method: 'POST', headers: { host, authorization }, ...init })
  const listen = () => {
    listener = new Listener('127.0.0.1', 0)
    const real = createApi(deps(new SystemClock()))
    listener.attach((request, connection) => real.fetch(request, connection))
    return listener
  }
  return { asked, clock, post, api, listen }
}

describe('POST /api/reload', () => {
  const change = { key: 'llm.prompt', from: '"a"', to: '"b"', restart: false }
  const cases: [ReloadAnswer, number, object][] = [
    [
      { outcome: 'changed', changes: [change], warnings: ['w'] },
      200,
      {
        outcome: 'changed',
        changes: [{ key: 'llm.prompt', from: '"a"', to: '"b"' }],
        warnings: ['w'],
        problems: [],
        last_change: null,
      },
    ],
    [
      { outcome: 'unchanged', warnings: [], last: null },
      200,
      { outcome: 'unchanged', changes: [], warnings: [], problems: [], last_change: null },
    ],
    [
      { outcome: 'refused', problems: ['a.yaml:1:1: no.'] },
      422,
      { outcome: 'refused', changes: [], warnings: [], problems: ['a.yaml:1:1: no.'], last_change: null },
    ],
    [
      { outcome: 'unchanged', warnings: [], last: { wallMs: 1_700_000_000_000, trigger: 'file', changes: [change] } },
      200,
      {
        outcome: 'unchanged',
        changes: [],
        warnings: [],
        problems: [],
        last_change: {
          at: '2023-11-14T22:13:20.000Z',
          trigger: 'file',
          changes: [{ key: 'llm.prompt', from: '"a"', to: '"b"' }],
        },
      },
    ],
  ]
  test.each(cases)('%#', async (answer, status, body) => {
    const response = await setUp(answer).post()
    expect([response.status, await response.json()]).toEqual([status, body])
  })

  test('takes a small body and looks at none of it', async () => {
    const { post, asked } = setUp()
    expect((await post({ body: '{"anything": 1}' })).status).toBe(200)
    expect(asked.times).toBe(1)
  })

  test('refuses a body that is too large, said beforehand or found out', async () => {
    const { post, asked, listen } = setUp()
    expect((await post({ body: 'x'.repeat(1025) })).status).toBe(413)
    const { url } = listen()
    const stream = new ReadableStream({
      start(controller) {
        for (let part = 0; part < 8; part += 1) controller.enqueue(new TextEncoder().encode('x'.repeat(1000)))
        controller.close()
      },
    })
    const response = await fetch(`${url}/api/reload`, { method: 'POST', headers: { authorization }, body: stream })
    expect(response.status).toBe(413)
    const long = await fetch(`${url}/api/reload`, { method: 'POST', headers: { authorization }, body: 'x'.repeat(5e6) })
    expect([long.status, asked.times]).toEqual([413, 0])
  })

  test('refuses a body that does not come to its end in time', async () => {
    const { post, clock, asked } = setUp()
    const endless = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1)) })
    const answering = post({ body: endless })
    for (let round = 0; round < 20; round += 1) {
      await Bun.sleep(1)
      clock.advance(200)
    }
    expect([(await answering).status, asked.times]).toEqual([408, 0])
  })

  test('over a socket, a request that stalls in its body is answered, too', async () => {
    const { listen } = setUp()
    const { port } = listen()
    const said = await new Promise<string>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.write(
          `POST /api/reload HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${authorization}\r\nContent-Length: 20\r\n\r\nabc`,
        )
      })
      socket.once('data', (bytes) => {
        resolve(bytes.toString())
        socket.destroy()
      })
    })
    expect(said).toStartWith('HTTP/1.1 408')
  })
})

describe('what is under /api', () => {
  test('asks for the token before anything else, also where there is no endpoint', async () => {
    const { api, asked } = setUp()
    for (const path of ['/api/reload', '/api/nothing', '/api/']) {
      for (const method of ['POST', 'GET', 'PUT']) {
        const response = await api.request(path, { method, headers: { host: 'localhost' } })
        expect([path, response.status, response.headers.get('www-authenticate')]).toEqual([path, 401, 'Bearer'])
      }
    }
    const large = await api.request('/api/reload', { method: 'POST', headers: { host }, body: 'x'.repeat(5000) })
    expect([large.status, asked.times]).toEqual([401, 0])
  })

  test('is 405 for another method and 404 for another path, with the token', async () => {
    const { api } = setUp()
    const other = await api.request('/api/reload', { headers: { host, authorization } })
    expect([other.status, other.headers.get('allow'), await other.json()]).toEqual([
      405,
      'POST',
      { error: 'expected POST' },
    ])
    for (const path of ['/api/nothing', '/api', '/api/', '/api/config/', '/api/reload/x']) {
      const nothing = await api.request(path, { method: 'POST', headers: { host, authorization } })
      expect([path, nothing.status, Object.keys((await nothing.json()) as object)]).toEqual([path, 404, ['error']])
    }
  })

  test('is not there in an engine without it', async () => {
    const bare = createApi({
      status: () => ({}) as EngineStatus,
      scrape: () => Promise.resolve({ contentType: '', text: '' }),
    })
    expect((await bare.request('/api/reload', { method: 'POST' })).status).toBe(404)
  })

  test('never says the token', async () => {
    const { api, listen } = setUp()
    const { url } = listen()
    const answers = [
      await api.request('/api/reload', { method: 'POST', headers: { host } }),
      await api.request('/api/reload', { method: 'POST', headers: { host: 'evil.example', authorization } }),
      await fetch(`${url}/api/reload`, { method: 'POST', headers: { authorization: `Basic ${token}` } }),
      await fetch(`${url}/api/nothing`, { headers: { authorization } }),
    ]
    for (const answer of answers) {
      expect(`${await answer.text()} ${JSON.stringify([...answer.headers])}`).not.toContain(token)
    }
  })
})
