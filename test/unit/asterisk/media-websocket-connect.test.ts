import { afterAll, afterEach, describe, expect, test } from 'bun:test'
import type { MediaWebSocketDoorOptions } from '#asterisk/media-websocket-door.ts'
import { FakeMediaChannel } from '../../fakes/media-websocket-asterisk.ts'
import { disposeAll, makeDoor, prepared, toDispose, until, uuid } from '../../fakes/media-websocket-door.ts'
import { listenOnWire, WebSocketWire } from '../../fakes/media-websocket-wire.ts'

afterEach(disposeAll)

/** They stay to the end: a port that was just left could go to the next one, and a late answer with it. */
const servers: { stop(now: boolean): void }[] = []
afterAll(() => {
  for (const server of servers) server.stop(true)
})

describe('the engine connects', () => {
  /** An Asterisk whose HTTP server answers an upgrade with this; `open` begins when the test says. */
  function asterisk(status = 101) {
    const wires: WebSocketWire[] = []
    const channels: FakeMediaChannel[] = []
    const server = listenOnWire(() => {
      const wire: WebSocketWire = new WebSocketWire('server', {
        text: (text) => channel.receiveText(text),
        binary: (bytes) => channel.receiveBinary(bytes),
        closed: () => {},
      })
      wire.statusFor = () => status
      const channel = new FakeMediaChannel(
        { format: 'slin16', form: 'json', channelId: 'media-1', connectionId: 'c' },
        (text) => wire.sendText(text),
        () => wire.close(1000),
      )
      wires.push(wire)
      channels.push(channel)
      return wire
    })
    servers.push(server)
    return { wires, channels, port: server.port }
  }

  const connecting = (port: number, options: Partial<MediaWebSocketDoorOptions> = {}) =>
    makeDoor({ direction: 'connect', host: '127.0.0.1', port }, options)

  test('to the id of the channel, with the sub-protocol, once and without compression', async () => {
    const { port, wires, channels } = asterisk()
    const { door, calls } = connecting(port)
    const media = await prepared(door)
    media.made({ MEDIA_WEBSOCKET_CONNECTION_ID: 'd941/dd' })
    media.made({ MEDIA_WEBSOCKET_CONNECTION_ID: 'd941/dd' })
    await until(() => wires[0]?.request !== undefined && wires[0].request !== '')
    channels[0]?.start()
    await until(() => calls.taken.length === 1)
    const request = wires[0]?.request ?? ''
    expect(request.split('\r\n')[0]).toBe('GET /media/d941%2Fdd HTTP/1.1')
    expect(request.toLowerCase()).toContain('sec-websocket-protocol: media')
    expect(request.toLowerCase()).not.toContain('deflate')
    expect(wires.length).toBe(1)
    expect(calls.taken[0]).toMatchObject({ uuid, peer: `127.0.0.1:${port}` })
  })

  test.each([
    [404, 'knows no such media channel'],
    [409, 'has a media connection for this channel already'],
    [500, 'are http.conf and the address right'],
  ] as const)(
    'and is refused with %d: the call ends at once, and the log says what is known',
    async (status, words) => {
      const { port } = asterisk(status)
      const { door, calls, logged } = connecting(port)
      const media = await prepared(door)
      media.made({ MEDIA_WEBSOCKET_CONNECTION_ID: 'd941' })
      await until(() => calls.endings[0] !== undefined)
      expect(calls.endings).toEqual(['media_lost'])
      expect(logged).toContainEqual(
        expect.objectContaining({ reason: 'connect_failed', why: expect.stringContaining(words) }),
      )
      expect([door.counters.rejected, door.connections]).toEqual([{ connect_failed: 1 }, 0])
    },
  )

  test('and nobody listens there: the same', async () => {
    const { door, calls } = connecting(1)
    const media = await prepared(door)
    media.made({ MEDIA_WEBSOCKET_CONNECTION_ID: 'd941' })
    await until(() => calls.endings[0] !== undefined)
    expect([calls.endings, door.counters.rejected]).toEqual([['media_lost'], { connect_failed: 1 }])
  })

  test('and is never answered: after the limit the call is told', async () => {
    const server = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data() {} } })
    toDispose.push(() => server.stop(true))
    const { door, calls, clock } = connecting(server.port)
    const media = await prepared(door)
    media.made({ MEDIA_WEBSOCKET_CONNECTION_ID: 'd941' })
    clock.advance(3000)
    expect([calls.endings, door.counters.rejected, door.connections]).toEqual([['media_lost'], { start_timeout: 1 }, 0])
  })

  test('and the order is given back before: the connection is dropped, and no call hears of it', async () => {
    const { port, wires } = asterisk()
    const { door, calls, clock } = connecting(port)
    const media = await prepared(door)
    media.made({ MEDIA_WEBSOCKET_CONNECTION_ID: 'd941' })
    await until(() => wires[0]?.request !== '')
    media.release()
    media.release()
    await until(() => door.connections === 0)
    expect([calls.taken, door.counters.rejected]).toEqual([[], {}])
    media.made({ MEDIA_WEBSOCKET_CONNECTION_ID: 'd941' })
    expect(door.connections).toBe(0)
    await prepared(door)
    door.close()
    await until(() => clock.pending === 0)
  })

  test('and Asterisk breaks off without a goodbye: the media are lost', async () => {
    const { port, wires, channels } = asterisk()
    const { door, calls } = connecting(port)
    const media = await prepared(door)
    media.made({ MEDIA_WEBSOCKET_CONNECTION_ID: 'd941' })
    await until(() => wires[0]?.request !== undefined && wires[0].request !== '')
    channels[0]?.start()
    await until(() => calls.taken.length === 1)
    wires[0]?.terminate()
    await until(() => calls.endings[0] !== undefined)
    expect([calls.endings, door.connections]).toEqual([['media_lost'], 0])
  })
})
