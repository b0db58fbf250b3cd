import type { Socket } from 'bun'
import { AudioSocketParser, audioMessageBytes, writeAudioMessage } from '#asterisk/audiosocket.ts'
import { SystemClock } from '#base/clock.ts'
import { answerOrchestrator } from './media-usage.ts'
import { type FloorSession, floorFrameSamples, type OpenFloorSession } from './provider-floor-session.ts'
import type { ProviderEngineJob, ProviderName } from './provider-wire.ts'

/**
 * The floor of `just bench provider`: what no engine in this runtime can leave out. Frames are read off AudioSocket and
 * gathered into messages of 40 ms; every message of the server's is read, its audio cut into frames, one timer writes them.
 * No turns, no filter, no limit, no record. What a vendor's messages are, `provider-floor-session.ts` says.
 */
const job = JSON.parse(process.argv[2] ?? '{}') as ProviderEngineJob
const openers: Readonly<Record<ProviderName, () => Promise<OpenFloorSession>>> = {
  openai_realtime: async () => (await import('./provider-floor-openai.ts')).openOpenAiFloor,
  deepgram: async () => (await import('./provider-floor-deepgram.ts')).openDeepgramFloor,
}
const openSession = await openers[job.provider]()
const legHz = 8000
const frameSamples = floorFrameSamples
const silence = new Int16Array(frameSamples)

class FloorCall {
  readonly parser: AudioSocketParser
  private readonly leg: Socket<FloorCall>
  private readonly message = new Uint8Array(audioMessageBytes(frameSamples))
  private readonly frame = new Int16Array(frameSamples)
  private readonly caller = new Int16Array(frameSamples)
  private readonly callerBytes = new Uint8Array(this.caller.buffer)
  private session: FloorSession | null = null
  private queue: Int16Array[] = []
  /** Samples of the first in the queue that have left. */
  private left = 0

  constructor(leg: Socket<FloorCall>) {
    this.leg = leg
    this.parser = new AudioSocketParser(
      {
        uuid: (uuid) => this.open(uuid),
        audio: (_rate, pcm) => {
          this.callerBytes.set(pcm)
          this.session?.hear(this.caller)
        },
        dtmf: () => {},
        terminated: () => this.close(),
        unknown: () => {},
        violation: () => this.close(),
      },
      'asterisk',
    )
  }

  close(): void {
    this.session?.close()
    this.session = null
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
    this.session = openSession(job, uuid, {
      audio: (samples) => void this.queue.push(samples),
      interrupted: () => {
        this.queue = []
        this.left = 0
      },
    })
  }
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
