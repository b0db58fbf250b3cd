import { afterEach, describe, expect, test } from 'bun:test'
import { AllowList } from '#asterisk/allow-list.ts'
import { mediaPath } from '#asterisk/media-websocket-link.ts'
import {
  asteriskConnects,
  disposeAll,
  listening,
  makeDoor,
  order,
  prepared,
  until,
  uuid,
} from '../../fakes/media-websocket-door.ts'

afterEach(disposeAll)

describe('what Asterisk is asked for', () => {
  test('when the engine connects', async () => {
    const { door } = makeDoor({ direction: 'connect', host: '127.0.0.1', port: 1 })
    expect((await prepared(door)).request).toEqual({
      transport: 'websocket',
      encapsulation: 'none',
      format: 'slin16',
      connection_type: 'server',
      external_host: 'INCOMING',
      transport_data: 'f(json)',
    })
  })

  test('when Asterisk connects', async () => {
    const { door } = listening()
    expect((await prepared(door)).request).toEqual({
      transport: 'websocket',
      encapsulation: 'none',
      format: 'slin16',
      connection_type: 'client',
      external_host: 'engine',
      transport_data: 'f(json)',
    })
  })

  test('nothing, when it is ordered twice, when too many are open, or after the end', async () => {
    const { door, port } = listening({ connectionsMax: 1 })
    await prepared(door)
    expect(await door.prepare(order)).toMatchObject({ ok: false })
    await asteriskConnects(port)
    const other = { ...order, uuid: 'other', channelId: 'other' }
    expect(await door.prepare(other)).toMatchObject({ ok: false, error: expect.stringContaining('1 media WebSockets') })
    door.close()
    expect(await door.prepare(other)).toMatchObject({ ok: false, error: expect.stringContaining('stopping') })
  })
})

describe('Asterisk connects', () => {
  test('and MEDIA_START says for which call; the sub-protocol is agreed', async () => {
    const { door, port, calls } = listening()
    await prepared(door)
    const { outcome, wire, channel } = await asteriskConnects(port)
    expect(outcome).toBe('open')
    expect(wire.answer.toLowerCase()).toContain('sec-websocket-protocol: media')
    // Audio of nobody knows whose call is dropped, and what is no MEDIA_START tells nothing.
    wire.sendBinary(new Uint8Array(640))
    wire.sendText('MEDIA_LATER')
    channel.start()
    wire.sendBinary(new Uint8Array(640))
    await until(() => calls.taken[0]?.events.length === 1)
    expect(calls.taken).toMatchObject([{ uuid, peer: '127.0.0.1', events: [{ type: 'audio' }] }])
    expect([door.connections, door.counters.accepted, door.counters.unknownEvents]).toEqual([1, 1, 1])
  })

  test("with another call's parameters in its URI: the channel counts", async () => {
    const { door, port, calls } = listening()
    await prepared(door)
    await prepared(door, { uuid: 'other', channelId: 'media-2', format: 'slin16' })
    const { channel } = await asteriskConnects(port, { to: `${mediaPath}?call=${uuid}`, channelId: 'media-2' })
    channel.start()
    await until(() => calls.taken.length === 1)
    expect(calls.taken[0]?.uuid).toBe('other')
  })

  test('while no call waits: refused', async () => {
    const { door, port } = listening()
    expect((await asteriskConnects(port)).outcome).toBe(404)
    const media = await prepared(door)
    media.release()
    expect((await asteriskConnects(port)).outcome).toBe(404)
    expect([door.counters.rejected, door.connections]).toEqual([{ unknown_uuid: 2 }, 0])
  })

  test('for a channel that nobody ordered: a goodbye', async () => {
    const { door, port, calls } = listening()
    await prepared(door)
    const { channel, closed } = await asteriskConnects(port, { channelId: 'media-2' })
    channel.start()
    expect(await closed).toBe(1000)
    await until(() => door.connections === 0)
    expect([calls.taken.length, door.counters.rejected]).toEqual([0, { unknown_uuid: 1 }])
  })

  test('a second time for one call: a goodbye, also after the first has ended', async () => {
    const { door, port, calls } = listening()
    await prepared(door)
    // Another call that waits, so that connections are taken at all.
    await prepared(door, { uuid: 'other', channelId: 'media-2', format: 'slin16' })
    const first = await asteriskConnects(port)
    first.channel.start()
    await until(() => calls.taken.length === 1)
    const second = await asteriskConnects(port)
    second.channel.start()
    expect(await second.closed).toBe(1000)
    first.wire.close(1000)
    await until(() => calls.endings[0] === 'caller')
    const third = await asteriskConnects(port)
    third.channel.start()
    expect(await third.closed).toBe(1000)
    expect([calls.taken.length, door.counters.rejected]).toEqual([1, { duplicate_uuid: 2 }])
  })

  test('at another path: refused', async () => {
    const { door, port } = listening()
    await prepared(door)
    expect((await asteriskConnects(port, { to: '/other' })).outcome).toBe(404)
    expect(door.counters.rejected).toEqual({ wrong_path: 1 })
  })

  test('from an address that is not allowed: refused before anything else', async () => {
    const { door, port } = listening({}, ['10.0.0.0/8'], { username: 'u', password: 'p' })
    expect((await asteriskConnects(port)).outcome).toBe(403)
    expect(door.counters.rejected).toEqual({ not_allowed: 1 })
  })

  test('with the user and password of its section, and with no others', async () => {
    const { door, port } = listening({}, ['127.0.0.1'], { username: 'asterisk', password: 'sécret:1' })
    await prepared(door)
    const basic = (text: string) => ({ Authorization: `Basic ${Buffer.from(text).toString('base64')}` })
    expect((await asteriskConnects(port)).outcome).toBe(401)
    expect((await asteriskConnects(port, { headers: basic('asterisk:wrong') })).outcome).toBe(401)
    expect((await asteriskConnects(port, { headers: basic('asterisk:sécret:1') })).outcome).toBe('open')
    expect(door.counters.rejected).toEqual({ unauthorized: 2 })
  })

  test('who is no WebSocket is told what this is', async () => {
    const { door, port } = listening()
    await prepared(door)
    const response = await fetch(`http://127.0.0.1:${port}${mediaPath}`)
    expect([response.status, door.counters.rejected]).toEqual([426, { not_websocket: 1 }])
    // The call is still waiting for the right one.
    expect((await asteriskConnects(port)).outcome).toBe('open')
  })

  test('one connection more than allowed is refused; a place that is free again is taken', async () => {
    const { door, port } = listening({ connectionsMax: 1 })
    await prepared(door)
    const first = await asteriskConnects(port)
    expect((await asteriskConnects(port)).outcome).toBe(503)
    first.wire.close(1000)
    await until(() => door.connections === 0)
    expect((await asteriskConnects(port)).outcome).toBe('open')
    expect(door.counters.rejected).toEqual({ too_many_connections: 1, closed_before_start: 1 })
  })

  test('and says nothing: after the limit it is turned away', async () => {
    const { door, port, clock } = listening()
    await prepared(door)
    const { closed } = await asteriskConnects(port)
    await until(() => door.connections === 1)
    clock.advance(2999)
    expect(door.counters.rejected).toEqual({})
    clock.advance(1)
    expect(door.counters.rejected).toEqual({ start_timeout: 1 })
    expect(await closed).toBe(1000)
    await until(() => door.connections === 0)
  })

  test('with another format: its call ends with protocol_error', async () => {
    const { door, port, calls, logged } = listening()
    await prepared(door)
    const { channel } = await asteriskConnects(port, { startFormat: 'opus' })
    channel.start()
    await until(() => calls.endings[0] !== undefined)
    expect(calls.endings).toEqual(['protocol_error'])
    expect(logged).toContainEqual(expect.objectContaining({ asked: 'slin16', started: 'opus' }))
    expect(door.counters.accepted).toBe(0)
  })

  test('for a call that does not take it: a goodbye, and it is counted', async () => {
    const { door, port, calls } = listening()
    await prepared(door)
    calls.answer = 'refused'
    const { channel, closed } = await asteriskConnects(port)
    channel.start()
    expect(await closed).toBe(1000)
    await until(() => door.connections === 0)
    expect(door.counters).toMatchObject({ accepted: 0, rejected: { refused: 1 } })
  })

  test('a bug of the owner ends its own connection and no other', async () => {
    const { door, port, calls, logged } = listening()
    await prepared(door)
    await prepared(door, { ...order, uuid: 'b', channelId: 'media-2' })
    const one = await asteriskConnects(port)
    const other = await asteriskConnects(port, { channelId: 'media-2' })
    one.channel.start()
    other.channel.start()
    await until(() => calls.taken.length === 2)
    one.wire.sendBinary(new Uint8Array(new Int16Array(320).fill(666).buffer))
    await until(() => calls.endings.includes('internal_error'))
    other.wire.sendBinary(new Uint8Array(640))
    await until(() => calls.taken.some(({ events }) => events[0]?.type === 'audio'))
    expect(calls.endings.filter((cause) => cause !== undefined)).toEqual(['internal_error'])
    expect(logged).toContainEqual(expect.objectContaining({ why: 'a bug of the owner' }))
    await until(() => door.connections === 1)
  })

  test('and breaks off without a goodbye: the media are lost', async () => {
    const { door, port, calls } = listening()
    await prepared(door)
    const { channel, wire } = await asteriskConnects(port)
    channel.start()
    await until(() => calls.taken.length === 1)
    wire.terminate()
    await until(() => calls.endings[0] !== undefined)
    expect([calls.endings, door.connections]).toEqual([['media_lost'], 0])
  })

  test('and falls silent: lost after the limit, which answers to our questions push off', async () => {
    const { door, port, clock, calls } = listening({ silentPeerTimeoutMs: 5000 })
    await prepared(door)
    const { channel, wire } = await asteriskConnects(port)
    channel.start()
    await until(() => calls.taken.length === 1)
    clock.advance(4000)
    wire.sendText('STATUS queue_length:0')
    wire.sendBinary(new Uint8Array(640))
    await until(() => calls.taken[0]?.events.length === 1)
    clock.advance(4500)
    expect(calls.endings).toEqual([undefined])
    clock.advance(1500)
    expect(calls.endings).toEqual(['media_lost'])
  })

  test('and closing the door leaves its leg to its owner, and nothing else', async () => {
    const { door, port, calls, clock } = listening()
    await prepared(door)
    await prepared(door, { ...order, uuid: 'b', channelId: 'media-2' })
    const { channel, wire } = await asteriskConnects(port)
    channel.start()
    await until(() => calls.taken.length === 1)
    const nameless = await asteriskConnects(port)
    door.close()
    door.close()
    expect(await nameless.closed).toBe(1000)
    wire.sendBinary(new Uint8Array(640))
    await until(() => calls.taken[0]?.events.length === 1)
    expect(calls.endings).toEqual([undefined])
    wire.close(1000)
    await until(() => calls.endings[0] === 'caller' && door.connections === 0)
    clock.advance(1000)
    expect(clock.pending).toBe(0)
  })

  test('a port that is taken is named', () => {
    const { port } = listening()
    const allowList = AllowList.parse([])
    if (!allowList.ok) throw new Error(allowList.error)
    const options = { direction: 'listen', host: '127.0.0.1', port, section: 's', allowList: allowList.value } as const
    expect(() => makeDoor({ ...options, credentials: null })).toThrow(`127.0.0.1:${port}`)
  })
})
