import { expect, test } from 'bun:test'
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
