import type { Socket, TCPSocketListener } from 'bun'
import { AudioSocketParser, audioMessageBytes, terminateMessage, writeAudioMessage } from '#asterisk/audiosocket.ts'
import { ptimeMs, type SampleRateHz } from '#audio/format.ts'
import { type Clock, type Milliseconds, SystemClock } from '#base/clock.ts'
import { Pacer } from '#call/pacer.ts'
import type { Asterisk } from './asterisk.ts'
import { Caller, type CallerOptions } from './caller.ts'
import type { Line, LineUser } from './line.ts'
import type { PlacedCall } from './placed-call.ts'

/**
 * A caller who reacts, through the real Asterisk: the caller's channel runs `AudioSocket()` to a server in the test's
 * own process, so the test is the telephone. SIP and RTP from there to the engine's extension are real, and what is
 * heard and said passes through the test's hands frame by frame.
 */
export interface ReactiveCallOptions extends CallerOptions {
  readonly extension: string
  readonly callerId?: string
  /** Default 'sip'. */
  readonly via?: 'sip' | 'local'
  /** The telephone sends nothing where there is digital silence, but for 60 ms behind a sound. Default: it sends all. */
  readonly suppressesSilence?: boolean
}

export interface ReactiveCall {
  readonly caller: Caller
  /** Asterisk's own recordings of both directions are in it. */
  readonly call: PlacedCall
  /** The telephone's network hangs for so long; what it said meanwhile comes all at once behind it. */
  hang(durationMs: Milliseconds): void
}

/** 120 ms each key and 120 ms between them, as the bed's dialplan says. */
const digitMs = 240
const connectMsMax = 10_000
const hangoverFrames = 3

/** The switchboard of one test process: all its lines end here. */
export class Telephones {
  private readonly clock: Clock = new SystemClock()
  private readonly pacer: Pacer
  private readonly listener: TCPSocketListener<Receiver>
  private readonly lines: AsteriskLine[] = []

  constructor() {
    this.pacer = new Pacer(this.clock)
    this.listener = Bun.listen<Receiver>({
      hostname: '127.0.0.1',
      port: 0,
      socket: {
        open: (socket) => {
          socket.setNoDelay(true)
          socket.data = { line: null, parser: this.parserOf(socket) }
        },
        data: (socket, chunk) => socket.data.parser.push(chunk),
        close: (socket) => socket.data.line?.disconnected(socket),
        error: (socket) => socket.data.line?.disconnected(socket),
      },
    })
  }

  /** Places a call; resolves when the called side has answered and the caller hears it. Throws where it does not. */
  async call(asterisk: Asterisk, options: ReactiveCallOptions): Promise<ReactiveCall> {
    const uuid = crypto.randomUUID()
    const step = { line: { uuid, address: `127.0.0.1:${this.listener.port}` } }
    const call = await asterisk.call({
      extension: options.extension,
      steps: [step],
      ...(options.callerId === undefined ? {} : { callerId: options.callerId }),
      ...(options.via === undefined ? {} : { via: options.via }),
    })
    const { suppressesSilence = false } = options
    const line = new AsteriskLine({ uuid, clock: this.clock, call, step, suppressesSilence })
    this.lines.push(line)
    void call.ended.then(() => {
      line.end()
      this.lines.splice(this.lines.indexOf(line), 1)
    })
    if (!(await call.answered)) throw new Error(`extension ${options.extension} did not answer`)
    const late = Bun.sleep(connectMsMax).then(() => false)
    if (!(await Promise.race([line.connected.then(() => true), late]))) throw new Error('Asterisk opened no line')
    const caller = new Caller(line, options)
    line.open(this.pacer)
    return { caller, call, hang: (durationMs) => line.hang(durationMs) }
  }

  /** Ends whatever still runs. */
  close(): void {
    for (const line of [...this.lines]) line.hangUp()
    this.listener.stop(true)
  }

  private parserOf(socket: Socket<Receiver>): AudioSocketParser {
    const scratch = new Int16Array(4096)
    const bytes = new Uint8Array(scratch.buffer)
    return new AudioSocketParser({
      uuid: (uuid) => {
        const line = this.lines.find((one) => one.uuid === uuid)
        if (line === undefined) return void socket.terminate()
        socket.data.line = line
        line.attach(socket)
      },
      audio: (_rate, pcm) => {
        bytes.set(pcm)
        socket.data.line?.receive(scratch.subarray(0, pcm.length >> 1))
      },
      dtmf: () => {},
      terminated: () => {},
      unknown: () => {},
      violation: () => void socket.terminate(),
    })
  }
}

interface Receiver {
  line: AsteriskLine | null
  readonly parser: AudioSocketParser
}

interface AsteriskLineOptions {
  readonly uuid: string
  readonly clock: Clock
  readonly call: PlacedCall
  readonly step: { readonly line: { readonly uuid: string; readonly address: string } }
  readonly suppressesSilence: boolean
}

class AsteriskLine implements Line {
  readonly uuid: string
  readonly clock: Clock
  /** AudioSocket() in the dialplan speaks slin. */
  readonly sampleRateHz: SampleRateHz = 8000
  readonly connected: Promise<void>
  private readonly connectedNow = Promise.withResolvers<void>()
  private readonly options: AsteriskLineOptions
  private readonly frame: Int16Array
  private readonly message: Uint8Array
  private socket: Socket<Receiver> | null = null
  private user: LineUser | null = null
  private pacing: Disposable | null = null
  private over = false
  private silentFrames = 0
  private hangsUntilMs: Milliseconds | null = null
  private readonly held: Uint8Array[] = []

  constructor(options: AsteriskLineOptions) {
    this.options = options
    this.uuid = options.uuid
    this.clock = options.clock
    this.frame = new Int16Array((this.sampleRateHz * ptimeMs) / 1000)
    this.message = new Uint8Array(audioMessageBytes(this.frame.length))
    this.connected = this.connectedNow.promise
  }

  use(user: LineUser): void {
    this.user = user
  }

  /** From now on the caller speaks every 20 ms. */
  open(pacer: Pacer): void {
    if (this.over) return
    this.pacing = pacer.add({
      writeFrames: (count) => {
        for (let index = 0; index < count; index += 1) this.speak()
      },
    })
  }

  /**
   * AudioSocket takes no digits from us, so the caller's channel leaves it, sends them as a telephone does, and comes
   * back on another connection; meanwhile nothing is heard, as under the keys of a telephone.
   */
  async press(digits: string): Promise<void> {
    const { call, step } = this.options
    await call.turnTo([{ digits }, step])
    await this.clock.sleep(digits.length * digitMs)
    const deadlineMs = this.clock.now() + connectMsMax
    while (this.socket === null && !this.over && this.clock.now() < deadlineMs) await this.clock.sleep(ptimeMs)
  }

  hangUp(): void {
    if (!this.over) void this.options.call.hangup()
  }

  hang(durationMs: Milliseconds): void {
    this.hangsUntilMs = this.clock.now() + durationMs
  }

  // ── called by the telephones ──────────────────────────────────────────────────────────────────────────────────

  attach(socket: Socket<Receiver>): void {
    this.socket = socket
    this.connectedNow.resolve()
  }

  disconnected(socket: Socket<Receiver>): void {
    if (this.socket === socket) this.socket = null
  }

  receive(samples: Int16Array): void {
    if (!this.over) this.user?.hear(samples, this.clock.now())
  }

  end(): void {
    if (this.over) return
    this.over = true
    this.pacing?.[Symbol.dispose]()
    this.socket?.write(terminateMessage)
    this.socket?.end()
    this.user?.ended()
  }

  private speak(): void {
    this.frame.fill(0)
    this.user?.speak(this.frame, this.clock.now())
    this.silentFrames = this.frame.every((sample) => sample === 0) ? this.silentFrames + 1 : 0
    if (this.options.suppressesSilence && this.silentFrames > hangoverFrames) return
    const message = this.message.subarray(0, writeAudioMessage(this.message, 0, this.sampleRateHz, this.frame))
    if (this.hangsUntilMs !== null && this.clock.now() < this.hangsUntilMs) return void this.held.push(message.slice())
    this.hangsUntilMs = null
    // A message that the kernel does not take whole would break the stream; on one machine it takes each.
    for (const late of this.held.splice(0)) this.socket?.write(late)
    this.socket?.write(message)
  }
}
