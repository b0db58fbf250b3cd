import type { Socket } from 'bun'
import {
  AudioSocketParser,
  audioMessageBytes,
  dtmfMessage,
  uuidMessage,
  writeAudioMessage,
} from '#asterisk/audiosocket.ts'
import { type AudioFrame, type SampleRateHz, samplesPerFrame } from '#audio/format.ts'
import { SampleQueue } from '#audio/sample-queue.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import { Pacer } from '#call/pacer.ts'

/**
 * The PBX side of an AudioSocket connection: a caller without Asterisk. It sends a frame every 20 ms, speech where there
 * is some and silence elsewhere, and hands on what comes back. `patchcord dial`, the demo and the tests use it.
 */
export interface AudioSocketCallerOptions {
  readonly host: string
  readonly port: number
  readonly uuid: string
  readonly sampleRateHz: SampleRateHz
  readonly clock: Clock
  readonly audio: (frame: { readonly samples: Int16Array }, atMs: Milliseconds) => void
  /** The engine ended the call, or the connection broke. */
  readonly ended: (how: 'terminated' | 'closed') => void
}

export class AudioSocketCaller {
  private readonly options: AudioSocketCallerOptions
  private readonly pacer: Pacer
  private readonly speech: SampleQueue
  private readonly frame: AudioFrame
  private readonly message: Uint8Array
  private socket: Socket<undefined> | null = null
  private pacing: Disposable | null = null
  private over = false
  private speechEnded: (() => void) | null = null
  /** Bytes the kernel did not take; the next write must begin with them. */
  private tail = new Uint8Array(0)

  private constructor(options: AudioSocketCallerOptions) {
    this.options = options
    this.pacer = new Pacer(options.clock)
    this.speech = new SampleQueue(options.sampleRateHz * 3600)
    this.frame = { sampleRateHz: options.sampleRateHz, samples: new Int16Array(samplesPerFrame(options.sampleRateHz)) }
    this.message = new Uint8Array(audioMessageBytes(this.frame.samples.length))
  }

  /** Connects and says who it is. Throws when nobody listens; the message names host and port. */
  static async connect(options: AudioSocketCallerOptions): Promise<AudioSocketCaller> {
    const caller = new AudioSocketCaller(options)
    const scratch = new Int16Array(4096)
    const bytes = new Uint8Array(scratch.buffer)
    const parser = new AudioSocketParser(
      {
        uuid: () => {},
        audio: (_rate, pcm) => {
          bytes.set(pcm)
          options.audio({ samples: scratch.subarray(0, pcm.length >> 1) }, options.clock.now())
        },
        dtmf: () => {},
        terminated: () => caller.finish('terminated'),
        unknown: () => {},
        violation: () => caller.finish('closed'),
      },
      'engine',
    )
    try {
      caller.socket = await Bun.connect({
        hostname: options.host,
        port: options.port,
        socket: {
          data: (_socket, chunk) => parser.push(chunk),
          drain: () => caller.flush(),
          close: () => caller.finish('closed'),
          error: () => caller.finish('closed'),
        },
      })
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown)
      throw new Error(`no engine answers at ${options.host}:${options.port} (${why}): is it running?`)
    }
    caller.socket.setNoDelay(true)
    caller.send(uuidMessage(options.uuid))
    // The engine may have ended the call already.
    if (!caller.over) caller.pacing = caller.pacer.add({ writeFrames: (count) => caller.writeFrames(count) })
    return caller
  }

  /** Speaks these samples in real time; resolves when the last frame has been sent, or the call is over. */
  say(samples: Int16Array): Promise<void> {
    if (this.over) return Promise.resolve()
    this.speech.push(samples)
    // What is said now follows what is being said: both have ended when the last of it has.
    const before = this.speechEnded
    return new Promise((resolve) => {
      this.speechEnded = () => {
        before?.()
        resolve()
      }
    })
  }

  digit(digit: string): void {
    this.send(dtmfMessage(digit))
  }

  /** Hangs up as Asterisk does: it just closes. */
  hangUp(): void {
    this.finish('closed')
  }

  private finish(how: 'terminated' | 'closed'): void {
    if (this.over) return
    this.over = true
    this.pacing?.[Symbol.dispose]()
    this.socket?.end()
    this.speechEnded?.()
    this.options.ended(how)
  }

  private writeFrames(count: number): void {
    for (let index = 0; index < count && !this.over; index += 1) {
      const { samples, sampleRateHz } = this.frame
      const taken = this.speech.take(samples)
      samples.fill(0, taken)
      this.send(this.message.subarray(0, writeAudioMessage(this.message, 0, sampleRateHz, samples)))
      if (taken > 0 && this.speech.length === 0) {
        this.speechEnded?.()
        this.speechEnded = null
      }
    }
  }

  private send(message: Uint8Array): void {
    if (this.socket === null || this.over) return
    if (this.tail.length > 0) {
      this.tail = Buffer.concat([this.tail, message])
      return
    }
    const taken = this.socket.write(message)
    if (taken >= 0 && taken < message.length) this.tail = message.slice(taken)
  }

  private flush(): void {
    if (this.socket === null || this.tail.length === 0) return
    const taken = this.socket.write(this.tail)
    if (taken > 0) this.tail = this.tail.slice(taken)
  }
}
