import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { AllowList } from '#asterisk/allow-list.ts'
import { MediaWebSocketDoor, type MediaWebSocketDoorOptions } from '#asterisk/media-websocket-door.ts'
import { MediaWebSocketLeg, noMediaLegCounters } from '#asterisk/media-websocket-leg.ts'
import { connectMedia } from '#asterisk/media-websocket-link.ts'
import { samplesPerFrame, type WireFormat, wireRatesHz } from '#audio/format.ts'
import { SystemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import type { Leg, LegEvent } from '#call/leg.ts'
import { type Asterisk, startAsterisk } from '../bed/asterisk.ts'
import { freeTcpPort } from '../bed/ports.ts'
import { levelDbfs, toneShare } from '../bed/wav-analysis.ts'

// The door against the real Asterisk, in both directions: what it sends, what it takes, and how either side ends it.

const application = 'media-websocket-test'
const section = 'engine'
/** In the dialplan of the other half of a Local channel: it says back what it hears. */
const echo = '[media-test]\nexten => echo,1,Answer()\n same => n,Echo()\n'

let asterisk: Asterisk
let events: WebSocket
let listenPort: number
const stasisStarted: string[] = []
const destroyed: { id: string; cause: number }[] = []

beforeAll(async () => {
  listenPort = freeTcpPort()
  asterisk = await startAsterisk({
    codec: 'slin16',
    configuration: {
      'extensions.conf': echo,
      'websocket_client.conf': [
        `[${section}]`,
        'type = websocket_client',
        'connection_type = per_call_config',
        `uri = ws://127.0.0.1:${listenPort}/media`,
        'protocols = media',
        'username = asterisk',
        'password = secret',
        'connection_timeout = 1000',
        'tls_enabled = no',
      ].join('\n'),
    },
  })
  events = asterisk.client.events(application)
  events.addEventListener('message', ({ data }) => {
    const event = JSON.parse(String(data)) as { type: string; channel?: { id: string }; cause?: number }
    if (event.type === 'StasisStart') stasisStarted.push(event.channel?.id ?? '')
    if (event.type === 'ChannelDestroyed') destroyed.push({ id: event.channel?.id ?? '', cause: event.cause ?? -1 })
  })
  await new Promise((resolve) => events.addEventListener('open', resolve))
}, 300_000)

afterAll(async () => {
  events?.close()
  await asterisk?.stop()
})

async function until(what: string, condition: () => boolean, limitMs = 5000): Promise<void> {
  for (const deadline = performance.now() + limitMs; !condition(); await Bun.sleep(2)) {
    if (performance.now() > deadline) throw new Error(`not within ${limitMs} ms: ${what}`)
  }
}

interface Media {
  readonly door: MediaWebSocketDoor
  readonly leg: MediaWebSocketLeg
  readonly channelId: string
  readonly heard: number[]
  readonly events: LegEvent[]
  end(): Promise<void>
}

let channels = 0

function connection(direction: 'connect' | 'listen'): MediaWebSocketDoorOptions['connection'] {
  if (direction === 'connect') return { direction, host: asterisk.ari.host, port: asterisk.ari.port }
  const allowList = AllowList.parse(['127.0.0.1'])
  if (!allowList.ok) throw new Error(allowList.error)
  const credentials = { username: 'asterisk', password: 'secret' }
  return { direction, host: '127.0.0.1', port: listenPort, section, allowList: allowList.value, credentials }
}

function doorOptions(direction: 'connect' | 'listen'): Omit<MediaWebSocketDoorOptions, 'accept'> {
  return {
    connection: connection(direction),
    startTimeoutMs: 3000,
    silentPeerTimeoutMs: 0,
    connectionsMax: 10,
    clock: new SystemClock(),
    log: silentLog,
  }
}

/** A media channel in Stasis with its leg; `request` changes what the door asks for. */
async function open(
  direction: 'connect' | 'listen',
  format: WireFormat,
  request: (asked: Readonly<Record<string, string>>) => Readonly<Record<string, string>> = (asked) => asked,
): Promise<Media> {
  const taken = Promise.withResolvers<Leg>()
  const door = new MediaWebSocketDoor({
    ...doorOptions(direction),
    accept: (_uuid, leg) => {
      taken.resolve(leg)
      return 'accepted'
    },
  })
  channels += 1
  const channelId = `media-${channels}`
  const prepared = await door.prepare({ uuid: crypto.randomUUID(), channelId, format })
  if (!prepared.ok) throw new Error(prepared.error)
  const query = new URLSearchParams({ app: application, channelId, ...request(prepared.value.request) })
  const body = await asterisk.client.must('POST', `/channels/externalMedia?${query}`)
  prepared.value.made((body as { channelvars: Record<string, string> }).channelvars)
  const leg = (await taken.promise) as MediaWebSocketLeg
  const heard: number[] = []
  const seen: LegEvent[] = []
  leg.onEvent((event) => {
    if (event.type === 'audio') heard.push(...event.frame.samples)
    else seen.push(event)
  })
  await until('StasisStart of the media channel', () => stasisStarted.includes(channelId))
  const end = async () => {
    await leg.close('agent')
    door.close()
    await until('the end of the media channel', () => destroyed.some(({ id }) => id === channelId))
  }
  return { door, leg, channelId, heard, events: seen, end }
}

/** A tone in frames, as a pacer would send it. */
async function play(leg: Leg, toneHz: number, ms: number): Promise<void> {
  const rate = leg.format.sampleRateHz
  const samples = new Int16Array(samplesPerFrame(rate))
  const start = performance.now()
  for (let frame = 0; frame * 20 < ms; frame += 1) {
    for (let index = 0; index < samples.length; index += 1) {
      samples[index] = 8000 * Math.sin((2 * Math.PI * toneHz * (frame * samples.length + index)) / rate)
    }
    leg.write({ sampleRateHz: rate, samples })
    await Bun.sleep(Math.max(0, start + (frame + 1) * 20 - performance.now()))
  }
}

/** The media channel in a bridge with a Local channel whose other half says everything back. */
async function bridgeWithEcho(channelId: string, format: WireFormat): Promise<void> {
  const echoId = `echo-${channelId}`
  const bridge = `bridge-${channelId}`
  const query = new URLSearchParams({
    endpoint: 'Local/echo@media-test/n',
    app: application,
    channelId: echoId,
    formats: format,
  })
  await asterisk.client.must('POST', `/channels?${query}`)
  await until('StasisStart of the echo', () => stasisStarted.includes(echoId))
  await asterisk.client.must('POST', `/bridges/${bridge}?type=mixing,dtmf_events,proxy_media`)
  await asterisk.client.must('POST', `/bridges/${bridge}/addChannel?channel=${channelId},${echoId}`)
}

async function unbridge(channelId: string): Promise<void> {
  await asterisk.client.request('DELETE', `/channels/echo-${channelId}`)
  await asterisk.client.request('DELETE', `/bridges/bridge-${channelId}`)
}

describe.each(['connect', 'listen'] as const)('media WebSocket, direction %s', (direction) => {
  test('slin16 both ways, a tone of 6 kHz survives; DTMF; marks; little ahead', async () => {
    const media = await open(direction, 'slin16')
    const { leg, heard, channelId } = media
    await bridgeWithEcho(channelId, 'slin16')
    await play(leg, 6000, 1200)
    const playedAtEnd = leg.playedMs
    await play(leg, 0, 100)
    await until('the tone back', () => heard.length >= 16_000)
    const loudest = (from: number) => heard.slice(from, from + 8000)
    const begin = heard.findIndex((sample) => Math.abs(sample) > 1000)
    const tone = Int16Array.from(loudest(begin + 1600))
    expect(toneShare(tone, 16_000, 6000)).toBeGreaterThan(0.9)
    expect(levelDbfs(tone)).toBeWithin(-18, -13)
    // A mark each 200 ms, some of it still under way; and one at the end of the sound.
    expect(playedAtEnd).toBeWithin(800, 1201)
    expect(leg.playedMs).toBe(1200)
    expect(leg.aheadMs).toBeLessThanOrEqual(60)
    await asterisk.client.must('POST', `/channels/${channelId}/dtmf?dtmf=${encodeURIComponent('7#')}&duration=100`)
    await until('the digits', () => media.events.length === 2)
    expect(media.events).toEqual([
      { type: 'dtmf', digit: '7' },
      { type: 'dtmf', digit: '#' },
    ])
    // And from the other party of the bridge, as a caller's digit comes.
    await asterisk.client.must('POST', `/channels/echo-${channelId}/dtmf?dtmf=4`)
    await until('the digit of the other party', () => media.events.length === 3)
    expect(media.events[2]).toEqual({ type: 'dtmf', digit: '4' })
    await unbridge(channelId)
    await media.end()
    expect(media.events.at(-1)).toEqual({ type: 'ended', cause: 'agent' })
    expect(destroyed.find(({ id }) => id === channelId)?.cause).toBe(16)
    expect(media.door.counters).toMatchObject({
      accepted: 1,
      rejected: {},
      errors: 0,
      unknownEvents: 0,
      malformedEvents: 0,
    })
  }, 15_000)

  test('Asterisk hangs up: the caller has gone', async () => {
    const media = await open(direction, 'ulaw')
    media.leg.write({ sampleRateHz: 8000, samples: new Int16Array(160) })
    await asterisk.client.must('DELETE', `/channels/${media.channelId}`)
    await until('the end', () => media.events.length > 0)
    expect(media.events).toEqual([{ type: 'ended', cause: 'caller' }])
    expect(media.door.connections).toBe(0)
    media.door.close()
  })
})

describe('what Asterisk does with it', () => {
  test.each(['slin', 'slin24', 'slin48', 'ulaw', 'alaw'] as const)(
    'it takes %s as it was asked for',
    async (format) => {
      const media = await open('connect', format)
      await play(media.leg, 400, 240)
      await play(media.leg, 0, 80)
      // A mark is answered only when whole frames have been played before it.
      await until('the last mark', () => media.leg.playedMs === 240)
      expect(media.leg.format).toMatchObject({ wire: format, sampleRateHz: wireRatesHz[format] })
      await media.end()
    },
  )

  test('without transport_data it speaks plain text, and is understood', async () => {
    const media = await open('connect', 'slin16', ({ transport_data: _none, ...asked }) => asked)
    await play(media.leg, 400, 240)
    await play(media.leg, 0, 80)
    await until('the last mark', () => media.leg.playedMs === 240)
    await asterisk.client.must('POST', `/channels/${media.channelId}/dtmf?dtmf=5`)
    await until('the digit', () => media.events.length === 1)
    expect(media.events).toEqual([{ type: 'dtmf', digit: '5' }])
    await media.end()
    expect(media.door.counters).toMatchObject({ errors: 0, unknownEvents: 0, malformedEvents: 0 })
  })

  test('ten calls that begin at once each get their own connection', async () => {
    // One door for all of them, as in the engine.
    const taken: { uuid: string; leg: Leg; digits: string[] }[] = []
    const door = new MediaWebSocketDoor({
      ...doorOptions('listen'),
      accept: (uuid, leg) => {
        const digits: string[] = []
        leg.onEvent((event) => {
          if (event.type === 'dtmf') digits.push(event.digit)
        })
        taken.push({ uuid, leg, digits })
        return 'accepted'
      },
    })
    const ids = '0123456789'.split('').map((digit) => `many-${digit}`)
    await Promise.all(
      ids.map(async (id) => {
        const media = await door.prepare({ uuid: id, channelId: id, format: 'slin16' })
        if (!media.ok) throw new Error(media.error)
        await asterisk.client.must(
          'POST',
          `/channels/externalMedia?${new URLSearchParams({ app: application, channelId: id, ...media.value.request })}`,
        )
      }),
    )
    await until('ten legs', () => taken.length === 10 && ids.every((id) => stasisStarted.includes(id)))
    for (const id of ids) await asterisk.client.must('POST', `/channels/${id}/dtmf?dtmf=${id.at(-1)}&duration=60`)
    await until('ten digits', () => taken.every(({ digits }) => digits.length > 0))
    expect(taken.map(({ uuid, digits }) => `${uuid} ${digits}`).sort()).toEqual(ids.map((id) => `${id} ${id.at(-1)}`))
    await Promise.all(taken.map(({ leg }) => leg.close('agent')))
    expect(door.counters).toMatchObject({ accepted: 10, rejected: {} })
    door.close()
  })

  test('a flush drops what is queued: the mark behind it is never answered', async () => {
    const media = await open('connect', 'slin16')
    const { leg } = media
    const frame = { sampleRateHz: 16_000, samples: new Int16Array(320).fill(1000) } as const
    for (let count = 0; count < 5; count += 1) leg.write(frame)
    leg.flush()
    await play(leg, 400, 220)
    await until('the next mark', () => leg.playedMs > 0)
    // 100 ms were flushed and do not count; the mark comes after 200 ms of what followed.
    expect(leg.playedMs).toBe(200)
    await media.end()
  })

  test('a flood: MEDIA_XOFF, frames are refused, and after a flush it goes on', async () => {
    const { leg, socket, counters, close } = await openBare()
    const frame = { sampleRateHz: 16_000, samples: new Int16Array(320).fill(1000) } as const
    leg.write(frame)
    for (let count = 0; count < 92; count += 1) socket.sendBinary(new Uint8Array(6400))
    await until('MEDIA_XOFF', () => counters.xoffs === 1)
    expect(leg.write(frame)).toBe('full')
    leg.flush()
    await until('MEDIA_XON', () => leg.write(frame) === 'sent')
    await close()
  })

  test('what piled up on its side is seen by STATUS, and silence is left out until it is gone', async () => {
    const { leg, socket, counters, close } = await openBare()
    socket.sendBinary(new Uint8Array(25 * 640))
    await play(leg, 0, 2000)
    // Half a second less what may stay ahead: 60 ms at most, 20 ms at least.
    expect(counters.framesShed).toBeWithin(22, 26)
    expect(leg.aheadMs).toBeLessThanOrEqual(60)
    await close()
  }, 10_000)
})

/** A leg without its door, so that a test can send past it. */
async function openBare() {
  channels += 1
  const channelId = `media-${channels}`
  const counters = noMediaLegCounters()
  const query = new URLSearchParams({
    app: application,
    channelId,
    transport: 'websocket',
    encapsulation: 'none',
    connection_type: 'server',
    format: 'slin16',
    transport_data: 'f(json)',
  })
  const { channelvars } = (await asterisk.client.must('POST', `/channels/externalMedia?${query}`)) as {
    channelvars: Record<string, string>
  }
  const began = Promise.withResolvers<void>()
  const to = { direction: 'connect', host: asterisk.ari.host, port: asterisk.ari.port } as const
  const { socket } = connectMedia(to, channelvars.MEDIA_WEBSOCKET_CONNECTION_ID ?? '', {
    opened: () => {},
    text: (_connection, text) => leg.receiveText(text),
    audio: (_connection, bytes) => leg.receiveAudio(bytes),
    closed: (_connection, clean) => leg.socketClosed(clean),
    broke: (_connection, why) => began.reject(new Error(why)),
  })
  const leg = new MediaWebSocketLeg({
    socket,
    format: 'slin16',
    owner: { began: () => began.resolve(), gone: () => {} },
    counters,
    clock: new SystemClock(),
    log: silentLog,
  })
  await began.promise
  const close = async () => {
    await leg.close('agent')
    await until('the end of the media channel', () => destroyed.some(({ id }) => id === channelId))
  }
  return { leg, socket, counters, close }
}
