import { describe, expect, test } from 'bun:test'
import { AriCall } from '#asterisk/ari-call.ts'
import { ok } from '#base/result.ts'
import { type HangupCause, hangupCauses } from '#call/leg.ts'
import { ariError, FakeAri } from '../../fakes/ari.ts'
import { fakeWorld } from '../../fakes/call-world.ts'
import { ringingCall } from '../../fakes/calls.ts'
import { FakeDoor } from '../../fakes/door.ts'
import { settle } from '../../fakes/manual-clock.ts'

const channelId = '1700000000.1'
const mediaUuid = '40325ec2-5efd-4bd3-805f-53576e581d13'
const nextUuid = '50325ec2-5efd-4bd3-805f-53576e581d13'
const media = `patchcord-media-${mediaUuid}`
const bridge = `patchcord-bridge-${mediaUuid}`
const askMedia = `media ${media} patchcord 127.0.0.1:8090 ${mediaUuid} slin`

function setUp(repliesByFile = false) {
  const ari = new FakeAri()
  ari.caller(channelId)
  const world = fakeWorld()
  const door = new FakeDoor()
  const uuids = [mediaUuid, nextUuid]
  const pbx = new AriCall({
    ari,
    clock: world.clock,
    log: world.log,
    application: 'patchcord',
    store: world.store,
    door,
    format: 'slin',
    channelId,
    uuid: () => uuids.shift() ?? '',
    files: null,
    repliesByFile,
  })
  const { call } = ringingCall({ world, plan: { id: channelId, pbx } })
  const begin = () => void pbx.setUp(call)
  /** Begins, with this request under way until it is released. */
  const beginHolding = (operation: 'answer' | 'bridge' | 'media' | 'add') => {
    ari.hold(operation)
    begin()
  }
  /** Asterisk has made the media channel and it enters the application. */
  const enter = () => {
    ari.enter(media)
    pbx.channelEntered(media)
  }
  const steps = () => world.observer.steps
  return { ari, world, door, pbx, call, begin, beginHolding, enter, steps, taken: () => ari.requests.splice(0) }
}

/** Nothing that was made for the call is in Asterisk, or under way, any more. */
function expectNothingLeft({ ari, world, door }: ReturnType<typeof setUp>): void {
  expect(ari.bridgeIds).toEqual([])
  expect(door.released).toEqual(door.prepared)
  expect(ari.channelIds.filter((id) => id !== channelId)).toEqual([])
  expect([world.store.size, world.clock.pending]).toEqual([0, 0])
}

describe('AriCall sets up', () => {
  test('answer, bridge and the door are asked at once, and Asterisk for the media channel as soon as it may; each side joins when it may', async () => {
    const { ari, door, begin, enter, steps, taken } = setUp()
    begin()
    expect(taken()).toEqual([`answer ${channelId}`, `bridge ${bridge}`])
    expect(door.orders).toEqual([{ uuid: mediaUuid, channelId: media, format: 'slin' }])
    await settle()
    expect([taken(), ari.joined]).toEqual([[askMedia, `add ${channelId}`], [channelId]])
    expect([door.made, door.released]).toEqual([[mediaUuid], []])
    expect(steps()).toEqual(['admitted', 'answered'])
    enter()
    await settle()
    expect([taken(), ari.joined]).toEqual([[`add ${media}`], [channelId, media]])
    expect(steps()).toEqual(['admitted', 'answered', 'bridged'])
  })

  test('where replies come from files, the bridge is one that sends by its own clock', () => {
    const { begin, taken } = setUp(true)
    begin()
    expect(taken()).toContain(`bridge ${bridge} that sends always`)
  })

  test('the call is known by its media channel and its UUID before anything is asked of Asterisk', async () => {
    const { world, call, ari, begin } = setUp()
    ari.answer = () => {
      expect([world.store.byChannelId(media), world.store.byMediaUuid(mediaUuid)]).toEqual([call, call])
      return Promise.resolve(ok(undefined))
    }
    begin()
    await settle()
    expect.assertions(1)
  })

  test('a door that takes its time keeps neither the answer nor the bridge waiting', async () => {
    const { ari, door, begin, enter, steps } = setUp()
    door.hold()
    begin()
    await settle()
    expect([ari.joined, ari.requests.includes(askMedia), steps().at(-1)]).toEqual([[channelId], false, 'answered'])
    door.letGo()
    enter()
    await settle()
    expect(steps().at(-1)).toBe('bridged')
  })

  test('the media channel’s StasisStart may come before the answer to its request', async () => {
    const { ari, begin, enter, steps, taken } = setUp()
    ari.hold('media')
    begin()
    enter()
    await settle()
    expect(taken()).not.toContain(`add ${media}`)
    ari.release('media')
    await settle()
    expect([taken(), steps().at(-1)]).toEqual([[`add ${media}`], 'bridged'])
  })

  test('nobody joins a bridge that is not there yet', async () => {
    const { ari, begin, enter, steps, taken } = setUp()
    ari.hold('bridge')
    begin()
    enter()
    await settle()
    expect(taken().filter((request) => request.startsWith('add'))).toEqual([])
    ari.release('bridge')
    await settle()
    expect([ari.joined.length, steps().at(-1)]).toEqual([2, 'bridged'])
  })

  test('the caller joins no bridge before being answered', async () => {
    const { ari, begin, enter, steps } = setUp()
    ari.hold('answer')
    begin()
    enter()
    await settle()
    expect([ari.joined, steps()]).toEqual([[media], ['admitted']])
    ari.release('answer')
    await settle()
    expect([ari.joined, steps().at(-1)]).toEqual([[media, channelId], 'bridged'])
  })

  test('a channel of somebody else’s does not open the way for ours', async () => {
    const { ari, begin, pbx, taken } = setUp()
    begin()
    pbx.channelEntered('patchcord-media-of-another-call')
    await settle()
    expect([taken().includes(`add ${media}`), ari.joined]).toEqual([false, [channelId]])
  })
})

describe('AriCall fails', () => {
  test.each(['answer', 'bridge', 'media', 'add'] as const)(
    'at %s: the caller goes on in the dialplan with setup_failed, and nothing is left',
    async (operation) => {
      const bench = setUp()
      const { ari, world, begin, enter } = bench
      ari.refuse[operation] = { error: ariError(500, 'Allocation failed'), times: 1 }
      begin()
      await settle()
      enter()
      await settle()
      expect(ari.variables).toEqual(['PATCHCORD_RESULT=setup_failed'])
      expect(ari.requests.filter((request) => request.startsWith('continue'))).toEqual([`continue ${channelId}`])
      expect(world.observer.facts.map((facts) => facts.cause)).toEqual(['setup_failed'])
      expectNothingLeft(bench)
    },
  )

  test('at the door: Asterisk is not asked for a media channel', async () => {
    const bench = setUp()
    bench.door.refuse = 'every port of the range is in use'
    bench.begin()
    await settle()
    expect(bench.ari.requests.filter((request) => request.startsWith('media'))).toEqual([])
    expect([bench.ari.variables, bench.world.observer.facts[0]?.cause]).toEqual([
      ['PATCHCORD_RESULT=setup_failed'],
      'setup_failed',
    ])
    expectNothingLeft(bench)
  })

  test('when the media channel does not come within 8 s', async () => {
    const bench = setUp()
    bench.begin()
    await settle()
    bench.world.clock.advance(7999)
    await settle()
    expect(bench.call.ended).toBe(false)
    bench.world.clock.advance(1)
    await settle()
    expect(bench.world.observer.facts[0]?.cause).toBe('setup_failed')
    expectNothingLeft(bench)
  })

  test('for a call that has ended before its set-up began: nothing is asked for', async () => {
    const bench = setUp()
    await bench.call.end('provider_failed')
    bench.taken()
    bench.begin()
    await settle()
    expect(bench.taken()).toEqual([])
    expectNothingLeft(bench)
  })
})

describe('the caller hangs up', () => {
  const moments: [string, (bench: ReturnType<typeof setUp>) => void | Promise<void>][] = [
    ['before anything is asked for', () => {}],
    ['while the answer is under way', ({ beginHolding }) => beginHolding('answer')],
    ['while the bridge is being made', ({ beginHolding }) => beginHolding('bridge')],
    ['while the media channel is being made', ({ beginHolding }) => beginHolding('media')],
    [
      'while the door prepares',
      ({ door, begin }) => {
        door.hold()
        begin()
      },
    ],
    ['before the media channel has entered', ({ begin }) => begin()],
    [
      'while the caller joins the bridge',
      async ({ ari, begin }) => {
        ari.hold('add')
        begin()
        await settle()
      },
    ],
    [
      'while both join the bridge',
      async ({ ari, begin, enter }) => {
        ari.hold('add')
        begin()
        enter()
        await settle()
      },
    ],
    [
      'once all is there',
      async ({ begin, enter }) => {
        begin()
        enter()
        await settle()
      },
    ],
  ]

  test.each(moments)('%s: nothing is left in Asterisk, whatever comes late', async (_moment, reach) => {
    const bench = setUp()
    const { ari, call, world, enter } = bench
    await reach(bench)
    ari.gone(channelId)
    const joins = ari.requests.filter((request) => request.startsWith('add')).length
    const ended = call.end('caller')
    await settle()
    for (const operation of ['answer', 'bridge', 'media', 'add'] as const) ari.release(operation)
    bench.door.letGo()
    await settle()
    await ended
    enter()
    await settle()
    expectNothingLeft({ ...bench })
    // Nobody is put into a bridge that is being taken down.
    expect(ari.requests.filter((request) => request.startsWith('add'))).toHaveLength(joins)
    expect(world.observer.facts.map((facts) => facts.cause)).toEqual(['caller'])
    expect([ari.variables, ari.requests.filter((request) => /^(continue|hangup 1)/.test(request))]).toEqual([[], []])
    expect([world.observer.steps.filter((step) => step === 'hangup').length, world.errors]).toEqual([1, []])
  })
})

describe('AriCall releases', () => {
  const expected: Record<HangupCause, string | null> = {
    caller: null,
    agent: 'hangup',
    transferred: 'transferred',
    no_input: 'hangup',
    media_lost: 'media_lost',
    setup_failed: 'setup_failed',
    provider_failed: 'provider_failed',
    protocol_error: 'media_lost',
    time_limit: 'time_limit',
    machine_talk: 'hangup',
    shutdown: 'hangup',
    internal_error: 'internal_error',
  }
  test.each([...hangupCauses])('after %s: PATCHCORD_RESULT and the dialplan, a hang-up, or nothing', async (cause) => {
    const bench = setUp()
    bench.begin()
    bench.enter()
    await settle()
    bench.taken()
    await bench.pbx.release(cause)
    const requests = bench.taken()
    const result = expected[cause]
    const ofCaller = requests.filter((request) => request.includes(channelId))
    if (result === null) expect(ofCaller).toEqual([])
    else if (result === 'hangup') expect(ofCaller).toEqual([`hangup ${channelId}`])
    else expect(ofCaller).toEqual([`set ${channelId} PATCHCORD_RESULT=${result}`, `continue ${channelId}`])
    const others = requests.filter((request) => !request.includes(channelId))
    expect(new Set(others)).toEqual(new Set([`destroy ${bridge}`, `hangup ${media}`]))
    expect(others).toHaveLength(2)
  })

  const sales = { context: 'sales', extension: '200', priority: 1 }
  test.each([
    ['transferred', `continue ${channelId} at sales,200,1`],
    ['provider_failed', `continue ${channelId} at sales,200,1`],
    ['agent', `hangup ${channelId}`],
    ['time_limit', `continue ${channelId} at sales,200,1`],
  ] as const)('to a place in the dialplan, after %s: %s', async (cause, request) => {
    const bench = setUp()
    bench.begin()
    bench.enter()
    await settle()
    bench.taken()
    await bench.pbx.release(cause, sales)
    expect(bench.taken()).toContain(request)
  })

  test('nowhere, where the call says so', async () => {
    const { pbx, ari } = setUp()
    await pbx.release('time_limit', 'hang_up')
    expect([ari.variables, ari.requests.includes(`hangup ${channelId}`)]).toEqual([[], true])
  })

  test('once', async () => {
    const { pbx, ari } = setUp()
    expect(pbx.release('agent')).toBe(pbx.release('caller'))
    await pbx.release('caller')
    expect(ari.requests.filter((request) => request === `hangup ${channelId}`)).toHaveLength(1)
  })

  test('what Asterisk does not remove is asked for three times, 200 ms apart, and then said', async () => {
    const { pbx, ari, world } = setUp()
    ari.refuse.destroy = { error: ariError(500), times: 9 }
    const released = pbx.release('caller')
    await settle()
    const attempts = () => ari.requests.filter((request) => request.startsWith('destroy')).length
    expect(attempts()).toBe(1)
    world.clock.advance(200)
    await settle()
    expect(attempts()).toBe(2)
    world.clock.advance(200)
    await settle()
    await released
    expect([attempts(), world.errors.length]).toEqual([3, 1])
  })

  test('what is gone already is no trouble', async () => {
    const { pbx, ari, world } = setUp()
    await pbx.release('caller')
    expect(ari.requests.toSorted()).toEqual([`destroy ${bridge}`, `hangup ${media}`])
    expect(world.errors).toEqual([])
  })
})

describe('AriCall asks Asterisk', () => {
  test.each([
    ['(ulaw)', 'ulaw'],
    ['(alaw|ulaw)', 'alaw'],
    ['g722', 'g722'],
    ['', null],
  ])('for the caller’s codec: %p is %p', async (value, codec) => {
    const { ari, pbx } = setUp()
    ari.variableValues['CHANNEL(audionativeformat)'] = value
    expect(await pbx.callerCodec()).toBe(codec)
  })

  test('for the codec of a caller who has gone: nobody knows', async () => {
    const { ari, pbx } = setUp()
    ari.gone(channelId)
    expect(await pbx.callerCodec()).toBeNull()
  })

  test('to send: a silence on the bridge, stopped after 100 ms, whose events are the call’s', async () => {
    const { ari, world, call, pbx, begin, enter, taken } = setUp()
    begin()
    enter()
    await settle()
    taken()
    pbx.kick()
    const playback = `${bridge}-kick`
    expect([taken(), world.store.byPlaybackId(playback)]).toEqual([
      [`play ${bridge} ${playback} sound:silence/1`],
      call,
    ])
    await settle()
    world.clock.advance(99)
    await settle()
    expect(ari.requests).toEqual([])
    world.clock.advance(1)
    await settle()
    expect(taken()).toEqual([`stop ${playback}`])
  })

  test('for nothing of the sort before its set-up', () => {
    const { pbx, taken } = setUp()
    pbx.kick()
    expect(taken()).toEqual([])
  })
})
