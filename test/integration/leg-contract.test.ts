import { afterAll, beforeAll } from 'bun:test'
import { AllowList } from '#asterisk/allow-list.ts'
import { AriClient } from '#asterisk/ari-client.ts'
import { AriEvents } from '#asterisk/ari-events.ts'
import { AudioSocketDoor } from '#asterisk/audiosocket-door.ts'
import { AudioSocketServer } from '#asterisk/audiosocket-server.ts'
import { bridgeId } from '#asterisk/channel-kind.ts'
import type { Acceptance, AcceptLeg, Door } from '#asterisk/door.ts'
import { MediaChannel } from '#asterisk/media-channel.ts'
import { MediaWebSocketDoor } from '#asterisk/media-websocket-door.ts'
import { RtpDoor } from '#asterisk/rtp-door.ts'
import { samplesPerFrame, type WireFormat, wireRatesHz } from '#audio/format.ts'
import { SystemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { systemRandom } from '#base/random.ts'
import type { Leg } from '#call/leg.ts'
import { Pacer } from '#call/pacer.ts'
import { type Asterisk, startAsterisk } from '../bed/asterisk.ts'
import { type FarSide, type LegUnderTest, legContract } from '../contract/leg.ts'

// The suite of the legs, with a real Asterisk between the leg and its far side: the far side is another media channel in
// the same bridge, so what it says and hears goes through Asterisk's own driver of the door under test.

const application = 'leg-contract'
const clock = new SystemClock()
const allow = AllowList.parse(['127.0.0.1'])
if (!allow.ok) throw new Error(allow.error)
const allowList = allow.value

interface Awaited {
  readonly uuid: string
  readonly took: (leg: Leg) => void
}

class Bench {
  readonly awaited: Awaited[] = []
  readonly channels: MediaChannel[] = []
  readonly doors: Door[] = []
  private asterisk: Asterisk | null = null
  private ari: AriClient | null = null
  private events: AriEvents | null = null

  async start(): Promise<void> {
    const asterisk = await startAsterisk({})
    this.asterisk = asterisk
    const address = { ...asterisk.ari, requestTimeoutMs: 3000 }
    this.ari = new AriClient(address)
    const connected = Promise.withResolvers<void>()
    this.events = new AriEvents(
      { ...address, application, pingIntervalMs: 10_000, pingTimeoutMs: 10_000, reconnectMaxMs: 1000 },
      {
        event: (event) => {
          if (event.type === 'StasisStart') this.channels.find(({ id }) => id === event.channel.id)?.hasEntered()
        },
        connected: () => connected.resolve(),
        applicationTaken: () => Promise.resolve(false),
        disconnected: () => {},
      },
      clock,
      silentLog,
      systemRandom,
    )
    this.events.start()
    await connected.promise
  }

  private get pbx(): Asterisk {
    if (this.asterisk === null) throw new Error('not started')
    return this.asterisk
  }

  async stop(): Promise<void> {
    for (const door of this.doors) door.close()
    this.events?.stop()
    await this.asterisk?.stop()
  }

  readonly accept: AcceptLeg = (uuid, leg): Acceptance => {
    const awaited = this.awaited.find((each) => each.uuid === uuid)
    if (awaited === undefined) return 'unknown_uuid'
    awaited.took(leg)
    return 'accepted'
  }

  audioSocket(format: WireFormat): Door {
    const server = new AudioSocketServer({
      host: '127.0.0.1',
      port: 0,
      sampleRateHz: wireRatesHz[format],
      uuidTimeoutMs: 5000,
      silentPeerTimeoutMs: 0,
      connectionsMax: 10,
      allowList,
      clock,
      log: silentLog,
      accept: this.accept,
    })
    return this.keep(new AudioSocketDoor({ server, advertiseHost: '127.0.0.1', format }))
  }

  rtp(): Door {
    return this.keep(
      new RtpDoor({
        host: '127.0.0.1',
        advertiseHost: '127.0.0.1',
        portMin: 0,
        portMax: 0,
        ports: 'per_call',
        allowList,
        lockRemote: true,
        jitterBufferMaxMs: 200,
        silentPeerTimeoutMs: 0,
        clock,
        random: systemRandom,
        log: silentLog,
        pacer: new Pacer(clock),
        accept: this.accept,
      }),
    )
  }

  webSocket(): Door {
    const { host, port } = this.asterisk?.ari ?? { host: '', port: 0 }
    return this.keep(
      new MediaWebSocketDoor({
        connection: { direction: 'connect', host, port },
        startTimeoutMs: 3000,
        silentPeerTimeoutMs: 0,
        connectionsMax: 10,
        clock,
        log: silentLog,
        accept: this.accept,
      }),
    )
  }

  /** A leg through this door, and a far side through an AudioSocket of its own, in one bridge. */
  async open(door: Door, format: WireFormat, farFormat: WireFormat): Promise<LegUnderTest> {
    const { ari } = this
    if (ari === null) throw new Error('not started')
    const bridge = bridgeId(application, systemRandom.uuid())
    const made = ari.createBridge(bridge)
    const farDoor = this.audioSocket(farFormat)
    const [under, far] = await Promise.all([
      this.channel(ari, bridge, made, door, format),
      this.channel(ari, bridge, made, farDoor, farFormat),
    ])
    await untilJoined(under, far)
    const { id } = under.channel
    const farSide = new BridgedFarSide(far.leg, {
      hangUp: () => ari.hangup(id),
      digit: (dtmf) =>
        this.pbx.client.must('POST', `/channels/${encodeURIComponent(id)}/dtmf`, { dtmf, duration: 100 }),
      // RTP says no goodbye: its channel is removed by the call.
      isGone: async () => door.transport === 'externalmedia' || !(await ari.channel(id)).ok,
    })
    return {
      leg: under.leg,
      far: farSide,
      dispose: () => {
        void under.leg.close('caller')
        void far.leg.close('caller')
        void Promise.all([under.channel.release(), far.channel.release()]).then(() => ari.destroyBridge(bridge))
        farDoor.close()
      },
    }
  }

  private keep(door: Door): Door {
    this.doors.push(door)
    return door
  }

  private async channel(
    ari: AriClient,
    bridge: string,
    made: ReturnType<AriClient['createBridge']>,
    door: Door,
    format: WireFormat,
  ) {
    const uuid = systemRandom.uuid()
    const taken = Promise.withResolvers<Joining>()
    this.awaited.push({ uuid, took: (leg) => taken.resolve({ leg, silence: keepSilent(leg) }) })
    const channel = new MediaChannel({ ari, clock, log: silentLog, application, door, format, bridgeId: bridge, uuid })
    this.channels.push(channel)
    const opened = await channel.open(made)
    if (!opened.ok) throw new Error(opened.error)
    return { channel, ...(await taken.promise) }
  }
}

interface Joining {
  readonly leg: Leg
  readonly silence: Disposable
}

/**
 * Silence from the leg's first moment on, as calls send it: an Asterisk that reads an AudioSocket may wait there for the
 * next message with the channel locked, and answers nobody until one comes.
 */
function keepSilent(leg: Leg): Disposable {
  const { sampleRateHz } = leg.format
  const frame = { sampleRateHz, samples: new Int16Array(samplesPerFrame(sampleRateHz)) }
  leg.write(frame)
  const timer = setInterval(() => {
    if (leg.write(frame) === 'closed') clearInterval(timer)
  }, 20)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

/** Asterisk says that a channel is in the bridge a moment before its audio is: until each hears the other. */
async function untilJoined(...joining: readonly Joining[]): Promise<void> {
  const hears = ({ leg }: Joining) =>
    new Promise<void>((resolve) => {
      leg.onEvent((event) => {
        if (event.type === 'audio') resolve()
      })
    })
  await Promise.all(joining.map(hears))
  for (const { silence } of joining) silence[Symbol.dispose]()
  // What is under way is no part of the test.
  await Bun.sleep(200)
}

interface UnderTest {
  readonly hangUp: () => Promise<unknown>
  readonly digit: (digit: string) => Promise<unknown>
  readonly isGone: () => Promise<boolean>
}

/** Speaks at a telephone's pace, into the bridge that the leg under test is in. */
class BridgedFarSide implements FarSide {
  readonly heard: number[] = []
  private readonly leg: Leg
  private readonly under: UnderTest

  constructor(leg: Leg, under: UnderTest) {
    this.leg = leg
    this.under = under
    leg.onEvent((event) => {
      if (event.type === 'audio') this.heard.push(...event.frame.samples)
    })
  }

  /** Asterisk has taken the channel down by itself. */
  get gone(): Promise<void> {
    const look = async () => {
      while (!(await this.under.isGone())) await Bun.sleep(10)
    }
    return look()
  }

  async speak(samples: Int16Array): Promise<void> {
    const { sampleRateHz } = this.leg.format
    const count = samplesPerFrame(sampleRateHz)
    for (let at = 0; at < samples.length; at += count) {
      this.leg.write({ sampleRateHz, samples: samples.subarray(at, at + count) })
      await Bun.sleep(20)
    }
  }

  async digit(digit: string): Promise<void> {
    await this.under.digit(digit)
    await Bun.sleep(250)
  }

  hangUp(): void {
    void this.under.hangUp()
  }

  stopReading(): void {}
}

const bench = new Bench()
beforeAll(() => bench.start(), 300_000)
afterAll(() => bench.stop())

const paced = { backPressure: false, paceMs: 20 }
legContract('AudioSocket through Asterisk', () => bench.open(bench.audioSocket('slin'), 'slin', 'slin'), paced)
legContract(
  'AudioSocket at 16 kHz through Asterisk',
  () => bench.open(bench.audioSocket('slin16'), 'slin16', 'slin16'),
  paced,
)
legContract('media WebSocket through Asterisk', () => bench.open(bench.webSocket(), 'slin16', 'slin16'), paced)
legContract('RTP through Asterisk', () => bench.open(bench.rtp(), 'slin', 'slin'), {
  ...paced,
  farHangsUp: false,
  digits: false,
  clocked: true,
})
