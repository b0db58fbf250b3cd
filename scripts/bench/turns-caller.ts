import type { Socket } from 'bun'
import { AudioSocketParser, audioMessageBytes, uuidMessage, writeAudioMessage } from '#asterisk/audiosocket.ts'
import { levelDbfs, silenceDbfs } from '#audio/level.ts'
import { SystemClock } from '#base/clock.ts'
import { Pacer } from '#call/pacer.ts'
import { commonNow, type TurnsEvent } from './turns-wire.ts'

/**
 * One caller of `just bench turns`, over a real AudioSocket: a line with its own noise, on which sounds are played at
 * known moments, and which writes down when each frame of the agent's came and how loud it was.
 */
const frameSamples = 160
const sampleRateHz = 8000
/** 60 ms: a telephone's jitter buffer. */
const echoSlackSamples = 3 * frameSamples
/** Below is silence: the line brings digital silence where the agent says nothing. */
export const audibleDbfs = -60

/** A sound to play: what is said in it lies between two samples. */
export interface Sound {
  readonly samples: Int16Array
  readonly onsetSample: number
  readonly offsetSample: number
}

/** When a sound was on the wire, from the first to the last frame of what is said in it, on the common clock. */
export interface Said {
  readonly onsetMs: number
  readonly offsetMs: number
}

export interface Heard {
  readonly atMs: number
  readonly dbfs: number
}

export interface Told {
  readonly event: TurnsEvent
  readonly atMs: number
}

export interface Echo {
  readonly gain: number
  readonly delayMs: number
}

interface Playing {
  readonly sound: Sound
  at: number
  onsetMs: number
  readonly done: (said: Said) => void
}

const clock = new SystemClock()
/** One timer for all callers, as the engine has. */
const pacer = new Pacer(clock)

export class TurnsCaller {
  readonly heard: Heard[] = []
  /** What the engine's agent was told, with its time. */
  readonly told: Told[] = []
  readonly gone: Promise<void>
  private readonly goneNow = Promise.withResolvers<void>()
  private readonly noise: Int16Array
  private noiseAt = 0
  private readonly gain: number
  private readonly frame = new Int16Array(frameSamples)
  private readonly message = new Uint8Array(audioMessageBytes(frameSamples))
  private socket: Socket<undefined> | null = null
  private pacing: Disposable | null = null
  private playing: Playing | null = null
  private waits: { readonly holds: () => boolean; readonly done: (met: boolean) => void; readonly untilMs: number }[] =
    []
  private echo: Echo | null = null
  /** All of what was heard, for the echo: samples in the order in which they came. */
  private echoed = new Int16Array(0)
  private received = 0
  /** Where in what was heard the echo is; NaN before its first frame. */
  private echoAt = Number.NaN

  /** @param noise loops under all; @param gain of the noise */
  private constructor(noise: Int16Array, gain: number) {
    this.noise = noise
    this.gain = gain
    this.gone = this.goneNow.promise
  }

  static async call(port: number, uuid: string, noise: Int16Array, gain: number, echo: Echo | null) {
    const caller = new TurnsCaller(noise, gain)
    caller.echo = echo
    if (echo !== null) caller.echoed = new Int16Array(sampleRateHz * 600)
    const scratch = new Int16Array(4096)
    const bytes = new Uint8Array(scratch.buffer)
    const parser = new AudioSocketParser(
      {
        uuid: () => {},
        audio: (_rate, pcm) => {
          bytes.set(pcm)
          caller.hear(scratch.subarray(0, pcm.length >> 1))
        },
        dtmf: () => {},
        terminated: () => caller.end(),
        unknown: () => {},
        violation: () => caller.end(),
      },
      'engine',
    )
    caller.socket = await Bun.connect({
      hostname: '127.0.0.1',
      port,
      socket: {
        data: (_socket, chunk) => parser.push(chunk),
        close: () => caller.end(),
        error: () => caller.end(),
      },
    })
    caller.socket.setNoDelay(true)
    caller.socket.write(uuidMessage(uuid))
    caller.pacing = pacer.add({
      writeFrames: (count) => {
        for (let index = 0; index < count; index += 1) caller.speak()
      },
    })
    return caller
  }

  /** Plays a sound from the next frame on; resolves when its last sample is on the wire. */
  say(sound: Sound): Promise<Said> {
    return new Promise((done) => {
      this.playing = { sound, at: 0, onsetMs: Number.NaN, done }
    })
  }

  /** False where it does not come about in time. Looked at with every frame. */
  until(holds: () => boolean, withinMs: number): Promise<boolean> {
    if (holds()) return Promise.resolve(true)
    return new Promise((done) => this.waits.push({ holds, done, untilMs: commonNow() + withinMs }))
  }

  wait(ms: number): Promise<boolean> {
    const untilMs = commonNow() + ms
    return this.until(() => commonNow() >= untilMs, ms + 1000)
  }

  /** When the agent began to sound without a gap of this length; null while it is silent. */
  soundsSince(gapMs: number): number | null {
    const now = commonNow()
    let since: number | null = null
    for (let index = this.heard.length - 1; index >= 0; index -= 1) {
      const { atMs, dbfs } = this.heard[index] as Heard
      if (dbfs > audibleDbfs) since = atMs
      else if ((since ?? now) - atMs >= gapMs) break
    }
    return since
  }

  get quietMs(): number {
    const last = this.heard.findLast(({ dbfs }) => dbfs > audibleDbfs)
    return commonNow() - (last?.atMs ?? this.heard[0]?.atMs ?? commonNow())
  }

  hangUp(): void {
    this.socket?.end()
    this.end()
  }

  private hear(samples: Int16Array): void {
    this.heard.push({ atMs: commonNow(), dbfs: levelDbfs(samples) })
    if (this.echo !== null && this.received + samples.length <= this.echoed.length) {
      this.echoed.set(samples, this.received)
    }
    this.received += samples.length
    this.look()
  }

  private speak(): void {
    const { frame, noise, gain, playing } = this
    const atMs = commonNow()
    for (let index = 0; index < frameSamples; index += 1) {
      let sample = (noise[this.noiseAt] ?? 0) * gain
      this.noiseAt = (this.noiseAt + 1) % noise.length
      if (playing !== null) sample += playing.sound.samples[playing.at + index] ?? 0
      frame[index] = Math.max(-32_768, Math.min(32_767, Math.round(sample)))
    }
    if (this.echo !== null) this.mixEcho(this.echo)
    if (playing !== null) this.advance(playing, atMs)
    // One machine's kernel takes each message whole.
    this.socket?.write(this.message.subarray(0, writeAudioMessage(this.message, 0, sampleRateHz, frame)))
    this.look()
  }

  private advance(playing: Playing, atMs: number): void {
    const { sound } = playing
    const before = playing.at
    playing.at += frameSamples
    if (Number.isNaN(playing.onsetMs) && playing.at > sound.onsetSample) playing.onsetMs = atMs
    if (before < sound.offsetSample && playing.at >= sound.offsetSample) {
      this.playing = playing.at < sound.samples.length ? playing : null
      playing.done({ onsetMs: playing.onsetMs, offsetMs: atMs })
    }
    if (playing.at >= sound.samples.length) this.playing = null
  }

  /**
   * What was heard so long ago comes back. A telephone plays without a gap whatever the jitter of what it gets: the echo
   * goes on where it was, and only what is far off is set right.
   */
  private mixEcho({ gain, delayMs }: Echo): void {
    const due = this.received - frameSamples - (delayMs * sampleRateHz) / 1000
    if (!(Math.abs(this.echoAt - due) <= echoSlackSamples)) this.echoAt = due
    const from = this.echoAt
    this.echoAt += frameSamples
    for (let index = 0; index < frameSamples; index += 1) {
      const at = from + index
      const echoed = at < 0 || at >= this.received ? 0 : (this.echoed[at] as number)
      this.frame[index] = Math.max(-32_768, Math.min(32_767, (this.frame[index] as number) + Math.round(echoed * gain)))
    }
  }

  private look(): void {
    if (this.waits.length === 0) return
    const now = commonNow()
    const over = this.waits.filter((wait) => wait.holds() || now >= wait.untilMs)
    this.waits = this.waits.filter((wait) => !over.includes(wait))
    for (const wait of over) wait.done(wait.holds())
  }

  private end(): void {
    this.pacing?.[Symbol.dispose]()
    this.pacing = null
    for (const wait of this.waits.splice(0)) wait.done(false)
    this.goneNow.resolve()
  }
}

export { silenceDbfs }
