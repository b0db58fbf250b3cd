import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { connect, type Socket } from 'node:net'
import { payloadBytesMax, uuidMessage } from '#asterisk/audiosocket.ts'
import { SystemClock } from '#base/clock.ts'
import { seededRandom } from '#base/random.ts'
import { AudioSocketCaller } from '#simulator/audiosocket-caller.ts'
import { BedEngine } from '../bed/engine.ts'

// Everything that a peer can do wrong on the AudioSocket port, against a real process; and all the while one caller
// speaks, and must get each of their samples back.

const random = seededRandom(2026)
const uuidTimeoutMs = 600
const silentPeerMs = 1500
const connectionsMax = 60

/** A peer that keeps no rule. */
class Peer {
  readonly received: number[] = []
  readonly closed: Promise<void>
  readonly socket: Socket
  private readonly ready: Promise<void>

  constructor(port: number, from = '127.0.0.1') {
    this.socket = connect({ host: '127.0.0.1', port, localAddress: from, noDelay: true })
    this.socket.on('data', (chunk: Buffer) => this.received.push(...chunk))
    // How a connection breaks is the engine's choice; the test looks at what it counted.
    this.socket.on('error', () => {})
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()))
    this.ready = new Promise((resolve) => {
      this.socket.once('connect', () => resolve())
      this.socket.once('close', () => resolve())
    })
  }

  async send(...messages: readonly (Uint8Array | readonly number[])[]): Promise<this> {
    await this.ready
    this.socket.write(Buffer.concat(messages.map((message) => Uint8Array.from(message))))
    return this
  }

  async connected(): Promise<this> {
    await this.ready
    return this
  }

  leave(): void {
    this.socket.destroy()
  }
}

const message = (kind: number, payload: readonly number[], claimed = payload.length) => [
  kind,
  claimed >> 8,
  claimed & 0xff,
  ...payload,
]
const newUuid = () => uuidMessage(random.uuid())

/** The speech of the caller who must not be harmed: noise that never repeats and is never silent. */
class SteadyCall {
  readonly uuid = random.uuid()
  readonly said: Int16Array
  readonly heard: number[] = []
  ended: string | null = null
  private caller: AudioSocketCaller | null = null
  private speaking: Promise<void> = Promise.resolve()

  constructor(seconds: number) {
    this.said = Int16Array.from({ length: seconds * 8000 }, () => 1 + Math.floor(random.next() * 30_000))
  }

  async begin(port: number): Promise<void> {
    this.caller = await AudioSocketCaller.connect({
      host: '127.0.0.1',
      port,
      uuid: this.uuid,
      sampleRateHz: 8000,
      clock: new SystemClock(),
      audio: ({ samples }) => this.heard.push(...samples),
      ended: (how) => {
        this.ended = how
      },
    })
    this.speaking = this.caller.say(this.said)
  }

  /** Resolves when all was said and has had time to come back. */
  async over(): Promise<void> {
    await this.speaking
    const first = () => this.heard.findIndex((sample) => sample !== 0)
    while (this.ended === null && (first() < 0 || this.heard.length < first() + this.said.length)) await Bun.sleep(20)
  }

  hangUp(): void {
    this.caller?.hangUp()
  }
}

/** 20 ms of audio at 8 kHz. */
const audioMessage = message(0x10, new Array<number>(320).fill(1))

describe('abuse of the AudioSocket port', () => {
  let engine: BedEngine
  let steady: SteadyCall
  let timersAtRest = 0

  const metric = (name: string) => engine.metric(`ai_agent_${name}`)
  const rejected = (reason: string) => metric(`audiosocket_rejected_total{reason="${reason}"}`)
  const violations = (violation: string) => metric(`audiosocket_violations_total{violation="${violation}"}`)
  const ended = (cause: string) => metric(`calls_total{provider="loopback",cause="${cause}"}`)
  /** How much a number grows while this happens: until it has grown so much, or for two seconds. */
  async function growth(read: () => Promise<number>, by: number, happen: () => Promise<unknown>): Promise<number> {
    const before = await read()
    await happen()
    for (let waited = 0; waited < 2000 && (await read()) - before < by; waited += 20) await Bun.sleep(20)
    return (await read()) - before
  }
  const peer = (from?: string) => new Peer(engine.audioSocketPort, from)
  /** All but the steady call have gone. */
  const alone = () => engine.until('alone again', 5000, async () => (await metric('audiosocket_connections')) === 1)

  beforeAll(async () => {
    engine = await BedEngine.start({
      provider: 'loopback',
      yaml: 'providers:\n  local:\n    enabled: false\n',
      audioSocketYaml: [
        '  allow: [127.0.0.1]',
        `  uuid_timeout_ms: ${uuidTimeoutMs}`,
        `  silent_peer_timeout_ms: ${silentPeerMs}`,
        `  max_connections: ${connectionsMax}`,
      ].join('\n'),
    })
    timersAtRest = await metric('timers')
    steady = new SteadyCall(12)
    await steady.begin(engine.audioSocketPort)
    await engine.until('in a call', 5000, async () => (await metric('calls_active')) === 1)
  }, 60_000)

  afterAll(async () => {
    await engine?.stop()
  })

  test('random bytes: turned away, each for what its first bytes say', async () => {
    const expected: Record<string, number> = {}
    const noise: number[][] = []
    for (let count = 0; count < 40; count += 1) {
      const bytes = Array.from({ length: 4000 }, () => Math.floor(random.next() * 256))
      const [kind = 0, high = 0, low = 0] = bytes
      const length = high * 256 + low
      // The header alone decides, and its length first; a UUID message of just 16 bytes is not among these.
      const why =
        length > payloadBytesMax ? 'oversized_payload' : kind === 1 ? 'bad_uuid_length' : 'first_message_not_uuid'
      expected[why] = (expected[why] ?? 0) + 1
      noise.push(bytes)
    }
    const reasons = Object.keys(expected)
    const total = async () => (await Promise.all(reasons.map(rejected))).reduce((sum, count) => sum + count, 0)
    expect(await growth(total, 40, () => Promise.all(noise.map((bytes) => peer().send(bytes))))).toBe(40)
    for (const reason of reasons)
      expect({ reason, count: await rejected(reason) }).toEqual({ reason, count: expected[reason] ?? 0 })
    await alone()
  }, 20_000)

  const wrongs: [string, string, () => (Uint8Array | readonly number[])[]][] = [
    ['an oversized length', 'oversized_payload', () => [message(0x10, [], 65_535)]],
    ['a second UUID', 'second_uuid', () => [newUuid()]],
    ['a UUID of the wrong length', 'bad_uuid_length', () => [message(0x01, [1, 2, 3])]],
    ['a digit that is none', 'bad_dtmf', () => [message(0x03, [0x45])]],
    ['audio of another rate', 'unexpected_rate', () => [message(0x12, [0, 0])]],
    ['an error message', 'peer_error', () => [message(0xff, [4])]],
  ]
  test.each(wrongs)('%s in mid-call: that call ends as a protocol error', async (_name, violation, bytes) => {
    const calls = await ended('protocol_error')
    const grown = await growth(
      () => violations(violation),
      5,
      () => Promise.all(Array.from({ length: 5 }, () => peer().send(newUuid(), ...bytes()))),
    )
    expect(grown).toBe(5)
    await alone()
    expect((await ended('protocol_error')) - calls).toBe(5)
  })

  test('the UUID of a call that is there: turned away', async () => {
    const again = peer()
    expect(
      await growth(
        () => rejected('duplicate_uuid'),
        1,
        () => again.send(uuidMessage(steady.uuid)),
      ),
    ).toBe(1)
    await again.closed
    expect(again.received).toEqual([0, 0, 0])
  })

  test('a peer that never says its UUID: turned away when its time is over, with a terminate message', async () => {
    const mute = await peer().connected()
    const half = await peer().send(newUuid().subarray(0, 10))
    const connectedAt = performance.now()
    expect(
      await growth(
        () => rejected('uuid_timeout'),
        2,
        () => Promise.all([mute.closed, half.closed]),
      ),
    ).toBe(2)
    // The timer runs in another process: it may have begun a little before.
    expect(performance.now() - connectedAt).toBeGreaterThan(uuidTimeoutMs - 100)
    expect([mute.received, half.received]).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ])
  })

  test('a peer that falls silent after its UUID: its call is lost', async () => {
    const silent = peer()
    const lost = await growth(
      () => ended('media_lost'),
      1,
      async () => {
        await silent.send(newUuid())
        await silent.closed
      },
    )
    expect(lost).toBe(1)
  })

  test('kinds that are not known are skipped and counted; the call goes on until it is hung up', async () => {
    const odd = peer()
    const unknown = await growth(
      () => metric('audiosocket_unknown_messages_total'),
      3,
      () => odd.send(newUuid(), message(0x20, []), message(0x02, [1, 2]), message(0x17, [1, 2])),
    )
    expect(unknown).toBe(3)
    expect(
      await growth(
        () => ended('caller'),
        1,
        async () => odd.leave(),
      ),
    ).toBe(1)
  })

  test('a peer that never reads and hangs up leaves nothing', async () => {
    const deaf = peer()
    deaf.socket.pause()
    // As much at once as a network that stood still may hand over.
    await deaf.send(newUuid(), Array.from({ length: 200 }, () => audioMessage).flat())
    await engine.until('in a second call', 5000, async () => (await metric('calls_active')) === 2)
    await Bun.sleep(500)
    deaf.leave()
    await alone()
    await engine.until('in one call', 5000, async () => (await metric('calls_active')) === 1)
    expect(await metric('provider_sessions')).toBe(1)
  }, 15_000)

  test('a peer that sends a minute of audio at once: a flood, its call is ended', async () => {
    const before = await violations('flood')
    const flooding = peer()
    await flooding.send(newUuid(), Array.from({ length: 3000 }, () => audioMessage).flat())
    await engine.until('rid of it', 5000, async () => (await violations('flood')) === before + 1)
    await alone()
    await engine.until('in one call', 5000, async () => (await metric('calls_active')) === 1)
    flooding.leave()
  }, 15_000)

  test('a peer that is not on the allow list: turned away, whatever it says', async () => {
    // It is turned away as soon as it connects, so that it may not do so before the count is begun.
    const strangers: Peer[] = []
    expect(
      await growth(
        () => rejected('not_allowed'),
        1,
        () => {
          const stranger = peer('127.0.0.2')
          strangers.push(stranger)
          return stranger.send(newUuid())
        },
      ),
    ).toBe(1)
    await strangers[0]?.closed
  })

  test('more connections than the limit: those beyond it are turned away', async () => {
    await alone()
    const crowd: Peer[] = []
    // The steady call has one of the places.
    const beyond = await growth(
      () => rejected('too_many_connections'),
      20,
      async () => {
        for (let count = 0; count < connectionsMax - 1 + 20; count += 1) crowd.push(await peer().connected())
      },
    )
    expect(beyond).toBe(20)
    for (const each of crowd) each.leave()
    await alone()
  }, 15_000)

  test('hundreds that connect and leave: each is counted', async () => {
    const gone = await growth(
      () => rejected('closed_before_uuid'),
      400,
      async () => {
        for (let round = 0; round < 20; round += 1) {
          const batch = await Promise.all(Array.from({ length: 20 }, () => peer().connected()))
          for (const each of batch) each.leave()
          await Promise.all(batch.map((each) => each.closed))
          await alone()
        }
      },
    )
    expect(gone).toBe(400)
  }, 20_000)

  test('the caller who spoke all the while got every sample back, in order, and nothing is left', async () => {
    await steady.over()
    expect(steady.ended).toBeNull()
    const first = steady.heard.findIndex((sample) => sample !== 0)
    const back = Int16Array.from(steady.heard.slice(first, first + steady.said.length))
    expect(Buffer.from(back.buffer).equals(Buffer.from(steady.said.buffer))).toBe(true)
    steady.hangUp()
    await engine.untilIdle()
    const record = engine.records().find((each) => each.call_id === steady.uuid)
    expect(record).toMatchObject({ cause: 'caller', audio: { underruns: 0, overruns: 0, frames_refused: 0 } })
    // No more than before: those of the engine's own start have run out since.
    await engine.until('at rest', 3000, async () => (await metric('timers')) <= timersAtRest)
    expect([await metric('audiosocket_connections'), await metric('provider_sessions')]).toEqual([0, 0])
    expect(engine.log.filter((line) => line.level === 'error')).toEqual([])
  }, 30_000)
})
