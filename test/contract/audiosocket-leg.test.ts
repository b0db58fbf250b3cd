import type { Socket } from 'bun'
import { AllowList } from '#asterisk/allow-list.ts'
import {
  AudioSocketParser,
  audioMessageBytes,
  dtmfMessage,
  uuidMessage,
  writeAudioMessage,
} from '#asterisk/audiosocket.ts'
import type { AudioSocketLeg } from '#asterisk/audiosocket-leg.ts'
import { AudioSocketServer } from '#asterisk/audiosocket-server.ts'
import { type SampleRateHz, samplesPerFrame } from '#audio/format.ts'
import { SystemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { type Random, seededRandom } from '#base/random.ts'
import { type FarSide, type LegUnderTest, legContract } from './leg.ts'

/** Asterisk's side of a connection over loopback TCP; it writes its bytes in pieces that respect no message. */
class ChunkingPeer implements FarSide {
  readonly heard: number[] = []
  readonly gone: Promise<void>
  private readonly over = Promise.withResolvers<void>()
  private readonly random: Random
  private readonly sampleRateHz: SampleRateHz
  private socket: Socket | null = null
  private drained = Promise.withResolvers<void>()
  private closed = false

  constructor(sampleRateHz: SampleRateHz, random: Random) {
    this.sampleRateHz = sampleRateHz
    this.random = random
    this.gone = this.over.promise
  }

  async connect(port: number, uuid: string): Promise<void> {
    const parser = new AudioSocketParser(
      {
        uuid: () => {},
        audio: (_rate, pcm) => {
          // A copy of these bytes alone: what the socket hands out is a view into a larger buffer.
          this.heard.push(...new Int16Array(Uint8Array.from(pcm).buffer))
        },
        dtmf: () => {},
        terminated: () => this.socket?.end(),
        unknown: () => {},
        violation: () => {},
      },
      'engine',
    )
    const ended = () => {
      this.closed = true
      this.drained.resolve()
      this.over.resolve()
    }
    this.socket = await Bun.connect({
      hostname: '127.0.0.1',
      port,
      socket: {
        data: (_socket, chunk) => parser.push(chunk),
        drain: () => {
          this.drained.resolve()
          this.drained = Promise.withResolvers<void>()
        },
        close: ended,
        error: ended,
      },
    })
    await this.send(uuidMessage(uuid))
  }

  async speak(samples: Int16Array): Promise<void> {
    const perFrame = samplesPerFrame(this.sampleRateHz)
    const bytes: Uint8Array[] = []
    for (let offset = 0; offset < samples.length; offset += perFrame) {
      const frame = samples.subarray(offset, offset + perFrame)
      const message = new Uint8Array(audioMessageBytes(frame.length))
      writeAudioMessage(message, 0, this.sampleRateHz, frame)
      bytes.push(message)
    }
    await this.send(Buffer.concat(bytes))
  }

  digit(digit: string): Promise<void> {
    return this.send(dtmfMessage(digit))
  }

  hangUp(): void {
    this.socket?.end()
  }

  stopReading(): void {
    this.socket?.pause()
  }

  terminate(): void {
    this.socket?.terminate()
  }

  private async send(bytes: Uint8Array): Promise<void> {
    for (let offset = 0; offset < bytes.length && !this.closed; ) {
      const size = Math.min(bytes.length - offset, 1 + Math.floor(this.random.next() ** 3 * 1500))
      const taken = this.socket?.write(bytes, offset, size) ?? -1
      if (taken < 0) return
      offset += taken
      if (taken < size) await this.drained.promise
      // Sometimes the piece leaves by itself, sometimes the kernel joins it with the next.
      else if (this.random.next() < 0.3) await new Promise<void>((resolve) => setImmediate(resolve))
    }
  }
}

const uuid = '40325ec2-5efd-4bd3-805f-53576e581d13'

async function openAudioSocket(sampleRateHz: SampleRateHz, seed: number): Promise<LegUnderTest> {
  const allowList = AllowList.parse(['127.0.0.1'])
  if (!allowList.ok) throw new Error(allowList.error)
  const arrived = Promise.withResolvers<AudioSocketLeg>()
  const server = new AudioSocketServer({
    host: '127.0.0.1',
    port: 0,
    sampleRateHz,
    uuidTimeoutMs: 10_000,
    silentPeerTimeoutMs: 0,
    connectionsMax: 10,
    allowList: allowList.value,
    clock: new SystemClock(),
    log: silentLog,
    accept: (_uuid, leg) => {
      arrived.resolve(leg)
      return 'accepted'
    },
  })
  const far = new ChunkingPeer(sampleRateHz, seededRandom(seed))
  await far.connect(server.port, uuid)
  const leg = await arrived.promise
  return {
    leg,
    far,
    dispose: () => {
      far.terminate()
      server.close()
    },
  }
}

legContract('AudioSocket at 8 kHz', () => openAudioSocket(8000, 1))
legContract('AudioSocket at 16 kHz', () => openAudioSocket(16000, 2))
