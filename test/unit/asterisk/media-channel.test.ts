import { describe, expect, test } from 'bun:test'
import { AriCall } from '#asterisk/ari-call.ts'
import { MediaChannel } from '#asterisk/media-channel.ts'
import { ok } from '#base/result.ts'
import { ariError, FakeAri } from '../../fakes/ari.ts'
import { fakeWorld } from '../../fakes/call-world.ts'
import { ringingCall } from '../../fakes/calls.ts'
import { FakeDoor } from '../../fakes/door.ts'
import { FakeLeg } from '../../fakes/leg.ts'
import { settle } from '../../fakes/manual-clock.ts'

const channelId = '1700000000.1'
const uuids = ['40325ec2-5efd-4bd3-805f-53576e581d13', '50325ec2-5efd-4bd3-805f-53576e581d13'] as const
const [media, next] = uuids.map((uuid) => `patchcord-media-${uuid}`) as [string, string]
const bridge = `patchcord-bridge-${uuids[0]}`

/** A call that is bridged and has been heard. */
async function bridged() {
  const ari = new FakeAri()
  ari.caller(channelId)
  const world = fakeWorld()
  const door = new FakeDoor()
  const left: string[] = [...uuids]
  const pbx = new AriCall({
    ari,
    clock: world.clock,
    log: world.log,
    application: 'patchcord',
    store: world.store,
    door,
    format: 'slin',
    repliesByFile: false,
    channelId,
    uuid: () => left.shift() ?? 'no more',
    files: null,
  })
  const { call, leg } = ringingCall({ world, plan: { id: channelId, pbx } })
  const enter = (id: string) => {
    ari.enter(id)
    pbx.channelEntered(id)
  }
  void pbx.setUp(call)
  enter(media)
  call.attachLeg(leg)
  await settle()
  leg.audio(new Int16Array(160))
  expect(world.observer.steps).toContain('bridged')
  ari.requests.length = 0
  return { ari, world, door, pbx, call, leg, enter }
}

type Bench = Awaited<ReturnType<typeof bridged>>

const cause = ({ world }: Bench) => world.observer.facts.map((facts) => facts.cause)

/** Nothing that was made for the call is in Asterisk, at the door, or under way. */
function expectNothingLeft({ ari, world, door }: Bench): void {
  expect([ari.bridgeIds, ari.channelIds.filter((id) => id !== channelId)]).toEqual([[], []])
  expect(door.released.toSorted()).toEqual(door.prepared.toSorted())
  expect([world.store.size, world.clock.pending, world.errors]).toEqual([0, 0, []])
}

describe('AriCall makes a lost media path anew', () => {
  test('under a new id, bound before Asterisk is asked for it; the old channel goes, and bridge and caller stay', async () => {
    const bench = await bridged()
    const { ari, world, pbx, call, enter } = bench
    const { externalMedia } = ari
    const bound: unknown[] = []
    ari.externalMedia = (request) => {
      bound.push(world.store.byChannelId(next), world.store.byMediaUuid(uuids[1]))
      return externalMedia.call(ari, request)
    }
    const reopened = pbx.reopenMedia()
    await settle()
    expect(bound).toEqual([call, call])
    expect([pbx.carriesMedia(media), pbx.carriesMedia(next)]).toEqual([false, true])
    enter(next)
    expect(await reopened).toBe(true)
    expect(ari.requests.toSorted()).toEqual(
      [`hangup ${media}`, `media ${next} patchcord 127.0.0.1:8090 ${uuids[1]} slin`, `add ${next}`].toSorted(),
    )
    expect([ari.joined.toSorted(), ari.bridgeIds]).toEqual([[channelId, next].toSorted(), [bridge]])
    expect(bench.door.released).toEqual([uuids[0]])
    await call.end('caller')
    expectNothingLeft(bench)
  })

  test('and a call that loses its leg goes on with the next one', async () => {
    const bench = await bridged()
    const second = new FakeLeg()
    bench.leg.end('media_lost')
    await settle()
    bench.enter(next)
    expect(bench.call.attachLeg(second)).toBe('attached')
    await settle()
    bench.world.clock.advance(100)
    expect([bench.call.ended, second.written.length]).toEqual([false, 5])
    await bench.call.end('caller')
    expect(second.closedWith).toEqual(['caller'])
    expectNothingLeft(bench)
  })

  test('not where the caller has gone: the call ends as theirs', async () => {
    const bench = await bridged()
    bench.ari.gone(channelId)
    bench.leg.end('media_lost')
    await settle()
    expect([cause(bench), bench.door.orders.length]).toEqual([['caller'], 1])
    expectNothingLeft(bench)
  })

  test('not for a call that has ended', async () => {
    const bench = await bridged()
    await bench.call.end('caller')
    bench.ari.requests.length = 0
    expect(await bench.pbx.reopenMedia()).toBe(false)
    expect(bench.ari.requests).toEqual([])
    expectNothingLeft(bench)
  })

  const failures: [string, (bench: Bench) => void][] = [
    ['at the door', ({ door }) => Object.assign(door, { refuse: 'no port is left' })],
    ['at the media channel', ({ ari }) => Object.assign(ari.refuse, { media: { error: ariError(500), times: 1 } })],
    ['without an answer', ({ ari }) => Object.assign(ari.refuse, { media: { error: ariError(null), times: 1 } })],
    ['at the bridge', ({ ari }) => Object.assign(ari.refuse, { add: { error: ariError(404), times: 1 } })],
    ['since it never enters', () => {}],
  ]
  test.each(failures)('in vain, %s: the caller goes on in the dialplan, and nothing is left', async (why, fail) => {
    const bench = await bridged()
    fail(bench)
    bench.leg.end('media_lost')
    await settle()
    if (why === 'at the bridge') bench.enter(next)
    await settle()
    if (why === 'since it never enters') bench.world.clock.advance(3000)
    await settle()
    expect([cause(bench), bench.ari.variables]).toEqual([['media_lost'], ['PATCHCORD_RESULT=media_lost']])
    expectNothingLeft(bench)
  })

  const moments: [string, (bench: Bench) => void | Promise<void>][] = [
    ['while Asterisk is asked for the caller', () => {}],
    [
      'while the door prepares',
      async ({ door }) => {
        door.hold()
        await settle()
      },
    ],
    [
      'while the channel is being made',
      async ({ ari }) => {
        ari.hold('media')
        await settle()
      },
    ],
    [
      'while the old channel is being removed',
      async ({ ari }) => {
        ari.hold('hangup')
        await settle()
      },
    ],
    ['before the channel has entered', () => settle()],
    [
      'while it joins the bridge',
      async ({ ari, enter }) => {
        ari.hold('add')
        await settle()
        enter(next)
        await settle()
      },
    ],
    [
      'once it is there',
      async ({ enter }) => {
        await settle()
        enter(next)
        await settle()
      },
    ],
  ]
  test.each(moments)('and the caller hangs up %s: nothing is left, whatever comes late', async (_moment, reach) => {
    const bench = await bridged()
    bench.leg.end('media_lost')
    await reach(bench)
    bench.ari.gone(channelId)
    const ended = bench.call.end('caller')
    await settle()
    for (const operation of ['media', 'add', 'hangup'] as const) bench.ari.release(operation)
    bench.door.letGo()
    await settle()
    await ended
    expect(cause(bench)).toEqual(['caller'])
    expectNothingLeft(bench)
  })
})

describe('MediaChannel', () => {
  function setUp() {
    const ari = new FakeAri()
    ari.bridgeIds.push('bridge')
    const world = fakeWorld()
    const door = new FakeDoor()
    const { clock, log } = world
    const options = { ari, clock, log, application: 'patchcord', door, format: 'slin', bridgeId: 'bridge' } as const
    const channel = new MediaChannel({ ...options, uuid: uuids[0] })
    return { ari, door, channel, bridge: Promise.resolve(ok(undefined)) }
  }

  test('hands the door the variables of the channel that Asterisk has made', async () => {
    const { ari, door, channel, bridge: made } = setUp()
    ari.mediaVariables = { UNICASTRTP_LOCAL_PORT: '12042' }
    void channel.open(made)
    await settle()
    expect(door.madeWith).toEqual([{ UNICASTRTP_LOCAL_PORT: '12042' }])
  })

  test('a failure says which step failed, in the words of door or Asterisk', async () => {
    const first = setUp()
    first.door.refuse = 'no port is left'
    expect(await first.channel.open(first.bridge)).toEqual({ ok: false, error: 'no port is left' })
    const second = setUp()
    second.ari.refuse.media = { error: ariError(500, 'Allocation failed'), times: 1 }
    expect(await second.channel.open(second.bridge)).toEqual({ ok: false, error: 'Allocation failed' })
  })

  test('given up while the door prepares: Asterisk is not asked for it, and the order is given back', async () => {
    const { ari, door, channel, bridge: made } = setUp()
    door.hold()
    const opened = channel.open(made)
    const released = channel.release()
    door.letGo()
    await released
    expect((await opened).ok).toBe(false)
    expect(ari.requests.filter((request) => request.startsWith('media'))).toEqual([])
    expect(door.released).toEqual([uuids[0]])
  })

  test('given up while it waits to enter: it fails and joins nothing', async () => {
    const { ari, channel, bridge: made } = setUp()
    const opened = channel.open(made)
    await settle()
    channel.giveUp()
    expect((await opened).ok).toBe(false)
    expect(ari.joined).toEqual([])
  })

  test('a release of what was never opened removes what there may be, once', async () => {
    const { ari, door, channel } = setUp()
    expect(channel.release()).toBe(channel.release())
    await channel.release()
    expect([ari.requests, door.orders]).toEqual([[`hangup ${media}`], []])
  })

  test('a release waits for the channel that is being made, and then removes it', async () => {
    const { ari, door, channel, bridge: made } = setUp()
    ari.hold('media')
    void channel.open(made)
    await settle()
    const released = channel.release()
    await settle()
    expect([ari.requests.filter((request) => request.startsWith('hangup')), door.released]).toEqual([[], []])
    ari.release('media')
    await released
    expect([ari.channelIds, door.released]).toEqual([[], [uuids[0]]])
  })
})
