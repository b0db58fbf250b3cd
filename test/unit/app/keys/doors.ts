import { terminateMessage, uuidMessage } from '#asterisk/audiosocket.ts'
import type { PreparedMedia } from '#asterisk/door.ts'
import type { Transport } from '#call/leg.ts'
import type { KeyWorld } from '../../../fakes/key-world.ts'
import { asteriskConnects, disposeAll } from '../../../fakes/media-websocket-door.ts'
import { RtpFarSide } from '../../../fakes/rtp-far-side.ts'
import type { Probe, Probes } from './probe.ts'

/** The three doors for audio: who comes in, and for how long they may say nothing. What an Asterisk does comes over sockets. */

/** What Asterisk is asked for when a caller comes in. */
const mediaAskedFor =
  (look: (query: Readonly<Record<string, string>>) => unknown): Probe['begin'] =>
  (world) =>
  async () => {
    await world.admit()
    const asked = world.outside.asterisk.requests.findLast(({ what }) => what === 'POST /channels/externalMedia')
    await world.hangUp()
    return look(asked?.query ?? {})
  }

/** A call's audio is ordered at a door. */
async function order(world: KeyWorld, named: Transport): Promise<{ prepared: PreparedMedia; uuid: string }> {
  const entrance = world.engine.media.doors.entrance(named)
  if (!entrance.ok) throw new Error(entrance.error)
  const { door, format } = entrance.value
  const uuid = crypto.randomUUID()
  const prepared = await door.prepare({ uuid, channelId: `media-${uuid}`, format })
  if (!prepared.ok) throw new Error(prepared.error)
  return { prepared: prepared.value, uuid }
}

/** A peer of the AudioSocket server that says for which call it comes, or nothing. */
async function audioSocketPeer(world: KeyWorld, says: 'uuid' | 'nothing') {
  world.holdStage()
  const { audioSocket } = world.engine.media
  const before = world.engine.store.live.length
  let outcome: 'call' | 'turned away' | null = null
  const received: number[] = []
  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port: audioSocket.port,
    socket: {
      open: (opened) => {
        if (says === 'uuid') opened.write(uuidMessage(crypto.randomUUID()))
      },
      data: (_socket, bytes) => void received.push(...bytes),
      close: () => {
        outcome ??= 'turned away'
      },
      error: () => {},
    },
  })
  const settles = () => {
    if (world.engine.store.live.length > before) outcome ??= 'call'
    return outcome !== null
  }
  return { socket, settles, outcome: () => outcome, received }
}

/** What becomes of one who comes now, beside so many others. */
const audioSocketVisit =
  (others = 0): Probe['begin'] =>
  (world) =>
  async () => {
    const { audioSocket } = world.engine.media
    const peers = []
    for (let each = 0; each <= others; each += 1) {
      const peer = await audioSocketPeer(world, 'uuid')
      await world.until(peer.settles)
      peers.push(peer)
    }
    const outcome = peers.at(-1)?.outcome()
    for (const { socket } of peers) socket.terminate()
    await world.hangUp()
    await world.until(() => audioSocket.connections === 0)
    return outcome
  }

const visit = (values: readonly [unknown, unknown], rest: Partial<Probe> & Pick<Probe, 'begin'>): Probe => ({
  values,
  shows: ['call', 'turned away'],
  seen: 'wire',
  atOnce: true,
  ...rest,
})

/** A call over this connection hears nothing more: how long until it is over, to whole units; it is looked once a second. */
function silence(world: KeyWorld, unitMs: number) {
  const call = world.engine.store.live.at(-1)
  return async () => {
    const took = await world.after(() => call?.ended === true, 60_000)
    return took === null ? null : Math.round((took - 500) / unitMs) * unitMs
  }
}

async function rtpCall(world: KeyWorld) {
  world.holdStage()
  const { rtp } = world.engine.media
  const { prepared } = await order(world, 'externalmedia')
  const far = await RtpFarSide.open('ulaw')
  far.sendTo(prepared.request.external_host ?? '')
  prepared.made({ UNICASTRTP_LOCAL_ADDRESS: '127.0.0.1', UNICASTRTP_LOCAL_PORT: String(far.port) })
  const arrived = () => rtp.counters.packetsIn + Object.values(rtp.counters.dropped).reduce((sum, n) => sum + n, 0)
  /** Packets of this loudness, all at once, and then as much time as they last. */
  const says = async (level: number, packets = 1, from = far) => {
    const before = arrived()
    for (let packet = 0; packet < packets; packet += 1) from.audio(new Int16Array(160).fill(level))
    await world.until(() => arrived() >= before + packets)
    await world.pass(20 * packets)
  }
  return { far, says, end: () => far.close() }
}

/** What a call over RTP hears of this. */
const rtpHears =
  (look: (up: Awaited<ReturnType<typeof rtpCall>>, world: KeyWorld) => Promise<unknown>): Probe['begin'] =>
  async (world) => {
    const up = await rtpCall(world)
    return async () => {
      world.heard.splice(0)
      const seen = await look(up, world)
      up.end()
      return seen
    }
  }

const loudest = (world: KeyWorld) => Math.max(0, ...world.heard) > 500

async function webSocketPeer(world: KeyWorld) {
  world.holdStage()
  const { uuid } = await order(world, 'websocket')
  return await asteriskConnects(world.engine.media.webSocket.port ?? 0, {
    startFormat: 'slin',
    channelId: `media-${uuid}`,
  })
}

const webSocketVisit =
  (others = 0): Probe['begin'] =>
  (world) =>
  async () => {
    const outcomes = []
    const { webSocket } = world.engine.media
    for (let each = 0; each <= others; each += 1) {
      try {
        outcomes.push((await webSocketPeer(world)).outcome)
      } catch (thrown) {
        outcomes.push(String(thrown).includes('max_connections') ? 'too many' : thrown)
      }
    }
    disposeAll()
    await world.until(() => webSocket.connections === 0)
    return outcomes.at(-1)
  }

export const doorProbes: Probes = {
  audio_transport: {
    values: ['audiosocket', 'externalmedia'],
    shows: ['tcp', 'udp'],
    seen: 'wire',
    atOnce: true,
    begin: mediaAskedFor(({ transport }) => transport),
  },
  'audiosocket.accept_unannounced': visit([true, false], { begin: audioSocketVisit() }),
  'audiosocket.allow': visit([['loopback'], ['10.0.0.0/8']], { begin: audioSocketVisit() }),
  'audiosocket.max_connections': visit([2, 1], {
    around: { limits: { calls: 1 } },
    // The second one: there is a connection for it, and no call any more.
    shows: ['busy', 'too many'],
    begin: (world) => async () => {
      const { audioSocket } = world.engine.media
      const before = audioSocket.counters.rejected.too_many_connections ?? 0
      const look = await audioSocketVisit(1)(world)
      await look()
      return (audioSocket.counters.rejected.too_many_connections ?? 0) > before ? 'too many' : 'busy'
    },
  }),
  'audiosocket.uuid_timeout_ms': {
    values: [2000, 4000],
    seen: 'wire',
    begin: async (world) => {
      const { audioSocket } = world.engine.media
      const before = audioSocket.connections
      const peer = await audioSocketPeer(world, 'nothing')
      await world.until(() => audioSocket.connections > before)
      return async () => {
        const rejected = () => audioSocket.counters.rejected.uuid_timeout ?? 0
        const count = rejected()
        const took = await world.after(() => rejected() > count, 10_000)
        await world.until(() => peer.received.length === terminateMessage.length)
        peer.socket.terminate()
        return took
      }
    },
  },
  'audiosocket.silent_peer_timeout_ms': {
    values: [20_000, 40_000],
    seen: 'call',
    begin: async (world) => {
      const peer = await audioSocketPeer(world, 'uuid')
      await world.until(peer.settles)
      return silence(world, 10_000)
    },
  },
  'external_media.advertise_host': {
    values: ['10.0.0.1', '10.0.0.2'],
    around: { audio_transport: 'externalmedia' },
    seen: 'wire',
    atOnce: true,
    begin: mediaAskedFor((query) => query.external_host?.split(':')[0]),
  },
  'external_media.allow': {
    values: [['loopback'], ['10.0.0.0/8']],
    shows: [true, false],
    seen: 'wire',
    begin: rtpHears(async ({ says }, world) => {
      for (let packet = 0; packet < 10; packet += 1) await says(1000)
      return loudest(world)
    }),
  },
  'external_media.lock_remote': {
    values: [true, false],
    shows: [false, true],
    seen: 'wire',
    begin: rtpHears(async ({ far, says }, world) => {
      for (let packet = 0; packet < 10; packet += 1) await says(100)
      // The same stream, from another port.
      const moved = await RtpFarSide.open('ulaw')
      Object.assign(moved, { sequence: far.sequence, timestamp: far.timestamp, to: Reflect.get(far, 'to') })
      for (let packet = 0; packet < 20; packet += 1) await says(1000, 1, moved)
      moved.close()
      return loudest(world)
    }),
  },
  'external_media.jitter_buffer_max_ms': {
    values: [0, 400],
    shows: [false, true],
    seen: 'wire',
    begin: rtpHears(async ({ says }, world) => {
      // A network that holds five packets back and lets them go at once.
      for (let burst = 0; burst < 40; burst += 1) await says(1000, 5)
      return world.heard.slice(-50).every((level) => level > 500)
    }),
  },
  'external_media.silent_peer_timeout_ms': {
    values: [20_000, 40_000],
    seen: 'call',
    begin: async (world) => {
      await rtpCall(world)
      return silence(world, 10_000)
    },
  },
  'media_websocket.allow': {
    values: [['loopback'], ['10.0.0.0/8']],
    shows: ['open', 403],
    seen: 'wire',
    atOnce: true,
    begin: webSocketVisit(),
  },
  'media_websocket.max_connections': {
    values: [2, 1],
    around: { limits: { calls: 1 } },
    shows: ['open', 'too many'],
    seen: 'wire',
    atOnce: true,
    begin: webSocketVisit(1),
  },
  'media_websocket.start_timeout_ms': {
    values: [2000, 4000],
    seen: 'wire',
    begin: async (world) => {
      const { webSocket } = world.engine.media
      const peer = await webSocketPeer(world)
      return async () => {
        const rejected = () => webSocket.counters.rejected.start_timeout ?? 0
        const count = rejected()
        const took = await world.after(() => rejected() > count, 10_000)
        await peer.closed
        return took
      }
    },
  },
  'media_websocket.silent_peer_timeout_ms': {
    values: [2000, 4000],
    seen: 'call',
    begin: async (world) => {
      const { channel } = await webSocketPeer(world)
      const before = world.engine.store.live.length
      channel.start()
      await world.until(() => world.engine.store.live.length > before)
      // It answers no questions any more.
      channel.receiveText = () => {}
      return silence(world, 2000)
    },
  },
}
