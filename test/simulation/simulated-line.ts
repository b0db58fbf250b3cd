import type { SampleRateHz } from '#audio/format.ts'
import type { Clock } from '#base/clock.ts'
import type { Line, LineUser } from '../bed/line.ts'
import { clip } from '../bed/sounds.ts'

/**
 * The telephone of a simulated caller. Every 20 ms it plays what the leg and the PBX's files have brought, one frame of
 * each, and takes a frame from the caller.
 */
export interface SimulatedLineOptions {
  readonly clock: Clock
  readonly sampleRateHz: SampleRateHz
  /** A frame of the caller. */
  readonly said: (samples: Int16Array) => void
  readonly pressed: (digit: string) => void
  readonly hungUp: () => void
}

const digitMs = 240

export class SimulatedLine implements Line {
  readonly clock: Clock
  readonly sampleRateHz: SampleRateHz
  over = false
  private readonly options: SimulatedLineOptions
  private readonly fromLeg: Int16Array[] = []
  private readonly fromFile: Int16Array[] = []
  private readonly frame: Int16Array
  private readonly mixed: Int16Array
  private readonly ticking: Disposable
  private user: LineUser | null = null

  constructor(options: SimulatedLineOptions) {
    this.options = options
    this.clock = options.clock
    this.sampleRateHz = options.sampleRateHz
    this.frame = new Int16Array(options.sampleRateHz / 50)
    this.mixed = new Int16Array(options.sampleRateHz / 50)
    this.ticking = this.clock.every(20, () => this.tick())
  }

  use(user: LineUser): void {
    this.user = user
  }

  async press(digits: string): Promise<void> {
    for (const digit of digits) {
      if (this.over) return
      this.options.pressed(digit)
      await this.clock.sleep(digitMs)
    }
  }

  hangUp(): void {
    if (!this.over) this.options.hungUp()
  }

  play(samples: Int16Array, via: 'leg' | 'file'): void {
    const waiting = via === 'leg' ? this.fromLeg : this.fromFile
    waiting.push(samples.slice())
  }

  /** The channel is gone. Idempotent. */
  end(): void {
    if (this.over) return
    this.over = true
    this.ticking[Symbol.dispose]()
    this.user?.ended()
  }

  private tick(): void {
    const { user, frame, mixed } = this
    if (user === null) return
    const leg = this.fromLeg.shift()
    const file = this.fromFile.shift()
    if (leg !== undefined || file !== undefined) {
      for (let index = 0; index < mixed.length; index += 1)
        mixed[index] = clip((leg?.[index] ?? 0) + (file?.[index] ?? 0))
      user.hear(mixed, this.clock.now())
    }
    if (this.over) return
    frame.fill(0)
    user.speak(frame, this.clock.now())
    this.options.said(frame)
  }
}
