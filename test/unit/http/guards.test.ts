import { afterEach, describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { SystemClock } from '#base/clock.ts'
import { ok } from '#base/result.ts'
import type { AccessRules } from '#http/access.ts'
import { createApi } from '#http/api.ts'
import { controlEndpoints } from '#http/control.ts'
import { Listener } from '#http/listener.ts'
import type { EngineStatus } from '#http/status.ts'
import { accessRules, controlDeps } from '../../fakes/control.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

// Who asks, and how, is looked at in the same way by every endpoint under /api.

const token = 'canary-token-4711'
const authorization = `Bearer ${token}`
const host = 'localhost'
const locked = accessRules({ boundHost: '0.0.0.0', token: ok(token) })
const open = accessRules()
let listener: Listener | null = null

afterEach(async () => {
  await listener?.close()
  listener = null
})

function create(access: AccessRules, clock: ManualClock | SystemClock = new ManualClock()) {
  return createApi({
    status: () => ({}) as EngineStatus,
    scrape: () => Promise.resolve({ contentType: '', text: '' }),
    control: controlDeps({ clock, access: () => access }),
  })
}

const split = (endpoint: string) => endpoint.split(' ') as [string, string]
const withBody = controlEndpoints.filter((each) => !each.startsWith('GET'))

describe.each([...controlEndpoints])('%s', (endpoint) => {
  const [method, path] = split(endpoint)
  const body = method === 'GET' ? {} : { body: '{"name": "a"}' }
  const ask = async (access: AccessRules, headers: Record<string, string>, otherMethod = method) => {
    const response = await create(access).request(path, { method: otherMethod, headers, ...body })
    expect(`${await response.text()} ${JSON.stringify([...response.headers])}`).not.toContain(token)
    return response.status
  }

  test('with a token: none, a wrong one, the right one', async () => {
    expect(await ask(locked, { host: 'localhost' })).toBe(401)
    expect(await ask(locked, { host: 'localhost', authorization: `${authorization}x` })).toBe(401)
    expect(await ask(locked, { host: 'localhost', authorization })).toBe(200)
  })

  test('by another name: whatever the token', async () => {
    for (const given of [{}, { authorization }]) expect(await ask(locked, { host: 'evil.example', ...given })).toBe(421)
    const named = { ...locked, names: ['proxy.example'] }
    expect(await ask(named, { host: 'proxy.example', authorization })).toBe(200)
    expect(await ask(named, { host: 'proxy.example' })).toBe(401)
  })

  test('closed: to everybody', async () => {
    expect(await ask({ ...locked, open: false }, { host: 'localhost', authorization })).toBe(403)
    expect(await ask({ ...open, open: false }, { host: 'evil.example' })).toBe(403)
  })

  test('without one: another host, a web page, this machine, an address that others reach', async () => {
    expect(await ask(open, { host: 'evil.example' })).toBe(421)
    expect(await ask(open, { host: 'localhost', origin: 'https://evil.example' })).toBe(403)
    expect(await ask(open, { host: 'localhost' })).toBe(200)
    expect(await ask({ ...open, boundHost: '0.0.0.0' }, { host: 'localhost' })).toBe(403)
  })

  test('another method', async () => {
    expect(await ask(locked, { host: 'localhost', authorization }, 'DELETE')).toBe(405)
    expect(await ask(locked, { host: 'localhost' }, 'DELETE')).toBe(401)
  })
})

describe.each(withBody)('the body of %s', (endpoint) => {
  const [method, path] = split(endpoint)
  const max = path.startsWith('/api/config/') ? 1024 * 1024 : 1024
  const limitMs = path.startsWith('/api/config/') ? 5000 : 2000

  test('may not be too large, said beforehand or found out', async () => {
    listener = new Listener('127.0.0.1', 0)
    const api = create(locked, new SystemClock())
    listener.attach((request, connection) => api.fetch(request, connection))
    const init = { method, headers: { authorization } }
    const said = await fetch(`${listener.url}${path}`, { ...init, body: 'x'.repeat(max + 1) })
    const stream = new ReadableStream({
      start(controller) {
        for (let part = 0; part < 5; part += 1) controller.enqueue(new TextEncoder().encode('x'.repeat(max / 4)))
        controller.close()
      },
    })
    const found = await fetch(`${listener.url}${path}`, { ...init, body: stream })
    expect([said.status, found.status]).toEqual([413, 413])
  })

  test('may not take too long', async () => {
    const clock = new ManualClock()
    const endless = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1)) })
    const answering = create(locked, clock).request(path, { method, headers: { host, authorization }, body: endless })
    while (clock.pending === 0) await Bun.sleep(1)
    clock.advance(limitMs - 100)
    expect(await Promise.race([answering, Bun.sleep(20).then(() => 'waits')])).toBe('waits')
    clock.advance(200)
    expect((await answering).status).toBe(408)
  })
})

test('over a socket, a text that stalls is answered before the server gives the connection up', async () => {
  listener = new Listener('127.0.0.1', 0)
  const api = create(locked, new SystemClock())
  listener.attach((request, connection) => api.fetch(request, connection))
  const { port } = listener
  const said = await new Promise<string>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(
        `POST /api/config/validate HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${authorization}\r\nContent-Length: 20\r\n\r\nabc`,
      )
    })
    socket.once('data', (bytes) => {
      resolve(bytes.toString())
      socket.destroy()
    })
  })
  expect(said).toStartWith('HTTP/1.1 408')
}, 10_000)
