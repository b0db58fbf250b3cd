import { decodeMuLaw, encodeMuLaw } from '#audio/g711.ts'
import {
  type FloorListener,
  type FloorSession,
  floorFrameSamples,
  framesPerMessage,
  type OpenFloorSession,
} from './provider-floor-session.ts'
import type { ProviderEngineJob } from './provider-wire.ts'

/** The floor against Deepgram's agent: audio is binary both ways, of the wire's own samples or by a table. */
interface ServerMessage {
  readonly type: string
}

export const openDeepgramFloor: OpenFloorSession = (job, uuid, listener) => new DeepgramFloor(job, uuid, listener)

class DeepgramFloor implements FloorSession {
  private readonly isMuLaw: boolean
  private readonly frameBytes: number
  private readonly batch: Uint8Array<ArrayBuffer>
  private readonly server: WebSocket
  private readonly listener: FloorListener
  private batched = 0
  private agrees = false

  constructor(job: ProviderEngineJob, uuid: string, listener: FloorListener) {
    this.listener = listener
    this.isMuLaw = job.format === 'mulaw'
    this.frameBytes = floorFrameSamples * (this.isMuLaw ? 1 : 2)
    this.batch = new Uint8Array(this.frameBytes * framesPerMessage)
    const url = `${job.baseUrl.replace('http', 'ws')}/v1/agent/converse`
    const server = new WebSocket(url, { perMessageDeflate: false } as unknown as string[])
    server.binaryType = 'arraybuffer'
    const format = { encoding: job.format, sample_rate: 8000 }
    const settings = {
      type: 'Settings',
      flags: { history: false },
      audio: { input: format, output: { ...format, container: 'none' } },
      agent: {
        listen: { provider: { type: 'deepgram', version: 'v1', model: 'nova-3' } },
        think: { provider: { type: 'open_ai', model: 'gpt-4o-mini' }, prompt: uuid },
        speak: { provider: { type: 'deepgram', model: 'aura-2-thalia-en' } },
      },
    }
    server.addEventListener('open', () => server.send(JSON.stringify(settings)))
    server.addEventListener('message', ({ data }) => {
      if (typeof data === 'string') this.received(JSON.parse(data) as ServerMessage)
      else listener.audio(this.samplesOf(new Uint8Array(data as ArrayBuffer)))
    })
    this.server = server
  }

  close(): void {
    this.server.terminate()
  }

  hear(samples: Int16Array): void {
    if (!this.agrees) return
    const from = this.batched * this.frameBytes
    if (this.isMuLaw) encodeMuLaw(samples, this.batch.subarray(from))
    else this.batch.set(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength), from)
    this.batched += 1
    if (this.batched < framesPerMessage) return
    this.batched = 0
    this.server.send(this.batch)
  }

  private received({ type }: ServerMessage): void {
    if (type === 'SettingsApplied') this.agrees = true
    else if (type === 'UserStartedSpeaking') this.listener.interrupted()
  }

  private samplesOf(bytes: Uint8Array<ArrayBuffer>): Int16Array {
    if (!this.isMuLaw) return new Int16Array(bytes.buffer, 0, bytes.length >> 1)
    const samples = new Int16Array(bytes.length)
    decodeMuLaw(bytes, samples)
    return samples
  }
}
