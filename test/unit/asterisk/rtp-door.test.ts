import { afterEach, describe, expect, test } from 'bun:test'
import type { PreparedMedia } from '#asterisk/door.ts'
import {
  atEnd,
  closeAll,
  farSide,
  freeRange,
  hostOf,
  occupy,
  rtpDoorWorld,
  say,
  turns,
  until,
  variablesOf,
} from '../../fakes/rtp-door-world.ts'

afterEach(closeAll)

describe('an order', () => {
  test('asks Asterisk for what the reference names, with the advertised address', async () => {
    const { prepare } = rtpDoorWorld({ advertiseHost: '203.0.113.7' })
    const { request } = await prepare('a')
    expect(request).toEqual({
      external_host: expect.stringMatching(/^203\.0\.113\.7:\d+$/),
      format: 'slin',
      encapsulation: 'rtp',
      transport: 'udp',
      connection_type: 'client',
      direction: 'both',
    })
  })

  test('a format that Asterisk would drop is refused before a port is bound', async () => {
    const { door } = rtpDoorWorld()
    const refused = await door.prepare({ uuid: 'a', channelId: 'a', format: 'slin16' })
    expect(refused).toEqual({ ok: false, error: expect.stringContaining('external_media.format') })
    expect([...door.formats, door.openPorts]).toEqual(['ulaw', 'alaw', 'slin', 0])
  })

  test('an IPv6 address stands in brackets', async () => {
    const { prepare } = rtpDoorWorld({ advertiseHost: '2001:db8::1' })
    expect(hostOf(await prepare('a'))).toMatch(/^\[2001:db8::1\]:\d+$/)
  })

  test('the port is bound before Asterisk is asked, and the leg sends from it', async () => {
    const { prepare, taken } = rtpDoorWorld()
    const far = await farSide()
    const prepared = await prepare('a')
    const port = Number(hostOf(prepared).split(':')[1])
    const second = await occupy(port).then(
      () => 'bound',
      () => 'in use',
    )
    expect(second).toBe('in use')
    prepared.made(variablesOf(far))
    expect(taken.map(({ uuid, peer }) => [uuid, peer])).toEqual([['a', '127.0.0.1']])
    taken[0]?.leg.write({ sampleRateHz: 8000, samples: new Int16Array(160).fill(77) })
    await until(() => far.received.length === 1)
    expect(far.received[0]).toMatchObject({ payloadType: 10, marker: true, bytes: 332 })
    expect(new Set(far.received[0]?.samples)).toEqual(new Set([77]))
  })

  test('released before it was made, its port is free again; asked twice is as good as once', async () => {
    const { door, prepare, taken } = rtpDoorWorld()
    const prepared = await prepare('a')
    expect(door.openPorts).toBe(1)
    prepared.release()
    prepared.release()
    prepared.made({})
    expect([door.openPorts, taken.length]).toEqual([0, 0])
  })

  test('a leg that was made is its owner’s: release leaves it, closing frees the port', async () => {
    const { door, prepare, taken } = rtpDoorWorld()
    const far = await farSide()
    const prepared = await prepare('a')
    prepared.made(variablesOf(far))
    prepared.made(variablesOf(far))
    prepared.release()
    expect([door.openPorts, taken.length, door.counters.accepted]).toEqual([1, 1, 1])
    await taken[0]?.leg.close('agent')
    expect(door.openPorts).toBe(0)
  })

  test.each(['unknown_uuid', 'duplicate_uuid', 'refused'] as const)(
    '%s: the leg is closed and counted',
    async (why) => {
      const { door, prepare, taken, pacer } = rtpDoorWorld({}, why)
      const prepared = await prepare('a')
      prepared.made(variablesOf(await farSide()))
      expect(taken[0]?.events).toEqual([{ type: 'ended', cause: 'setup_failed' }])
      expect([door.openPorts, pacer.size, door.counters.accepted]).toEqual([0, 0, 0])
      expect(door.counters.rejected).toEqual({ [why]: 1 })
    },
  )

  test('whoever throws at a leg is no harm to the door', async () => {
    const { door, prepare } = rtpDoorWorld({
      accept: () => {
        throw new Error('a bug')
      },
    })
    const prepared = await prepare('a')
    expect(() => prepared.made({})).not.toThrow()
    expect([door.openPorts, door.counters.rejected.refused]).toEqual([0, 1])
  })

  test.each([
    {},
    { UNICASTRTP_LOCAL_ADDRESS: 'asterisk.example', UNICASTRTP_LOCAL_PORT: '12000' },
    { UNICASTRTP_LOCAL_ADDRESS: '127.0.0.1', UNICASTRTP_LOCAL_PORT: '70000' },
  ])('without a usable address the first packet tells (%p)', async (variables) => {
    const { prepare, taken, door } = rtpDoorWorld()
    const far = await farSide()
    const prepared = await prepare('a')
    far.sendTo(hostOf(prepared))
    prepared.made(variables)
    say(far, 1)
    await until(() => door.counters.packetsIn === 1)
    taken[0]?.leg.write({ sampleRateHz: 8000, samples: new Int16Array(160) })
    await until(() => far.received.length === 1)
  })

  test('what comes before Asterisk’s answer is counted and not kept', async () => {
    const { prepare, door } = rtpDoorWorld()
    const far = await farSide()
    far.sendTo(hostOf(await prepare('a')))
    say(far, 1)
    await until(() => door.counters.dropped.no_call === 1)
  })
})

describe('the range of ports', () => {
  test('each call has its own, in a circle, without those in use', async () => {
    const portMin = await freeRange(4)
    const { prepare } = rtpDoorWorld({ portMin, portMax: portMin + 3 })
    const stranger = await occupy(portMin + 1)
    atEnd(stranger.close)
    const portOf = (prepared: PreparedMedia) => Number(hostOf(prepared).split(':')[1]) - portMin
    const first = await prepare('a')
    const second = await prepare('b')
    first.release()
    const third = await prepare('c')
    const fourth = await prepare('d')
    // 0 was free again when the third came, and was not taken at once.
    expect([first, second, third, fourth].map(portOf)).toEqual([0, 2, 3, 0])
  })

  test('used up, the failure names the keys and how many ports are needed', async () => {
    const portMin = await freeRange(3)
    const { prepare, door } = rtpDoorWorld({ portMin, portMax: portMin + 2 })
    const stranger = await occupy(portMin)
    atEnd(stranger.close)
    await prepare('a')
    await prepare('b')
    const refused = await door.prepare({ uuid: 'c', channelId: 'c', format: 'slin' })
    if (refused.ok) throw new Error('there was no port for it')
    expect(refused.error).toContain('external_media.port_min')
    expect(refused.error).toContain('external_media.port_max')
    // Two calls and the stranger hold three, and this call needs one.
    expect(refused.error).toContain('at least 4 ports')
    expect([door.counters.bindFailures, door.openPorts]).toEqual([1, 2])
  })

  test('calls that begin at once get different ports', async () => {
    const portMin = await freeRange(8)
    const { prepare, door } = rtpDoorWorld({ portMin, portMax: portMin + 7 })
    const all = await Promise.all([...'abcdefgh'].map((uuid) => prepare(uuid)))
    expect(new Set(all.map(hostOf)).size).toBe(8)
    expect(door.openPorts).toBe(8)
  })

  test('an address that is not ours is said to be external_media.host', async () => {
    const { door } = rtpDoorWorld({ host: '192.0.2.1' })
    const refused = await door.prepare({ uuid: 'a', channelId: 'a', format: 'slin' })
    expect(refused).toEqual({ ok: false, error: expect.stringContaining('external_media.host 192.0.2.1') })
  })
})

describe('one caller never hurts another', () => {
  test.each(['per_call', 'shared'] as const)('a far side that went away (%s)', async (ports) => {
    const { prepare, taken, door } = rtpDoorWorld({ ports })
    const [gone, there] = [await farSide(), await farSide()]
    for (const [uuid, far] of [
      ['a', gone],
      ['b', there],
    ] as const) {
      const prepared = await prepare(uuid)
      far.sendTo(hostOf(prepared))
      prepared.made(variablesOf(far))
    }
    gone.close()
    const samples = new Int16Array(160).fill(5)
    for (let each = 0; each < 100; each += 1) {
      for (const { leg } of taken) expect(leg.write({ sampleRateHz: 8000, samples })).toBe('sent')
      await turns(2)
    }
    await until(() => there.received.length === 100)
    expect(there.received.map(({ sequence }, index) => (sequence - index) & 0xffff)).toEqual(
      Array<number>(100).fill(there.received[0]?.sequence ?? -1),
    )
    expect(door.counters.refusals + door.counters.unsent.refused).toBeGreaterThan(0)
    expect(taken.map(({ events }) => events)).toEqual([[], []])
  })
})

describe('closing the door', () => {
  test('nothing new is taken, and open legs stay', async () => {
    const { door, prepare, taken } = rtpDoorWorld()
    const far = await farSide()
    const prepared = await prepare('a')
    prepared.made(variablesOf(far))
    door.close()
    door.close()
    expect((await door.prepare({ uuid: 'b', channelId: 'b', format: 'slin' })).ok).toBe(false)
    taken[0]?.leg.write({ sampleRateHz: 8000, samples: new Int16Array(160) })
    await until(() => far.received.length === 1)
    expect(taken[0]?.events).toEqual([])
  })

  test('a port that is being bound meanwhile is given back', async () => {
    const { door } = rtpDoorWorld()
    const preparing = door.prepare({ uuid: 'a', channelId: 'a', format: 'slin' })
    door.close()
    expect((await preparing).ok).toBe(false)
    expect(door.openPorts).toBe(0)
  })
})
