import type { Milliseconds } from '#base/clock.ts'
import { Caller } from '../bed/caller.ts'

/** A caller of whom it is known, frame by frame, whether what goes out on the line is their own voice. */
export class SimulatedCaller extends Caller {
  /** What is heard comes back on the line. */
  echoes = false
  /** In the frame that has just gone out. */
  speaks = false
  private leftSamples = 0

  override say(samples: Int16Array): Promise<void> {
    this.leftSamples += samples.length
    return super.say(samples)
  }

  override echo(setting: Parameters<Caller['echo']>[0]): void {
    this.echoes = setting !== null
    super.echo(setting)
  }

  override speak(samples: Int16Array, atMs: Milliseconds): void {
    this.speaks = this.leftSamples > 0
    this.leftSamples = Math.max(0, this.leftSamples - samples.length)
    super.speak(samples, atMs)
  }
}
