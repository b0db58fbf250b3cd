import type { Socket } from 'bun'
import { AudioSocketParser, audioMessageBytes, writeAudioMessage } from '#asterisk/audiosocket.ts'
import { decodeMuLaw, encodeMuLaw } from '#audio/g711.ts'
import { SystemClock } from '#base/clock.ts'
import { answerOrchestrator } from './media-usage.ts'
import type { ProviderEngineJob, ProviderFormat } from './provider-wire.ts'

/**
 * The floor of `just bench provider`: what no engine in this runtime can leave out. Frames are read off AudioSocket and
 * gathered into appends of 40 ms in base64; every message of the server's is parsed, deltas are decoded and cut into
 * frames, one timer writes them. What makes µ-law of samples is a table, what makes 24 kHz of 8 says each sample three
 * times; no turns, no filter, no limit, no record.
 */
const job = JSON.parse(process.argv[2] ?? '{}') as ProviderEngineJob
const legHz = 8000
const frameSamples = 160
const framesPerAppend = 2
const inAppend: Readonly<Record<ProviderFormat, number>> = { pcmu: 160, pcm24: 960 }
const upsample = 3
const silence = new Int16Array(frameSamples)

interface ServerMessage {
  readonly type: string
  readonly delta?: string
}

class FloorCall {
  readonly parser: AudioSocketParser
  private readonly leg: Socket<FloorCall>
  private readonly message = new Uint8Array(audioMessageBytes(frameSamples))
  private readonly frame = new Int16Array(frameSamples)
  private readonly batch = new Uint8Array(inAppend[job.format] * framesPerAppend)
  private readonly wide = new Int16Array(this.batch.buffer, 0, job.format === 'pcm24' ? this.batch.length / 2 : 0)
  private readonly caller = new Int16Array(frameSamples)
  private readonly callerBytes = new Uint8Array(this.caller.buffer)
  private batched = 0
  private appends = 0
  private server: WebSocket | null = null
  private agrees = false
  private queue: Int16Array[] = []
  /** Samples of the first in the queue that have left. */
  private left = 0

  constructor(leg: Socket<FloorCall>) {
    this.leg = leg
    this.parser = new AudioSocketParser(
      {
        uuid: (uuid) => this.open(uuid),
        audio: (_rate, pcm) => this.hear(pcm),
        dtmf: () => {},
        terminated: () => this.close(),
        unknown: () => {},
        violation: () => this.close(),
      },
      'asterisk',
    )
  }

  close(): void {
    this.server?.terminate()
    this.server = null
  }

  speak(): void {
    const samples = this.queue.length === 0 ? silence : this.take()
    this.leg.write(this.message.subarray(0, writeAudioMessage(this.message, 0, legHz, samples)))
  }

  private take(): Int16Array {
    const { frame } = this
    let filled = 0
    while (filled < frameSamples) {
      const [first] = this.queue
      if (first === undefined) break
      const part = first.subarray(this.left, this.left + frameSamples - filled)
      frame.set(part, filled)
      filled += part.length
      this.left += part.length
      if (this.left < first.length) continue
      this.queue.shift()
      this.left = 0
    }
    return frame.fill(0, filled)
  }

  private open(uuid: string): void {
    const server = new WebSocket(`${job.baseUrl.replace('http', 'ws')}/realtime?model=gpt-realtime`, {
      perMessageDeflate: false,
    } as unknown as string[])
    const format = job.format === 'pcmu' ? { type: 'audio/pcmu' } : { type: 'audio/pcm', rate: 24_000 }
    const input = { format, turn_detection: { type: 'server_vad' }, transcription: { model: 'gpt-4o-mini-transcribe' } }
    const session = { type: 'realtime', instructions: uuid, audio: { input, output: { format } } }
    server.addEventListener('open', () => server.send(JSON.stringify({ type: 'session.update', session })))
    server.addEventListener('message', ({ data }) => this.received(JSON.parse(data) as ServerMessage))
    this.server = server
  }

  private received({ type, delta }: ServerMessage): void {
    if (type === 'response.output_audio.delta' && delta !== undefined) this.queue.push(samplesOf(delta))
    else if (type === 'session.updated') this.agrees = true
    else if (type === 'input_audio_buffer.speech_started') {
      this.queue = []
      this.left = 0
    }
  }

  private hear(pcm: Uint8Array): void {
    if (!this.agrees) return
    const { caller, batch, wide } = this
    this.callerBytes.set(pcm)
    const from = this.batched * inAppend[job.format]
    if (job.format === 'pcmu') encodeMuLaw(caller, batch.subarray(from))
    else
      for (let index = 0; index < frameSamples * upsample; index += 1)
        wide[from / 2 + index] = caller[Math.floor(index / upsample)] as number
    this.batched += 1
    if (this.batched < framesPerAppend) return
    this.batched = 0
    this.appends += 1
    this.server?.send(
      `{"type":"input_audio_buffer.append","event_id":"append_${this.appends}","audio":"${batch.toBase64()}"}`,
    )
  }
}

function samplesOf(delta: string): Int16Array {
  const bytes = Uint8Array.fromBase64(delta)
  if (job.format === 'pcmu') {
    const samples = new Int16Array(bytes.length)
    decodeMuLaw(bytes, samples)
    return samples
  }
  const wide = new Int16Array(bytes.buffer, 0, bytes.length >> 1)
  const samples = new Int16Array(wide.length / upsample)
  for (let index = 0; index < samples.length; index += 1) samples[index] = wide[index * upsample] as number
  return samples
}

const open: FloorCall[] = []
const listener = Bun.listen<FloorCall>({
  hostname: '127.0.0.1',
  port: 0,
  socket: {
    open(socket) {
      socket.data = new FloorCall(socket)
      socket.setNoDelay(true)
      open.push(socket.data)
    },
    data: ({ data: call }, chunk) => call.parser.push(chunk),
    close({ data: call }) {
      call.close()
      const index = open.indexOf(call)
      if (index >= 0) open.splice(index, 1)
    },
    error() {},
  },
})

let lateTicks = 0
const clock = new SystemClock()
const originMs = clock.now()
let done = 0
clock.every(20, (nowMs) => {
  const due = Math.floor((nowMs - originMs) / 20 + 0.5)
  const owed = due - done
  done = due
  if (owed > 1) lateTicks += 1
  for (let frame = 0; frame < owed; frame += 1) for (const call of open) call.speak()
})

await answerOrchestrator({
  port: listener.port,
  calls: () => open.length,
  drained: () => Promise.resolve({ underruns: 0, lateTicks, framesGivenUp: 0 }),
  stop: () => Promise.resolve(listener.stop(true)),
})
