import { SystemClock } from '#base/clock.ts'
import { type Arrivals, arrivalFigures, frameMs, tailFrames } from './media-arrivals.ts'
import { rounded } from './media-figures.ts'
import { LoopLag } from './media-loop-lag.ts'
import type { CallersFigures, CallersJob } from './media-wire.ts'

/**
 * The callers' side of every call, lean, so that the load process's own jitter stays small. A
 * timer of 4 ms sends a fifth of the callers' frames each time, since real callers do not speak in step.
 */
const sliceMs = 4
const slices = frameMs / sliceMs
/** A load process that has stood still sends 100 ms at once, and forgets the rest. */
const slicesOwedMax = 25
const shortCallMs = 500
/** After the last call's set-up. */
const settleMs = 1500
const upMaxMs = 10_000

/** One caller's connection. */
export interface Line {
  readonly arrivals: Arrivals
  /** Frames since the connection stands. */
  readonly frames: number
  /** The engine has ended it, or broken it. */
  readonly lost: boolean
  sendFrame(): void
  hangUp(): void
}

export interface Lines {
  /** `framesMax`: how many arrivals are to be kept. Rejects when no line could be had. */
  open(framesMax: number): Promise<Line>
}

export class Callers {
  private readonly job: CallersJob
  private readonly lines: Lines
  private readonly clock = new SystemClock()
  private readonly framesWanted: number
  private measured: Line[] = []
  private refused = 0
  /** By slice: whose frame leaves then. */
  private readonly groups: Line[][] = Array.from({ length: slices }, () => [])
  private joined = 0
  private shortCalls = 0
  private shortCallsFailed = 0
  private shortCallsOpen = 0
  private shortCallsTimer: Disposable | null = null

  constructor(job: CallersJob, lines: Lines) {
    this.job = job
    this.lines = lines
    this.framesWanted = Math.round((job.seconds * 1000) / frameMs)
  }

  async setUp(): Promise<number> {
    const { clock, job } = this
    const beganMs = clock.now()
    let done = 0
    clock.every(sliceMs, (nowMs) => {
      const due = Math.floor((nowMs - beganMs) / sliceMs)
      done = Math.max(done, due - slicesOwedMax)
      for (; done < due; done += 1) for (const line of this.groups[done % slices] as Line[]) line.sendFrame()
    })
    const opening: Promise<void>[] = []
    while (opening.length < job.calls) {
      const due = Math.min(job.calls, Math.ceil(((clock.now() - beganMs + 1) * job.setupRate) / 1000))
      while (opening.length < due) opening.push(this.openMeasured())
      await clock.sleep(2)
    }
    await Promise.all(opening)
    const setupMs = clock.now() - beganMs
    const deadline = clock.now() + upMaxMs
    while (clock.now() < deadline && this.measured.some((line) => line.frames === 0 && !line.lost))
      await clock.sleep(10)
    if (job.churn > 0) this.startShortCalls()
    await clock.sleep(settleMs)
    if (job.admission) {
      const admitted = this.measured.filter((line) => !line.lost)
      this.refused = this.measured.length - admitted.length
      this.measured = admitted
    }
    return setupMs
  }

  async measure(elapsed: () => void): Promise<CallersFigures> {
    const cpu = process.cpuUsage()
    const lag = new LoopLag()
    const beganMs = this.clock.now()
    for (const { arrivals } of this.measured) arrivals.recording = true
    await this.clock.sleep(this.job.seconds * 1000)
    const { user, system } = process.cpuUsage(cpu)
    const calls = this.job.calls - this.refused
    const callSeconds = (calls * (this.clock.now() - beganMs)) / 1000
    const ownLagMs = lag.spread()
    elapsed()
    await this.clock.sleep((tailFrames + 5) * frameMs)
    const callsHeld = this.measured.filter((line) => !line.lost).length
    this.shortCallsTimer?.[Symbol.dispose]()
    return {
      refused: this.refused,
      callsHeld,
      ...arrivalFigures(
        this.measured.map((line) => line.arrivals),
        this.framesWanted,
      ),
      // Calls that never stood have frames that never came.
      framesExpected: calls * this.framesWanted,
      shortCalls: this.shortCalls,
      shortCallsFailed: this.shortCallsFailed,
      cpuMsPerCallSecond: rounded((user + system) / 1000 / callSeconds, 3),
      ownLagMs,
    }
  }

  async hangUp(): Promise<void> {
    while (this.shortCallsOpen > 0) await this.clock.sleep(10)
    for (const line of this.measured) line.hangUp()
    await this.clock.sleep(500)
  }

  private async openMeasured(): Promise<void> {
    const line = await this.lines.open(this.framesWanted + tailFrames)
    this.measured.push(line)
    this.join(line)
  }

  private join(line: Line): Line[] {
    const group = this.groups[this.joined++ % slices] as Line[]
    group.push(line)
    return group
  }

  private startShortCalls(): void {
    this.shortCallsTimer = this.clock.every(1000 / this.job.churn, () => void this.shortCall())
  }

  private async shortCall(): Promise<void> {
    this.shortCalls += 1
    this.shortCallsOpen += 1
    try {
      const line = await this.lines.open(0)
      const group = this.join(line)
      await this.clock.sleep(shortCallMs)
      if (line.lost || line.frames === 0) this.shortCallsFailed += 1
      group.splice(group.indexOf(line), 1)
      line.hangUp()
    } catch {
      this.shortCallsFailed += 1
    }
    this.shortCallsOpen -= 1
  }
}
