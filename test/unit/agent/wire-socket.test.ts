import { afterEach, describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { type AddressInfo, createServer } from 'node:net'
import { bunSocket, type WireSocket } from '#agent/wire-socket.ts'
import { type Clock, SystemClock } from '#base/clock.ts'
import { systemRandom } from '#base/random.ts'
import type { StandinOptions } from '../../standin/openai-realtime/options.ts'
import { type StandinServer, startStandin } from '../../standin/openai-realtime/server.ts'

// The real client over a real connection, to the stand-in.

let server: StandinServer | null = null
let socket: WireSocket | null = null
afterEach(async () => {
  socket?.close()
  await server?.close()
})

function connect(options: Partial<StandinOptions> = {}, clock: Clock = new SystemClock(), headers = {}) {
  server = startStandin({ clock: new SystemClock(), random: systemRandom, ...options })
  const lost = Promise.withResolvers<{ why: string; status: number | null }>()
  const opened = Promise.withResolvers<void>()
  const messages: string[] = []
  const first = Promise.withResolvers<string>()
  socket = bunSocket(clock)(`${server.realtimeUrl}?model=gpt-realtime`, headers, {
    opened: () => opened.resolve(),
    message: (text) => {
      messages.push(text)
      first.resolve(text)
    },
    lost: (why, status) => lost.resolve({ why, status }),
  })
  return { socket, server, opened: opened.promise, lost: lost.promise, first: first.promise, messages }
}

describe('a socket', () => {
  test('brings text, both ways, and its headers', async () => {
    const key = 'sk-1'
    const { socket, first, server } = connect({ key }, new SystemClock(), { authorization: `Bearer ${key}` })
    expect(JSON.parse(await first).type).toBe('session.created')
    socket.send('{"type":"input_audio_buffer.clear","event_id":"x_1"}')
    while ((server.sessions[0]?.record.received.length ?? 0) === 0) await Bun.sleep(1)
    expect(server.sessions[0]?.record.received[0]?.event.event_id).toBe('x_1')
    expect(socket.waitingBytes).toBe(0)
  })

  test.each([
    ['bad_key', 401],
    ['rate_limited', 429],
    ['server_error', 500],
  ] as const)('a refused upgrade, %s: its status', async (kind, status) => {
    expect(await connect({ refusal: { kind } }).lost).toMatchObject({ status })
  })

  test('a key that is refused after the upgrade: the server’s word, and then the end', async () => {
    const { first, lost } = connect({ refusal: { kind: 'bad_key', afterUpgrade: true } })
    expect(JSON.parse(await first).type).toBe('error')
    expect(await lost).toMatchObject({ status: null, why: expect.stringContaining('invalid_api_key') })
  })

  test('nobody there', async () => {
    const lost = Promise.withResolvers<number | null>()
    socket = bunSocket(new SystemClock())(
      'ws://127.0.0.1:1/v1/realtime',
      {},
      {
        opened: () => {},
        message: () => {},
        lost: (_why, status) => lost.resolve(status),
      },
    )
    expect(await lost.promise).toBeNull()
  })

  test('a connection that is cut is told once; one that we close is not told', async () => {
    const { opened, lost, server } = connect()
    await opened
    while (server.sessions.length === 0) await Bun.sleep(1)
    server.sessions[0]?.cut()
    expect((await lost).why).not.toBe('')

    const second = connect()
    await second.opened
    second.socket.close()
    const over = await Promise.race([second.lost.then(() => 'told'), Bun.sleep(100).then(() => 'not told')])
    expect(over).toBe('not told')
  })

  test('a peer that does not answer our close is left all the same', async () => {
    const left = Promise.withResolvers<void>()
    const deaf = createServer((peer) => {
      peer.on('error', () => {})
      peer.on('close', () => left.resolve())
      peer.once('data', (request) => {
        const key = /sec-websocket-key: (.*)\r\n/i.exec(request.toString())?.[1] ?? ''
        const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
        const head = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
        peer.write(`${[...head, `Sec-WebSocket-Accept: ${accept}`].join('\r\n')}\r\n\r\n`)
      })
    })
    await new Promise<void>((resolve) => deaf.listen(0, '127.0.0.1', resolve))
    const { port } = deaf.address() as AddressInfo
    const opened = Promise.withResolvers<void>()
    const clock = new SystemClock()
    const socket = bunSocket(clock)(
      `ws://127.0.0.1:${port}/v1/realtime`,
      {},
      { opened: () => opened.resolve(), message: () => {}, lost: () => {} },
    )
    await opened.promise
    socket.close()
    expect(await Promise.race([left.promise.then(() => 'left'), Bun.sleep(3000)])).toBe('left')
    deaf.close()
  })

  test('it is kept alive by pings, and no timer is left behind', async () => {
    const clock = new SystemClock()
    const quick: Clock = Object.assign(Object.create(clock) as SystemClock, {
      every: (_ms: number, tick: (nowMs: number) => void) => clock.every(10, tick),
    })
    const { opened, server, socket } = connect({}, quick)
    await opened
    while ((server.sessions[0]?.record.pings ?? 0) < 3) await Bun.sleep(2)
    socket.close()
    // It waits for the peer to close as well.
    for (let waited = 0; clock.timers > 0 && waited < 500; waited += 5) await Bun.sleep(5)
    expect(clock.timers).toBe(0)
  })
})
