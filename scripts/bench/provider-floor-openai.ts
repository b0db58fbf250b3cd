import { decodeMuLaw, encodeMuLaw } from '#audio/g711.ts'
import {
  type FloorListener,
  type FloorSession,
  floorFrameSamples,
  framesPerMessage,
  type OpenFloorSession,
} from './provider-floor-session.ts'
import type { ProviderEngineJob, ProviderFormat } from './provider-wire.ts'

/**
 * The floor against the Realtime API: every message is parsed, audio is base64 both ways. What makes µ-law of samples is a
 * table, what makes 24 kHz of 8 says each sample three times.
 */
const inFrame: Readonly<Partial<Record<ProviderFormat, number>>> = { pcmu: 160, pcm24: 960 }
const upsample = 3

interface ServerMessage {
  readonly type: string
  readonly delta?: string
}

export const openOpenAiFloor: OpenFloorSession = (job, uuid, listener) => new OpenAiFloor(job, uuid, listener)

class OpenAiFloor implements FloorSession {
  private readonly isMuLaw: boolean
  private readonly frameBytes: number
  private readonly batch: Uint8Array
  private readonly wide: Int16Array
  private readonly server: WebSocket
  private readonly listener: FloorListener
  private batched = 0
  private appends = 0
  private agrees = false

  constructor(job: ProviderEngineJob, uuid: string, listener: FloorListener) {
    this.listener = listener
    this.isMuLaw = job.format === 'pcmu'
    this.frameBytes = inFrame[job.format] ?? 0
    const batch = new Uint8Array(this.frameBytes * framesPerMessage)
    this.batch = batch
    this.wide = new Int16Array(batch.buffer, 0, this.isMuLaw ? 0 : batch.length / 2)
    const server = new WebSocket(`${job.baseUrl.replace('http', 'ws')}/realtime?model=gpt-realtime`, {
      perMessageDeflate: false,
    } as unknown as string[])
    const format = this.isMuLaw ? { type: 'audio/pcmu' } : { type: 'audio/pcm', rate: 24_000 }
    const input = { format, turn_detection: { type: 'server_vad' }, transcription: { model: 'gpt-4o-mini-transcribe' } }
    const session = { type: 'realtime', instructions: uuid, audio: { input, output: { format } } }
    server.addEventListener('open', () => server.send(JSON.stringify({ type: 'session.update', session })))
    server.addEventListener('message', ({ data }) => this.received(JSON.parse(data) as ServerMessage))
    this.server = server
  }

  close(): void {
    this.server.terminate()
  }

  hear(samples: Int16Array): void {
    if (!this.agrees) return
    const { batch, wide } = this
    const from = this.batched * this.frameBytes
    if (this.isMuLaw) encodeMuLaw(samples, batch.subarray(from))
    else
      for (let index = 0; index < floorFrameSamples * upsample; index += 1)
        wide[from / 2 + index] = samples[Math.floor(index / upsample)] as number
    this.batched += 1
    if (this.batched < framesPerMessage) return
    this.batched = 0
    this.appends += 1
    this.server.send(
      `{"type":"input_audio_buffer.append","event_id":"append_${this.appends}","audio":"${batch.toBase64()}"}`,
    )
  }

  private received({ type, delta }: ServerMessage): void {
    if (type === 'response.output_audio.delta' && delta !== undefined) this.listener.audio(this.samplesOf(delta))
    else if (type === 'session.updated') this.agrees = true
    else if (type === 'input_audio_buffer.speech_started') this.listener.interrupted()
  }

  private samplesOf(delta: string): Int16Array {
    const bytes = Uint8Array.fromBase64(delta)
    if (this.isMuLaw) {
      const samples = new Int16Array(bytes.length)
      decodeMuLaw(bytes, samples)
      return samples
    }
    const wide = new Int16Array(bytes.buffer, 0, bytes.length >> 1)
    const samples = new Int16Array(wide.length / upsample)
    for (let index = 0; index < samples.length; index += 1) samples[index] = wide[index * upsample] as number
    return samples
  }
}
