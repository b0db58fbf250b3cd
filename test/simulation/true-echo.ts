import type { AudioFrame } from '#audio/format.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { LineEcho, LineSound } from '#call/line-echo.ts'
import type { Dice } from './dice.ts'

/** A frame of the caller's line, as it truly was. */
export interface LineFrame {
  readonly loud: boolean
  /** The caller's own voice is in it. */
  readonly own: boolean
  /** What is heard comes back. */
  readonly echoes: boolean
}

/** As far back as a call may ask. */
const framesKept = 100
const onsetMsMax: Milliseconds = 240

/** Tells the agent's echo from the caller's voice by knowing which it was; now and then it says the contrary. */
export class TrueEcho implements LineEcho {
  /** When it said the contrary. */
  readonly lies: Milliseconds[] = []
  private readonly clock: Clock
  private readonly dice: Dice
  private readonly lying: number
  private readonly frames: LineFrame[] = []

  constructor(clock: Clock, dice: Dice, lying: number) {
    this.clock = clock
    this.dice = dice
    this.lying = lying
  }

  /** Before the engine gets it. */
  frame(frame: LineFrame): void {
    this.frames.push(frame)
    if (this.frames.length > framesKept) this.frames.shift()
  }

  sent(): void {}

  heard(): void {}

  clean(frame: AudioFrame): AudioFrame {
    return frame
  }

  soundOf(newestMs: Milliseconds): LineSound {
    const newest = this.frames.slice(-Math.max(1, Math.ceil(newestMs / 20)))
    const loud = newest.filter((frame) => frame.loud)
    const truth = loud.length > 0 && loud.every((frame) => frame.echoes && !frame.own)
    if (!this.dice.chance(this.lying)) return truth ? 'echo' : loud.length === 0 ? 'silence' : 'other'
    this.lies.push(this.clock.now())
    return truth ? 'other' : 'echo'
  }

  get onsetMs(): Milliseconds {
    const ownFrames = this.frames.length - 1 - this.frames.findLastIndex((frame) => !frame.own)
    return Math.min(onsetMsMax, Math.max(1, ownFrames) * 20)
  }
}
