import { afterEach, describe, expect, test } from 'bun:test'
import { AllowList } from '#asterisk/allow-list.ts'
import { terminateMessage, uuidMessage } from '#asterisk/audiosocket.ts'
import type { AudioSocketLeg } from '#asterisk/audiosocket-leg.ts'
import { AudioSocketServer, type AudioSocketServerOptions } from '#asterisk/audiosocket-server.ts'
import type { Acceptance } from '#asterisk/door.ts'
import { silentLog } from '#base/log.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

const uuid = '40325ec2-5efd-4bd3-805f-53576e581d13'
const silence = (frames: number) => new Uint8Array(323 * frames).map((_, n) => [0x10, 1, 0x40][n % 323] ?? 0)

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

function listen(options: Partial<AudioSocketServerOptions> = {}) {
  const clock = new ManualClock()
  const allowList = AllowList.parse(['127.0.0.1'])
  if (!allowList.ok) throw new Error(allowList.error)
  const legs: AudioSocketLeg[] = []
  const events: string[] = []
  const errors: string[] = []
  let changed = Promise.withResolvers<void>()
  const note = (what: string) => {
    events.push(what)
    changed.resolve()
    changed = Promise.withResolvers<void>()
  }
  const accept = (id: string, leg: AudioSocketLeg): Acceptance => {
    legs.push(leg)
    leg.onEvent((event) => note(event.type === 'ended' ? `ended ${event.cause}` : event.type))
    note(`leg ${id}`)
    return 'accepted'
  }
  const server = new AudioSocketServer({
    host: '127.0.0.1',
    port: 0,
    sampleRateHz: 8000,
    uuidTimeoutMs: 3000,
    silentPeerTimeoutMs: 0,
    connectionsMax: 10,
    allowList: allowList.value,
    clock,
    log: { ...silentLog, error: (message) => errors.push(message) },
    accept,
    ...options,
  })
  closing.push(() => server.close())
  const until = async (what: string) => {
    while (!events.includes(what)) await changed.promise
  }
  return { server, clock, legs, events, errors, until }
}

/** A peer; `closed` resolves with what it was sent, once the server has closed. */
async function connect(server: AudioSocketServer) {
  const received: number[] = []
  const opened = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<number[]>()
  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port: server.port,
    socket: {
      open: () => opened.resolve(),
      data: (_socket, chunk) => void received.push(...chunk),
      close: () => closed.resolve(received),
      error: () => closed.resolve(received),
    },
  })
  closing.push(() => socket.terminate())
  await opened.promise
  return { socket, closed: closed.promise }
}

/** Resolves when the server has seen so many connections go: the loop turns until then. */
async function untilConnections(server: AudioSocketServer, count: number): Promise<void> {
  while (server.connections !== count) await new Promise<void>((resolve) => setImmediate(resolve))
}

describe('AudioSocketServer', () => {
  test('hands on a connection once it has said its UUID, and what it sends', async () => {
    const { server, until, legs } = listen()
    const { socket } = await connect(server)
    socket.write(uuidMessage(uuid))
    await until(`leg ${uuid}`)
    socket.write(silence(2))
    await until('audio')
    expect([server.counters.accepted, server.connections, legs.length]).toEqual([1, 1, 1])
    socket.end()
    await until('ended caller')
    await untilConnections(server, 0)
    expect(server.counters.rejected).toEqual({})
  })

  test('a peer that does not say its UUID in time is turned away, with a terminate message', async () => {
    const { server, clock } = listen()
    const { closed } = await connect(server)
    await untilConnections(server, 1)
    clock.advance(2999)
    expect(server.counters.rejected).toEqual({})
    clock.advance(1)
    expect(await closed).toEqual([...terminateMessage])
    await untilConnections(server, 0)
    expect(server.counters.rejected).toEqual({ uuid_timeout: 1 })
    // Only the sweep for silent peers is still armed.
    expect(clock.pending).toBe(1)
  })

  test.each(['unknown_uuid', 'duplicate_uuid', 'refused'] as const)(
    'a connection that nobody takes: %s',
    async (acceptance) => {
      const { server } = listen({ accept: () => acceptance })
      const { socket, closed } = await connect(server)
      socket.write(uuidMessage(uuid))
      expect(await closed).toEqual([...terminateMessage])
      await untilConnections(server, 0)
      expect([server.counters.rejected, server.counters.accepted]).toEqual([{ [acceptance]: 1 }, 0])
    },
  )

  test('more connections than the limit: the one too many is turned away, the others stay', async () => {
    const { server } = listen({ connectionsMax: 2 })
    await connect(server)
    await connect(server)
    await untilConnections(server, 2)
    const { closed } = await connect(server)
    await closed
    await untilConnections(server, 2)
    expect(server.counters.rejected).toEqual({ too_many_connections: 1 })
  })

  test('a peer that is not on the allow list is not listened to', async () => {
    const nobody = AllowList.parse(['10.0.0.1'])
    if (!nobody.ok) throw new Error(nobody.error)
    const { server, events } = listen({ allowList: nobody.value })
    const { socket, closed } = await connect(server)
    socket.write(uuidMessage(uuid))
    await closed
    expect([events, server.counters.rejected]).toEqual([[], { not_allowed: 1 }])
  })

  test('a peer that leaves without a word is counted', async () => {
    const { server } = listen()
    const { socket } = await connect(server)
    await untilConnections(server, 1)
    socket.end()
    await untilConnections(server, 0)
    expect(server.counters.rejected).toEqual({ closed_before_uuid: 1 })
  })

  test('a leg that breaks the protocol ends, and is a violation rather than a rejection', async () => {
    const { server, until } = listen()
    const { socket, closed } = await connect(server)
    socket.write(uuidMessage(uuid))
    await until(`leg ${uuid}`)
    socket.write(uuidMessage(uuid))
    await until('ended protocol_error')
    await closed
    await untilConnections(server, 0)
    expect([server.counters.violations, server.counters.rejected]).toEqual([{ second_uuid: 1 }, {}])
  })

  test('audio of a rate that was not agreed ends the leg', async () => {
    const { server, until } = listen()
    const { socket } = await connect(server)
    socket.write(Buffer.concat([uuidMessage(uuid), Buffer.from([0x12, 0, 2, 1, 0])]))
    await until('ended protocol_error')
    expect(server.counters.violations).toEqual({ unexpected_rate: 1 })
  })

  test('kinds that are not known are counted, and the leg goes on', async () => {
    const { server, until, events } = listen()
    const { socket } = await connect(server)
    socket.write(Buffer.concat([uuidMessage(uuid), Buffer.from([0x20, 0, 1, 9, 0x03, 0, 1, 0x35])]))
    await until('dtmf')
    expect([server.counters.unknownKinds, events]).toEqual([1, [`leg ${uuid}`, 'dtmf']])
  })

  test('a peer that falls silent is dropped after its time, where there is one', async () => {
    const { server, until, clock } = listen({ silentPeerTimeoutMs: 5000 })
    const { socket } = await connect(server)
    socket.write(uuidMessage(uuid))
    await until(`leg ${uuid}`)
    clock.advance(5000)
    socket.write(silence(1))
    await until('audio')
    clock.advance(5000)
    expect(server.connections).toBe(1)
    clock.advance(1000)
    await until('ended media_lost')
    await untilConnections(server, 0)
  })

  test('a fault of ours ends that connection, is said, and leaves the port working', async () => {
    let bug = true
    const { server, errors } = listen({
      accept: () => {
        if (bug) throw new Error('a bug in accept')
        return 'refused'
      },
    })
    const first = await connect(server)
    first.socket.write(uuidMessage(uuid))
    await first.closed
    await untilConnections(server, 0)
    expect(errors).toHaveLength(1)
    bug = false
    const second = await connect(server)
    second.socket.write(uuidMessage(uuid))
    await second.closed
    expect(server.counters.rejected).toEqual({ refused: 1 })
  })

  test('a port that is taken is said with host and port', () => {
    const { server } = listen()
    expect(() => listen({ port: server.port })).toThrow(`127.0.0.1:${server.port}`)
  })

  test('closed, it leaves no timer and takes nobody', async () => {
    const { server, clock } = listen()
    server.close()
    expect(clock.pending).toBe(0)
    await expect(connect(server)).rejects.toThrow()
  })
})
