import { EchoDetector } from '#audio/echo-detector.ts'
import { type EchoPath, echoOf, type LineNoise, lineOf } from './echo-path.ts'

/**
 * A call whose line brings the agent's voice back, as a detector gets to know it: frame by frame, with what goes wrong on
 * the way. Time is counted in frames of 20 ms since the call began.
 */
export interface EchoScene {
  readonly sampleRateHz: number
  /** What the agent says, silence included; the call is as long. */
  readonly agent: Int16Array
  /** Null: a line without an echo. */
  readonly path: EchoPath | null
  readonly caller?: Int16Array
  readonly noise?: LineNoise
  readonly law?: 'mu' | 'a'
  /** The way is another from then on. */
  readonly later?: { readonly frame: number; readonly path: EchoPath }
  /** Our clock stops for so many frames; then up to five leave at once, and the rest come later than they would have. */
  readonly stalls?: readonly { readonly frame: number; readonly frames: number }[]
  /** Frames of the line that never come. */
  readonly lost?: ReadonlySet<number>
  /** From `frame` on nothing comes for so many frames; then all of them. */
  readonly late?: readonly { readonly frame: number; readonly frames: number }[]
  /** So many frames pass before, in which nobody speaks. */
  readonly after?: number
  /** Every so many frames, the line's frames turn from coming just after ours to coming just before, and back. */
  readonly turnsEvery?: number
}

const burstMax = 5

export class EchoCall {
  readonly detector: EchoDetector
  readonly frames: number
  /** The echo and the caller as they lie on the line. */
  readonly echo: Float64Array
  readonly caller: Int16Array
  readonly line: Int16Array
  private readonly scene: EchoScene
  private readonly perFrame: number
  private readonly leaving: number[][]
  /** Frames of the line that have yet to come. */
  private readonly waiting: number[] = []

  constructor(scene: EchoScene) {
    this.scene = scene
    this.perFrame = scene.sampleRateHz / 50
    this.frames = Math.floor(scene.agent.length / this.perFrame)
    this.detector = new EchoDetector(scene.sampleRateHz)
    this.leaving = departures(this.frames, scene.stalls ?? [])
    this.echo = this.echoed()
    this.caller = scene.caller ?? new Int16Array(scene.agent.length)
    this.line = lineOf([this.echo, this.caller], scene)
  }

  /** `observe` is asked after each frame time; what the detector knows is what has happened until then. */
  run(observe: (frame: number) => void): void {
    const after = this.scene.after ?? 0
    const quiet = new Int16Array(this.perFrame)
    for (let now = -after; now < 0; now += 1) {
      this.detector.sent(quiet, 20 * now)
      this.detector.heard(quiet, 20 * now)
      this.detector.tick()
    }
    for (let now = 0; now < this.frames; now += 1) {
      const first = Math.floor(now / (this.scene.turnsEvery ?? this.frames)) % 2 === 1
      if (first) this.hear(now, 20 * now - 2)
      for (const frame of this.leaving[now] ?? []) this.detector.sent(this.frameOf(this.scene.agent, frame), 20 * now)
      if (!first) this.hear(now, 20 * now + 2)
      this.detector.tick()
      observe(now)
    }
  }

  private hear(now: number, atMs: number): void {
    const { lost, late = [] } = this.scene
    if (lost?.has(now) !== true) this.waiting.push(now)
    if (late.some(({ frame, frames }) => now >= frame && now < frame + frames)) return
    for (const frame of this.waiting) this.detector.heard(this.frameOf(this.line, frame), atMs)
    this.waiting.length = 0
  }

  /** The levels of the echo and of the caller in the `frames` frames up to and with this one. */
  echoDbfs(frame: number, frames: number): number {
    return this.levelOf(this.echo, frame, frames)
  }

  callerDbfs(frame: number, frames: number): number {
    return this.levelOf(this.caller, frame, frames)
  }

  private levelOf(sound: ArrayLike<number>, frame: number, frames: number): number {
    let energy = 0
    const end = (frame + 1) * this.perFrame
    const from = Math.max(0, end - frames * this.perFrame)
    for (let index = from; index < end; index += 1) energy += (sound[index] as number) ** 2
    return 10 * Math.log10(energy / (end - from) / 32_768 ** 2 + 1e-12)
  }

  private frameOf(sound: Int16Array, frame: number): Int16Array {
    return sound.subarray(frame * this.perFrame, (frame + 1) * this.perFrame)
  }

  /** The far side plays what has come, one frame a frame time, and silence where nothing has. */
  private echoed(): Float64Array {
    const { scene } = this
    if (scene.path === null) return new Float64Array(scene.agent.length)
    const played = new Int16Array(scene.agent.length)
    const queue: number[] = []
    for (let now = 0; now < this.frames; now += 1) {
      queue.push(...(this.leaving[now] ?? []))
      const frame = queue.shift()
      if (frame !== undefined) played.set(this.frameOf(scene.agent, frame), now * this.perFrame)
    }
    const echo = echoOf(played, scene.path, scene.sampleRateHz)
    if (scene.later === undefined) return echo
    const from = scene.later.frame * this.perFrame
    echo.set(echoOf(played, scene.later.path, scene.sampleRateHz).subarray(from), from)
    return echo
  }
}

/** Which frames leave at each frame time. */
function departures(
  frames: number,
  stalls: readonly { readonly frame: number; readonly frames: number }[],
): number[][] {
  const leaving: number[][] = []
  let next = 0
  let owed = 0
  for (let now = 0; now < frames; now += 1) {
    owed += 1
    const stalled = stalls.some((stall) => now >= stall.frame && now < stall.frame + stall.frames)
    const count = stalled ? 0 : Math.min(owed, burstMax)
    if (!stalled) owed = 0
    leaving.push(Array.from({ length: count }, (_, index) => next + index))
    next += count
  }
  return leaving
}
