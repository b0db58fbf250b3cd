import { levelDbfs } from '#audio/level.ts'
import { SampleQueue } from '#audio/sample-queue.ts'
import type { Milliseconds } from '#base/clock.ts'
import type { Line, LineUser } from './line.ts'
import { Track } from './recording.ts'
import { clip, murmurSound, noiseSound } from './sounds.ts'

/**
 * A caller who listens and reacts, on any `Line`. What it does is a script: a plain async function that waits for what
 * it hears and says what it says. All waits are decided frame by frame, so it reacts within 20 ms.
 *
 * The line has noise on it all the time, as every real one has: digital silence is what only a test has, and only
 * where it asks for it.
 */
export interface CallerOptions {
  /** Of the noise. */
  readonly seed?: number
  /** Level of the line's noise; null for digital silence. Default −60 dBFS. */
  readonly noiseDbfs?: number | null
}

/** The line has ended, and with it whatever the caller was waiting for. */
export class LineEnded extends Error {
  constructor() {
    super('the line has ended')
  }
}

/** Louder than this is the agent: above comfort noise, below quiet speech. */
const audibleDbfs = -45
/** A pause shorter than this is within a reply: words have gaps. */
const pauseMs = 300
const murmurDbfs = -30
const echoSlackMs = 40
const waitMsMax = 30_000

interface Echo {
  readonly gain: number
  readonly delayMs: Milliseconds
}

interface Wait {
  readonly holds: () => boolean
  readonly done: () => void
  readonly failed: (why: Error) => void
  readonly untilMs: Milliseconds
  readonly what: string
}

export class Caller implements LineUser {
  readonly line: Line
  /** Both directions, on one clock that begins with this caller. */
  readonly said: Track
  readonly heard: Track
  /** Frames as they came, whatever the clock says: for counting them. */
  readonly frames: Int16Array[] = []
  readonly startedMs: Milliseconds
  /** Resolves when the line has ended. */
  readonly gone: Promise<void>
  private readonly goneNow = Promise.withResolvers<void>()
  private readonly speech: SampleQueue
  private readonly mix: Int32Array
  private readonly frame: Int16Array
  private readonly seed: number
  private noiseLoop: Int16Array = new Int16Array(0)
  private noiseAt = 0
  private echoing: Echo | null = null
  /** The sample of what was heard that comes back next. */
  private echoAt = Number.NaN
  private waits: Wait[] = []
  private over = false
  /** When what sounds now began to sound; null while it is quiet. */
  private soundsSinceMs: Milliseconds | null = null
  private lastSoundMs = Number.NEGATIVE_INFINITY

  constructor(line: Line, options: CallerOptions = {}) {
    this.line = line
    this.seed = options.seed ?? 1
    this.startedMs = line.clock.now()
    this.said = new Track(this.startedMs, line.sampleRateHz)
    this.heard = new Track(this.startedMs, line.sampleRateHz)
    this.speech = new SampleQueue(line.sampleRateHz * 600)
    this.mix = new Int32Array(line.sampleRateHz / 50)
    this.frame = new Int16Array(line.sampleRateHz / 50)
    this.gone = this.goneNow.promise
    this.noise(options.noiseDbfs === undefined ? -60 : options.noiseDbfs)
    line.use(this)
  }

  // ── what a script says ────────────────────────────────────────────────────────────────────────────────────────

  /** Resolves when the agent is audible, at once where it is already. */
  waitForSpeech(withinMs: Milliseconds = waitMsMax): Promise<void> {
    return this.until('the agent to speak', withinMs, () => this.soundsSinceMs !== null)
  }

  /** Resolves when nothing was audible for so long; a line that has been quiet all the time counts from its start. */
  waitForQuiet(quietMs: Milliseconds, withinMs: Milliseconds = waitMsMax): Promise<void> {
    return this.until(`${quietMs} ms of quiet`, withinMs, () => this.quietMs >= quietMs)
  }

  /** Speaks; resolves when the last sample has gone out. Two at once follow each other. */
  say(samples: Int16Array): Promise<void> {
    if (this.speech.push(samples) === 'full') throw new Error('more than ten minutes of speech are waiting')
    return this.until('the end of what it says', waitMsMax + samples.length, () => this.speech.length === 0)
  }

  /** Interrupts: speaks when the agent has been audible for `ms`, in this reply or else in the next. */
  async sayAfter(ms: Milliseconds, samples: Int16Array, withinMs: Milliseconds = waitMsMax): Promise<void> {
    const due = () => this.soundsSinceMs !== null && this.now - this.soundsSinceMs >= ms
    await this.until(`${ms} ms of a reply`, withinMs, due)
    await this.say(samples)
  }

  /** "Mm-hm", which is no interruption. */
  murmur(dbfs = murmurDbfs): Promise<void> {
    return this.say(murmurSound(dbfs, this.line.sampleRateHz))
  }

  /** From now on, what is heard comes back on the line, as from a loudspeaker into the microphone; null: no more. */
  echo(setting: { readonly gainDb: number; readonly delayMs: Milliseconds } | null): void {
    this.echoing = setting === null ? null : { gain: 10 ** (setting.gainDb / 20), delayMs: setting.delayMs }
  }

  /** The line's noise from now on; null for digital silence. */
  noise(dbfs: number | null): void {
    this.noiseLoop = dbfs === null ? new Int16Array(0) : noiseSound(997, dbfs, this.line.sampleRateHz, this.seed)
    this.noiseAt = 0
  }

  /** Says nothing for so long. */
  silence(ms: Milliseconds): Promise<void> {
    const untilMs = this.now + ms
    return this.until(`${ms} ms`, ms + waitMsMax, () => this.now >= untilMs)
  }

  /** Presses keys; resolves when they have been sent. */
  async digits(digits: string): Promise<void> {
    if (this.over) throw new LineEnded()
    await this.line.press(digits)
  }

  /** Hangs up, after so long if it is told. Resolves when the line has ended. */
  async hangUp(afterMs: Milliseconds = 0): Promise<void> {
    if (afterMs > 0) await this.silence(afterMs)
    this.line.hangUp()
    await this.gone
  }

  /** How long nothing has been audible; 0 while the agent speaks. */
  get quietMs(): Milliseconds {
    return this.soundsSinceMs === null ? this.now - Math.max(this.lastSoundMs, this.startedMs) : 0
  }

  /** When the reply that sounds now was first audible, in milliseconds of the recordings; null while it is quiet. */
  get audibleSinceMs(): Milliseconds | null {
    return this.soundsSinceMs === null ? null : this.soundsSinceMs - this.startedMs
  }

  // ── called by the line ────────────────────────────────────────────────────────────────────────────────────────

  hear(samples: Int16Array, atMs: Milliseconds): void {
    this.heard.place(samples, atMs)
    this.frames.push(samples.slice())
    if (levelDbfs(samples) > audibleDbfs) {
      this.lastSoundMs = atMs
      this.soundsSinceMs ??= atMs
    }
    this.look()
  }

  speak(samples: Int16Array, atMs: Milliseconds): void {
    const { mix, frame } = this
    const taken = this.speech.take(frame)
    for (let index = 0; index < mix.length; index += 1) {
      mix[index] = (index < taken ? (frame[index] as number) : 0) + this.nextNoise()
    }
    if (this.echoing !== null) this.mixEcho(atMs, this.echoing)
    for (let index = 0; index < samples.length; index += 1) samples[index] = clip(mix[index] as number)
    this.said.place(samples, atMs)
    this.look()
  }

  ended(): void {
    if (this.over) return
    this.over = true
    for (const wait of this.waits.splice(0)) wait.failed(new LineEnded())
    this.goneNow.resolve()
  }

  private get now(): Milliseconds {
    return this.line.clock.now()
  }

  /** It goes on where it was, whatever the jitter of the frames; only what is far off is set right. */
  private mixEcho(atMs: Milliseconds, { gain, delayMs }: Echo): void {
    const due = this.heard.at(atMs - delayMs)
    const near = Math.abs(this.echoAt - due) <= (echoSlackMs * this.line.sampleRateHz) / 1000
    if (!near) this.echoAt = due
    this.heard.mixInto(this.mix, this.echoAt, gain)
    this.echoAt += this.mix.length
  }

  private nextNoise(): number {
    if (this.noiseLoop.length === 0) return 0
    this.noiseAt = (this.noiseAt + 1) % this.noiseLoop.length
    return this.noiseLoop[this.noiseAt] as number
  }

  /** Looks at every wait anew; each frame in either direction does. */
  private look(): void {
    if (this.soundsSinceMs !== null && this.now - this.lastSoundMs >= pauseMs) this.soundsSinceMs = null
    if (this.waits.length === 0) return
    const met = this.waits.filter((wait) => wait.holds())
    const late = this.waits.filter((wait) => !met.includes(wait) && this.now >= wait.untilMs)
    this.waits = this.waits.filter((wait) => !met.includes(wait) && !late.includes(wait))
    for (const wait of met) wait.done()
    for (const wait of late) wait.failed(new Error(`waited in vain for ${wait.what}`))
  }

  private until(what: string, withinMs: Milliseconds, holds: () => boolean): Promise<void> {
    if (this.over) return Promise.reject(new LineEnded())
    if (holds()) return Promise.resolve()
    return new Promise((done, failed) => {
      this.waits.push({ what, holds, done, failed, untilMs: this.now + withinMs })
    })
  }
}
