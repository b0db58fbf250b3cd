import { AllowList } from '#asterisk/allow-list.ts'
import { MediaWebSocketDoor, type MediaWebSocketDoorOptions } from '#asterisk/media-websocket-door.ts'
import { mediaPath } from '#asterisk/media-websocket-link.ts'
import { samplesPerFrame, type WireFormat, wireRatesHz } from '#audio/format.ts'
import { decodeALaw, decodeMuLaw, encodeALaw, encodeMuLaw } from '#audio/g711.ts'
import { SystemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { type Random, seededRandom } from '#base/random.ts'
import type { Leg } from '#call/leg.ts'
import { FakeMediaChannel } from '../fakes/media-websocket-asterisk.ts'
import { listenOnWire, WebSocketWire } from '../fakes/media-websocket-wire.ts'
import { type FarSide, type LegUnderTest, legContract } from './leg.ts'

/** Each look at it finds 20 ms gone: the suite writes as fast as it can, and the leg believes in a pacer that keeps time. */
class PacedClock extends SystemClock {
  private readMs = 0

  override now(): number {
    this.readMs += 20
    return this.readMs
  }
}

/** Asterisk's side: it plays what it gets at once, and says what it says in messages and in pieces of any size. */
class AsteriskSide implements FarSide {
  readonly wire: WebSocketWire
  readonly gone: Promise<void>
  readonly channel: FakeMediaChannel
  private readonly format: WireFormat
  private readonly random: Random
  private readonly samples: number[] = []

  constructor(role: 'client' | 'server', format: WireFormat, form: 'json' | 'plain_text', seed: number) {
    const over = Promise.withResolvers<void>()
    this.gone = over.promise
    this.format = format
    this.random = seededRandom(seed)
    this.channel = new FakeMediaChannel(
      { format, form, channelId: 'media-1', connectionId: 'patchcord' },
      (text) => this.wire.sendText(text),
      () => this.wire.close(1000),
    )
    this.wire = new WebSocketWire(
      role,
      {
        open: () => this.channel.start(),
        text: (text) => this.channel.receiveText(text),
        binary: (bytes) => {
          this.channel.receiveBinary(bytes)
          this.channel.tick()
          this.hear(bytes)
        },
        closed: () => over.resolve(),
      },
      this.random,
    )
  }

  get heard(): readonly number[] {
    return this.samples
  }

  private hear(bytes: Uint8Array): void {
    const samples = new Int16Array(this.format === 'ulaw' || this.format === 'alaw' ? bytes.length : bytes.length / 2)
    if (this.format === 'ulaw') decodeMuLaw(bytes, samples)
    else if (this.format === 'alaw') decodeALaw(bytes, samples)
    else new Uint8Array(samples.buffer).set(bytes)
    this.samples.push(...samples)
  }

  async speak(samples: Int16Array): Promise<void> {
    const law = { ulaw: encodeMuLaw, alaw: encodeALaw }[this.format as 'ulaw' | 'alaw']
    let bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)
    if (law !== undefined) {
      bytes = new Uint8Array(samples.length)
      law(samples, bytes)
    }
    const frameBytes = bytes.length / (samples.length / samplesPerFrame(wireRatesHz[this.format]))
    for (let offset = 0; offset < bytes.length; ) {
      const size = 1 + Math.floor(this.random.next() * 2 * frameBytes)
      this.wire.sendBinary(bytes.subarray(offset, offset + size))
      offset += size
    }
    await this.wire.flushed()
  }

  async digit(digit: string): Promise<void> {
    this.channel.digit(digit)
    await this.wire.flushed()
  }

  hangUp(): void {
    this.wire.close(1000)
  }

  stopReading(): void {
    this.wire.stopReading()
  }
}

const uuid = '40325ec2-5efd-4bd3-805f-53576e581d13'
const connectionId = 'd941dd3b-694f-4f16-aed0-80ab316733d7'

function doorOptions(
  connection: MediaWebSocketDoorOptions['connection'],
  taken: (leg: Leg) => void,
): MediaWebSocketDoorOptions {
  return {
    connection,
    startTimeoutMs: 10_000,
    silentPeerTimeoutMs: 0,
    connectionsMax: 10,
    clock: new PacedClock(),
    log: silentLog,
    accept: (_uuid, leg) => {
      taken(leg)
      return 'accepted'
    },
  }
}

async function order(door: MediaWebSocketDoor, format: WireFormat) {
  const prepared = await door.prepare({ uuid, channelId: 'media-1', format })
  if (!prepared.ok) throw new Error(prepared.error)
  return prepared.value
}

async function openConnecting(format: WireFormat, form: 'json' | 'plain_text', seed: number): Promise<LegUnderTest> {
  const far = new AsteriskSide('server', format, form, seed)
  const asterisk = listenOnWire(() => far.wire)
  const taken = Promise.withResolvers<Leg>()
  const connection = { direction: 'connect', host: '127.0.0.1', port: asterisk.port } as const
  const door = new MediaWebSocketDoor(doorOptions(connection, taken.resolve))
  const media = await order(door, format)
  media.made({ MEDIA_WEBSOCKET_CONNECTION_ID: connectionId })
  const leg = await taken.promise
  return {
    leg,
    far,
    dispose: () => {
      far.wire.terminate()
      asterisk.stop(true)
      door.close()
    },
  }
}

async function openListening(format: WireFormat, form: 'json' | 'plain_text', seed: number): Promise<LegUnderTest> {
  const allowList = AllowList.parse(['127.0.0.1'])
  if (!allowList.ok) throw new Error(allowList.error)
  const taken = Promise.withResolvers<Leg>()
  const door = new MediaWebSocketDoor(
    doorOptions(
      {
        direction: 'listen',
        host: '127.0.0.1',
        port: 0,
        section: 'patchcord',
        allowList: allowList.value,
        credentials: null,
      },
      taken.resolve,
    ),
  )
  await order(door, format)
  const far = new AsteriskSide('client', format, form, seed)
  await far.wire.connect(door.port ?? 0, mediaPath)
  const leg = await taken.promise
  return {
    leg,
    far,
    dispose: () => {
      far.wire.terminate()
      door.close()
    },
  }
}

legContract('Media WebSocket, we connect, slin16', () => openConnecting('slin16', 'json', 1))
legContract('Media WebSocket, we connect, µ-law', () => openConnecting('ulaw', 'plain_text', 2), { wire: 'g711' })
legContract('Media WebSocket, Asterisk connects, slin', () => openListening('slin', 'plain_text', 3))
legContract('Media WebSocket, Asterisk connects, A-law', () => openListening('alaw', 'json', 4), { wire: 'g711' })
