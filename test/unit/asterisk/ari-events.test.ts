import { afterEach, describe, expect, test } from 'bun:test'
import { AriEvents, parseAriEvent } from '#asterisk/ari-events.ts'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { ariChannel } from '../../fakes/ari.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

const channel = ariChannel()

describe('parseAriEvent', () => {
  const good: [string, object][] = [
    ['StasisStart', { type: 'StasisStart', args: ['a'], channel, application: 'patchcord', timestamp: 'x' }],
    ['StasisEnd', { type: 'StasisEnd', channel }],
    ['ChannelHangupRequest', { type: 'ChannelHangupRequest', cause: 16, channel }],
    ['ChannelDestroyed', { type: 'ChannelDestroyed', cause: 16, channel }],
    ['ChannelDtmfReceived', { type: 'ChannelDtmfReceived', digit: '5', duration_ms: 100, channel }],
    ['PlaybackStarted', { type: 'PlaybackStarted', playback: { id: 'p-1', state: 'playing' } }],
    ['PlaybackFinished', { type: 'PlaybackFinished', playback: { id: 'p-1', state: 'failed' } }],
    ['ApplicationReplaced', { type: 'ApplicationReplaced', application: 'patchcord' }],
    [
      'a channel in its end may lack what only its start needs',
      { type: 'StasisEnd', channel: { id: '1', name: 'PJSIP/a' } },
    ],
  ]
  test.each(good)('%s', (_name, event) => {
    const parsed = parseAriEvent(JSON.stringify(event))
    expect(parsed).toMatchObject({ type: (event as { type: string }).type })
  })

  test.each(['ChannelVarset', 'BridgeCreated', 'SomethingOfTheNextRelease'])('%s is ignored', (type) => {
    expect(parseAriEvent(JSON.stringify({ type, channel }))).toBe('ignored')
  })

  const bad: [string, unknown][] = [
    ['bytes', new Uint8Array([123, 125])],
    ['no JSON', '{"type":'],
    ['nothing', ''],
    ['null', 'null'],
    ['a number', '7'],
    ['a list', '[]'],
    ['no type', '{"channel":{"id":"1","name":"x"}}'],
    ['a type that is no word', '{"type":5}'],
    ['a channel event without a channel', '{"type":"StasisEnd"}'],
    ['a channel without an id', '{"type":"StasisEnd","channel":{"name":"x"}}'],
    ['a channel without a name', '{"type":"ChannelDestroyed","channel":{"id":"1"}}'],
    ['a channel that is null', '{"type":"ChannelDestroyed","channel":null}'],
    ['a start without arguments', JSON.stringify({ type: 'StasisStart', channel })],
    [
      'a start that does not say who called',
      JSON.stringify({ type: 'StasisStart', args: [], channel: { ...channel, caller: undefined } }),
    ],
    [
      'a start without what was dialled',
      JSON.stringify({ type: 'StasisStart', args: [], channel: { ...channel, dialplan: {} } }),
    ],
    ['a playback without an id', '{"type":"PlaybackFinished","playback":{"state":"done"}}'],
    ['a playback without a state', '{"type":"PlaybackStarted","playback":{"id":"p-1"}}'],
    ['a playback that is null', '{"type":"PlaybackStarted","playback":null}'],
  ]
  test.each(bad)('%s is malformed', (_name, data) => {
    expect(parseAriEvent(data)).toBe('malformed')
  })
})

describe('AriEvents', () => {
  const closing: (() => void)[] = []
  afterEach(() => {
    for (const close of closing.splice(0)) close()
  })

  /** An Asterisk that accepts event sockets; `refuse` answers the upgrade with that status instead. */
  function asterisk(refuse: { status: number } = { status: 0 }) {
    const sockets: Bun.ServerWebSocket<undefined>[] = []
    const asked: { url: string; authorization: string | null }[] = []
    const server = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch(request, self) {
        asked.push({ url: request.url, authorization: request.headers.get('authorization') })
        if (refuse.status !== 0) return new Response(null, { status: refuse.status })
        return self.upgrade(request) ? undefined : new Response(null, { status: 400 })
      },
      websocket: {
        open: (socket) => void sockets.push(socket),
        message: () => {},
      },
    })
    closing.push(() => void server.stop(true))
    return { server, sockets, asked, refuse }
  }

  function listen(port: number, application: { taken: boolean; readonly name?: string } = { taken: false }) {
    const clock = new ManualClock()
    const happened: string[] = []
    const warnings: string[] = []
    let changed = Promise.withResolvers<void>()
    const note = (what: string) => {
      happened.push(what)
      changed.resolve()
      changed = Promise.withResolvers<void>()
    }
    const warn = (message: string) => {
      warnings.push(message)
      note('warned')
    }
    const log = { ...silentLog, warn }
    const events = new AriEvents(
      {
        host: '127.0.0.1',
        port,
        username: 'u',
        password: 'p',
        requestTimeoutMs: 1000,
        application: application.name ?? 'patch cord',
        pingIntervalMs: 5000,
        pingTimeoutMs: 2000,
        reconnectMaxMs: 1000,
      },
      {
        event: (event) => note(event.type),
        connected: () => note('connected'),
        disconnected: () => note('disconnected'),
        applicationTaken: () => Promise.resolve(application.taken),
      },
      clock,
      log,
      seededRandom(1),
    )
    closing.push(() => events.stop())
    const until = async (what: string) => {
      while (!happened.includes(what)) await changed.promise
      return happened.splice(0)
    }
    return { events, clock, until, warnings }
  }

  test('connects as the application, with its credentials in a header, and hands on what it understands', async () => {
    const { server, sockets, asked } = asterisk()
    const { events, until } = listen(server.port ?? 0)
    events.start()
    events.start()
    await until('connected')
    expect([events.connected, events.problem, asked.length]).toEqual([true, '', 1])
    expect(asked[0]?.url).toEndWith('/ari/events?app=patch%20cord')
    expect(asked[0]?.authorization).toBe(`Basic ${btoa('u:p')}`)
    const [socket] = sockets
    socket?.send('nonsense')
    socket?.send(JSON.stringify({ type: 'ChannelVarset' }))
    socket?.send(JSON.stringify({ type: 'StasisStart', args: [], channel }))
    expect(await until('StasisStart')).toEqual(['StasisStart'])
    expect(events.counters).toEqual({ received: 3, ignored: 1, malformed: 1, reconnects: 0 })
  })

  test('comes back after Asterisk has gone, and says it once', async () => {
    const { server, sockets } = asterisk()
    const { events, until, clock, warnings } = listen(server.port ?? 0)
    events.start()
    await until('connected')
    sockets[0]?.close(1001, 'restart')
    expect(await until('warned')).toEqual(['disconnected', 'warned'])
    expect([events.connected, warnings.length]).toEqual([false, 1])
    expect(events.problem).toContain('does not answer')
    // The first wait is between 125 and 250 ms.
    clock.advance(124)
    expect(events.counters.reconnects).toBe(0)
    clock.advance(126)
    await until('connected')
    expect([events.connected, events.counters.reconnects, events.problem]).toEqual([true, 1, ''])
  })

  test.each([
    [401, 'ASTERISK_ARI_USERNAME'],
    [404, 'http.conf'],
  ])('an upgrade that is answered with %d: the problem names the cure', async (status, cure) => {
    const { server } = asterisk({ status })
    const { events, until } = listen(server.port ?? 0)
    events.start()
    await until('warned')
    expect(events.problem).toContain(cure)
  })

  test.each([
    ['desk-401', 404, 'http.conf'],
    ['desk-404', 500, 'does not answer'],
  ])('digits of the URL, here of %s, are no status', async (name, status, cure) => {
    const { server } = asterisk({ status })
    const { events, until } = listen(server.port ?? 0, { taken: false, name })
    events.start()
    await until('warned')
    expect(events.problem).toContain(cure)
  })

  test('a peer that answers no ping is dead after the interval and the timeout', async () => {
    const { server } = asterisk()
    const { events, until, clock } = listen(server.port ?? 0)
    events.start()
    await until('connected')
    // Real pongs cannot come while the test does not let the loop run: 5 s are a ping, 10 s are one too late.
    clock.advance(5000)
    expect(events.connected).toBe(true)
    clock.advance(5000)
    expect([events.connected, events.problem.includes('ping')]).toEqual([false, true])
  })

  test('stopped, it leaves no timer and does not come back', async () => {
    const { server, asked } = asterisk()
    const { events, until, clock } = listen(server.port ?? 0)
    events.start()
    await until('connected')
    events.stop()
    expect([events.connected, clock.pending]).toEqual([false, 0])
    clock.advance(60_000)
    expect(asked).toHaveLength(1)
  })

  test('an engine whose application was taken over says so, lets go, and comes back when it is free', async () => {
    const { server, sockets, asked } = asterisk()
    const application = { taken: true }
    const { events, clock, until } = listen(server.port ?? 0, application)
    events.start()
    await until('connected')
    sockets[0]?.send('{"type":"ApplicationReplaced","application":"patch cord"}')
    await until('disconnected')
    expect(events.connected).toBe(false)
    expect(events.problem).toContain('another engine has taken over the Stasis application patch cord')
    clock.advance(3000)
    await Bun.sleep(20)
    expect(asked.length).toBe(1)
    application.taken = false
    clock.advance(3000)
    await until('connected')
    expect(asked.length).toBe(2)
  })

  test('an Asterisk that accepts and drops is not asked four times a second for ever', async () => {
    const { server, sockets, asked } = asterisk()
    const { events, clock, until } = listen(server.port ?? 0)
    events.start()
    for (let round = 0; round < 6; round += 1) {
      await until('connected')
      sockets[round]?.close()
      await until('disconnected')
      // Half of the longest pause: by now the pauses have grown past it.
      clock.advance(round < 5 ? 1000 : 480)
    }
    await Bun.sleep(20)
    expect(asked.length).toBe(6)
  })
})
