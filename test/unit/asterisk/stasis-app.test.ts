import { describe, expect, test } from 'bun:test'
import { ariChannel } from '../../fakes/ari.ts'
import { FakeLeg } from '../../fakes/leg.ts'
import { settle } from '../../fakes/manual-clock.ts'
import { bridged, caller, causes, setUp } from './stasis-bench.ts'

describe('a caller enters the application', () => {
  test('and is a call, known by its channel, its media channel and its media UUID', async () => {
    const { ari, store, enter } = setUp()
    enter()
    const [call] = store.live
    if (call === undefined) throw new Error('no call')
    expect([call.id, store.byChannelId('caller-1')]).toEqual(['caller-1', call])
    await settle()
    const mediaRequest = ari.requests.find((request) => request.startsWith('media ')) ?? ''
    const [, mediaId = '', application, host, uuid = '', format] = mediaRequest.split(' ')
    expect([application, host, format]).toEqual(['patchcord', '127.0.0.1:8090', 'slin'])
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect([store.byChannelId(mediaId), store.byMediaUuid(uuid)]).toEqual([call, call])
    await call.end('caller')
  })

  test('with number, name and what was dialled', async () => {
    const bench = setUp()
    bench.enter()
    await bench.store.live[0]?.end('caller')
    expect(bench.world.observer.facts[0]).toMatchObject({
      caller: { number: '4711', name: 'Alice', dialled: '100' },
      origin: 'ari',
    })
  })

  test('a second StasisStart of the same channel makes no second call', () => {
    const { enter, store, agent } = setUp()
    enter()
    enter()
    expect([store.size, agent.contexts.length]).toEqual([1, 1])
  })

  test('the call is bridged once its media channel has entered as well', async () => {
    const bench = setUp()
    bench.enter()
    await settle()
    const media = bench.mediaChannel()
    bench.ari.enter(media.id)
    bench.enter(media)
    await settle()
    expect(bench.world.observer.steps.at(-1)).toBe('bridged')
    expect([bench.store.size, bench.ari.joined]).toEqual([1, ['caller-1', media.id]])
  })
})

describe('the arguments of Stasis()', () => {
  test('name the door of this call, and with it its format and rate', async () => {
    const { agent, enter, store, world, entrances, warnings } = setUp()
    enter(caller, ['audio_transport=websocket'])
    await settle()
    expect(entrances.websocket.door.orders).toMatchObject([{ format: 'slin16' }])
    expect(entrances.audiosocket.door.orders).toEqual([])
    expect([agent.contexts[0]?.sampleRateHz, warnings]).toEqual([16_000, []])
    await store.live[0]?.end('caller')
    expect(world.observer.facts[0]?.transport).toBe('websocket')
  })

  test.each([
    ['an argument that means nothing', ['queue=7'], '"unknown":"queue"'],
    ['a door that is none', ['audio_transport=pigeon'], 'audio_transport=pigeon'],
  ])('with %s: it is said, and the call goes on by the configured door', async (_name, args, words) => {
    const { enter, store, entrances, warnings } = setUp()
    enter(caller, args)
    await settle()
    expect(entrances.audiosocket.door.orders).toHaveLength(1)
    expect([store.size, warnings.length]).toEqual([1, 1])
    expect(warnings[0]).toContain(words)
    expect(warnings[0]).toContain('caller-1')
  })
})

describe('a channel that is not served', () => {
  const refusals: [string, string, (bench: ReturnType<typeof setUp>) => void][] = [
    ['the engine stops', 'draining', ({ admission }) => Object.assign(admission, { draining: true })],
    [
      'the provider is not ready',
      'not_ready',
      ({ agent }) => Object.assign(agent, { ready: { ready: false, reason: '' } }),
    ],
  ]
  test.each(refusals)('%s: back to the dialplan with %s', async (_name, result, prepare) => {
    const bench = setUp()
    prepare(bench)
    bench.enter()
    await settle()
    expect(bench.ari.requests).toEqual([`set caller-1 PATCHCORD_RESULT=${result}`, 'continue caller-1'])
    expect([bench.store.size, bench.admission.refused]).toEqual([0, { [result]: 1 }])
  })

  test('all places are taken: busy', async () => {
    const { ari, enter, store, admission } = setUp(1)
    enter()
    const second = ariChannel({ id: 'caller-2' })
    ari.caller(second.id)
    enter(second)
    await settle()
    expect(ari.requests.slice(-2)).toContain('continue caller-2')
    expect([ari.variables, store.size, admission.refused]).toEqual([['PATCHCORD_RESULT=busy'], 1, { busy: 1 }])
  })

  test('a helper channel of somebody else’s: not_a_caller', async () => {
    const { ari, enter, store, admission } = setUp()
    const snoop = ariChannel({ id: 'snoop-1', name: 'Snoop/1700-00000001' })
    ari.caller(snoop.id)
    enter(snoop)
    await settle()
    expect([ari.variables, store.size, admission.refused]).toEqual([
      ['PATCHCORD_RESULT=not_a_caller'],
      0,
      { not_a_caller: 1 },
    ])
  })

  test('a media channel whose call has ended: hung up and counted', async () => {
    const { ari, enter, store } = setUp()
    const late = ariChannel({
      id: 'patchcord-media-40325ec2-5efd-4bd3-805f-53576e581d13',
      name: 'AudioSocket/127.0.0.1:8090-x',
    })
    ari.caller(late.id)
    enter(late)
    await settle()
    expect([ari.requests, store.unknown.channel, store.size]).toEqual([[`hangup ${late.id}`], 1, 0])
  })
})

describe('a channel leaves', () => {
  test.each(['ChannelHangupRequest', 'StasisEnd', 'ChannelDestroyed'] as const)(
    '%s of the caller ends the call',
    async (type) => {
      const bench = setUp()
      bench.enter()
      await settle()
      bench.app.event({ type, channel: caller })
      await settle()
      expect(causes(bench)).toEqual(['caller'])
      // The others of the three come afterwards: they are no news, and neither counted nor an error.
      bench.app.event({ type: 'ChannelDestroyed', channel: caller })
      expect([bench.store.unknown.channel, bench.world.errors]).toEqual([0, []])
    },
  )

  test('the media channel alone: the call is lost, and the caller goes on in the dialplan', async () => {
    const bench = setUp()
    bench.enter()
    await settle()
    bench.app.event({ type: 'ChannelDestroyed', channel: bench.mediaChannel() })
    await settle()
    expect([causes(bench), bench.ari.variables]).toEqual([['media_lost'], ['PATCHCORD_RESULT=media_lost']])
  })
})

describe('a media path that was made anew', () => {
  /** Bridged and heard; Asterisk then took the media channel away, and the next one has been asked for. */
  async function reopening() {
    const bench = await bridged()
    const { media: old } = bench
    bench.ari.gone(old.id)
    bench.app.event({ type: 'StasisEnd', channel: old })
    await settle()
    return { ...bench, old, next: bench.mediaChannel() }
  }

  test('the events of the old channel no longer mean the call, however many come', async () => {
    const bench = await reopening()
    expect([bench.next.id === bench.old.id, bench.next.id.startsWith('patchcord-media-')]).toEqual([false, true])
    bench.app.event({ type: 'ChannelHangupRequest', channel: bench.old })
    bench.app.event({ type: 'ChannelDestroyed', channel: bench.old })
    await settle()
    expect([bench.store.size, bench.world.observer.restarts, bench.store.unknown.channel]).toEqual([1, 1, 0])
  })

  test('its channel enters, and the call goes on; the end of that one is a loss again', async () => {
    const bench = await reopening()
    bench.ari.enter(bench.next.id)
    bench.enter(bench.next)
    const leg = new FakeLeg()
    expect(bench.store.live[0]?.attachLeg(leg)).toBe('attached')
    await settle()
    expect(bench.ari.joined).toContain(bench.next.id)
    bench.app.event({ type: 'ChannelDestroyed', channel: bench.old })
    await settle()
    expect([bench.world.observer.restarts, leg.closedWith]).toEqual([1, []])
    leg.audio(new Int16Array(160))
    bench.app.event({ type: 'ChannelDestroyed', channel: bench.next })
    await settle()
    expect([bench.store.size, bench.world.observer.restarts, leg.closedWith]).toEqual([1, 2, ['media_lost']])
  })

  test('the caller’s hang-up is theirs at any time', async () => {
    const bench = await reopening()
    bench.ari.gone(caller.id)
    bench.app.event({ type: 'ChannelDestroyed', channel: caller })
    await settle()
    expect([causes(bench), bench.ari.bridgeIds, bench.ari.channelIds]).toEqual([['caller'], [], []])
    expect(bench.world.clock.pending).toBe(0)
  })
})

describe('events for what nobody knows', () => {
  test('are counted by kind, and nothing is asked of Asterisk', () => {
    const { app, ari, store } = setUp()
    const stranger = ariChannel({ id: 'stranger' })
    app.event({ type: 'StasisEnd', channel: stranger })
    app.event({ type: 'ChannelDestroyed', channel: stranger })
    app.event({ type: 'ChannelHangupRequest', channel: stranger })
    app.event({ type: 'ChannelDtmfReceived', digit: '1', channel: stranger })
    app.event({ type: 'PlaybackFinished', playback: { id: 'p', state: 'done' } })
    app.event({ type: 'ApplicationReplaced' })
    expect([store.unknown, ari.requests]).toEqual([{ channel: 4, media: 0, playback: 1 }, []])
  })

  test('a digit of a call’s channel is known', () => {
    const { app, enter, store } = setUp()
    enter()
    app.event({ type: 'ChannelDtmfReceived', digit: '1', channel: caller })
    expect(store.unknown.channel).toBe(0)
  })
})

describe('a digit', () => {
  test.each([
    ['externalmedia', 3],
    ['audiosocket', 0],
    ['websocket', 0],
  ] as const)(
    'of a caller over %s counts %p times three: the others bring theirs with the media',
    async (door, digits) => {
      const bench = setUp()
      bench.enter(caller, [`audio_transport=${door}`])
      await settle()
      bench.store.live[0]?.attachLeg(new FakeLeg(door === 'websocket' ? 16_000 : 8000))
      for (const digit of '12#') bench.app.event({ type: 'ChannelDtmfReceived', digit, channel: caller })
      bench.app.event({ type: 'ChannelDtmfReceived', digit: '1', channel: bench.mediaChannel() })
      await bench.store.live[0]?.end('caller')
      expect([bench.world.observer.facts[0]?.digits, bench.store.unknown.channel]).toEqual([digits, 0])
    },
  )
})
