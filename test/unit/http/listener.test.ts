import { expect, test } from 'bun:test'
import { connect } from 'node:net'
import { Listener } from '#http/listener.ts'

test('answers from the first moment, and with the API once there is one', async () => {
  const listener = new Listener('127.0.0.1', 0)
  try {
    const ask = async (path: string) => (await fetch(`${listener.url}${path}`)).status
    expect([await ask('/live'), await ask('/ready'), await ask('/health')]).toEqual([200, 503, 503])
    listener.attach(() => new Response('x', { status: 418 }))
    expect([await ask('/live'), await ask('/ready')]).toEqual([418, 418])
    const port = Number(new URL(listener.url).port)
    expect(() => new Listener('127.0.0.1', port)).toThrow(`127.0.0.1:${port}`)
  } finally {
    await listener.close()
  }
})

/** What comes back to these bytes on a connection of their own. */
function answerTo(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request))
    let said = ''
    socket.on('data', (bytes) => {
      said += bytes.toString()
    })
    socket.on('error', reject)
    socket.setTimeout(2000, () => socket.destroy())
    socket.on('close', () => resolve(said))
  })
}

test('a probe of HTTP/1.0 without Host gets its answer, before and after there is an API', async () => {
  const listener = new Listener('127.0.0.1', 0)
  try {
    expect(await answerTo(listener.port, 'GET /live HTTP/1.0\r\n\r\n')).toContain(' 200 ')
    expect(await answerTo(listener.port, 'GET /ready HTTP/1.0\r\n\r\n')).toContain(' 503 ')
    listener.attach(({ url, method }) => new Response(`${method} ${new URL(url).pathname}`, { status: 418 }))
    expect(await answerTo(listener.port, 'HEAD /ready?x=1 HTTP/1.0\r\n\r\n')).toContain(' 418 ')
    expect(await answerTo(listener.port, 'POST /ready HTTP/1.0\r\nContent-Length: 2\r\n\r\nab')).toContain(
      'POST /ready',
    )
  } finally {
    await listener.close()
  }
})

test('a fault says nothing of where it was', async () => {
  const listener = new Listener('127.0.0.1', 0)
  try {
    listener.attach(() => {
      throw new Error('secret')
    })
    const response = await fetch(`${listener.url}/ready`)
    expect([response.status, await response.json()]).toEqual([500, { error: 'a fault of the engine' }])
  } finally {
    await listener.close()
  }
})
