import type { SampleRateHz } from '#audio/format.ts'
import type { Clock, Milliseconds } from '#base/clock.ts'
import type { FilePlayback, FilePlaybackEvent, FilePlayer, FileWay } from '#call/file-player.ts'
import type { Dice } from './dice.ts'

/** The PBX's file player: it plays, refuses at once, fails before it sounds, or in the middle. */
export type FileFate = 'plays' | 'refused' | 'never_starts' | 'breaks_off'

export interface SimulatedFilesOptions {
  readonly clock: Clock
  readonly dice: Dice
  readonly fate: () => FileFate
  readonly hear: (samples: Int16Array) => void
}

export class SimulatedFiles implements FilePlayer {
  /** Files that broke off. */
  brokeOff = 0
  /**
   * For each file that broke off, or that the engine stopped: within how many frames it is known where. One, and one more
   * for each time that it had been held back.
   */
  readonly slipFrames: number[] = []
  failed = 0
  playing = 0
  private readonly options: SimulatedFilesOptions
  private stopLast: () => void = () => {}

  constructor(options: SimulatedFilesOptions) {
    this.options = options
  }

  /** The channel on which they play is gone. */
  end(): void {
    this.stopLast()
  }

  play(
    samples: Int16Array,
    sampleRateHz: SampleRateHz,
    _way: FileWay,
    listener: (event: FilePlaybackEvent) => void,
  ): FilePlayback {
    const { clock, dice, fate } = this.options
    const copy = samples.slice()
    const frameSamples = sampleRateHz / 50
    const frames = Math.ceil(copy.length / frameSamples)
    const chosen = fate()
    if (chosen === 'refused') {
      this.failed += 1
      listener('failed')
      return { stop: () => {}, pause: () => {} }
    }
    const breaksAt = chosen === 'breaks_off' ? dice.between(1, Math.max(1, frames - 1)) : Number.POSITIVE_INFINITY
    let timer: Disposable | null = null
    let played = 0
    let paused = false
    let pauses = 0
    this.playing += 1
    const over = (event: FilePlaybackEvent | null) => {
      if (timer === null) return
      timer[Symbol.dispose]()
      timer = null
      this.playing -= 1
      if (event === 'failed') this.failed += 1
      if (event !== null) listener(event)
    }
    /** False: it is over. */
    const playFrame = (): boolean => {
      if (paused) return true
      if (played >= breaksAt) {
        this.brokeOff += 1
        this.slipFrames.push(1 + pauses)
        over('failed')
        return false
      }
      if (played >= frames) {
        over('finished')
        return false
      }
      this.options.hear(copy.subarray(played * frameSamples, (played + 1) * frameSamples))
      played += 1
      return true
    }
    let dueMs: Milliseconds = 0
    // The PBX does not stand still when the engine does: what was due meanwhile has been played.
    const next = () => {
      while (dueMs <= clock.now()) {
        if (!playFrame()) return
        dueMs += 20
      }
      timer = clock.after(dueMs - clock.now(), next)
    }
    const delayMs: Milliseconds = dice.between(10, 300)
    timer = clock.after(delayMs, () => {
      if (chosen === 'never_starts') return over('failed')
      listener('started')
      dueMs = clock.now()
      if (timer !== null) next()
    })
    this.stopLast = () => over(null)
    return {
      stop: () => {
        if (timer !== null && played > 0) this.slipFrames.push(1 + pauses)
        over(null)
      },
      pause: (now) => {
        if (now && played > 0) pauses += 1
        paused = now
      },
    }
  }
}
