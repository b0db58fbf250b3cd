import { afterEach, describe, expect, test } from 'bun:test'
import type { RtpDoorOptions } from '#asterisk/rtp-door.ts'
import {
  closeAll,
  enginePort,
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

describe('a shared port', () => {
  async function two(changes: Partial<RtpDoorOptions> = {}) {
    const world = rtpDoorWorld({ ports: 'shared', ...changes })
    const fars = [await farSide(), await farSide()] as const
    for (const [index, far] of fars.entries()) {
      const prepared = await world.prepare(String(index))
      far.sendTo(hostOf(prepared))
      far.ssrc = 100 + index
      prepared.made(variablesOf(far))
    }
    return { ...world, fars }
  }

  test('each is heard by its own call, on one port', async () => {
    const { clock, taken, fars, door } = await two()
    expect(door.openPorts).toBe(1)
    clock.advance(10)
    for (let each = 1; each <= 5; each += 1) {
      say(fars[0], 100)
      say(fars[1], 200)
      await until(() => door.counters.packetsIn === 2 * each)
      clock.advance(20)
    }
    expect(taken.map(({ heard }) => [heard.length, ...new Set(heard)])).toEqual([
      [800, 100],
      [800, 200],
    ])
  })

  test('who is no call’s far side is heard by nobody', async () => {
    const { fars, door, taken, clock } = await two()
    const stranger = await farSide()
    stranger.sendTo(`127.0.0.1:${await enginePort(fars[0], taken)}`)
    clock.advance(10)
    say(stranger, 900)
    await until(() => door.counters.dropped.unknown_source === 1)
    clock.advance(100)
    expect(taken.map(({ heard }) => heard.length)).toEqual([0, 0])
  })

  test('the announced port at another address is the call’s, as long as it waits for its first packet', async () => {
    const { prepare, taken, door } = rtpDoorWorld({ ports: 'shared' })
    const far = await farSide('127.0.0.2')
    const prepared = await prepare('a')
    far.sendTo(hostOf(prepared))
    prepared.made(variablesOf(far, '10.1.1.1'))
    say(far, 1)
    await until(() => door.counters.packetsIn === 1)
    taken[0]?.leg.write({ sampleRateHz: 8000, samples: new Int16Array(160) })
    await until(() => far.received.length === 1)
  })

  test('two calls that could be meant: none of them hears it', async () => {
    const { prepare, door } = rtpDoorWorld({ ports: 'shared' })
    const far = await farSide('127.0.0.2')
    for (const address of ['10.1.1.1', '10.1.1.2']) {
      const prepared = await prepare(address)
      far.sendTo(hostOf(prepared))
      prepared.made(variablesOf(far, address))
    }
    say(far, 1)
    await until(() => door.counters.dropped.unknown_source === 1)
    expect(door.counters.packetsIn).toBe(0)
  })

  test.each([
    [true, 0],
    [false, 1],
  ])('a source that moves, lock_remote %p: followed %d times', async (lockRemote, followed) => {
    const { fars, door, taken } = await two({ lockRemote })
    for (const far of fars) say(far, 1)
    await until(() => door.counters.packetsIn === 2)
    const moved = await farSide()
    moved.ssrc = 100
    moved.sendTo(`127.0.0.1:${await enginePort(fars[0], taken)}`)
    say(moved, 1)
    await until(
      () => door.counters.packetsIn === 2 + followed && (followed > 0 || door.counters.dropped.unknown_source === 1),
    )
    taken[0]?.leg.write({ sampleRateHz: 8000, samples: new Int16Array(160) })
    await until(() => (followed > 0 ? moved : fars[0]).received.length >= 1)
    if (followed > 0) expect(moved.received.length).toBe(1)
  })

  test('it is bound once for all, and closed behind the last leg', async () => {
    const { door, taken } = await two()
    door.close()
    await turns()
    expect(door.openPorts).toBe(1)
    await taken[0]?.leg.close('agent')
    await turns()
    expect(door.openPorts).toBe(1)
    await taken[1]?.leg.close('agent')
    await turns()
    expect(door.openPorts).toBe(0)
  })

  test('a port that could not be had is asked for again', async () => {
    const portMin = await freeRange(2)
    const { door } = rtpDoorWorld({ ports: 'shared', portMin, portMax: portMin + 1 })
    const stranger = await occupy(portMin)
    const order = { uuid: 'a', channelId: 'a', format: 'slin' } as const
    // The next one of the range is free, but a shared port is the one that was opened in the firewall.
    const refused = await door.prepare(order)
    expect(refused).toEqual({ ok: false, error: expect.stringContaining('external_media.port_min') })
    stranger.close()
    const prepared = await door.prepare(order)
    if (!prepared.ok) throw new Error(prepared.error)
    expect(prepared.value.request.external_host).toBe(`127.0.0.1:${portMin}`)
  })
})
