import type { FilePlayback, FilePlaybackEvent, FilePlayer, FileWay } from '#call/file-player.ts'

/** An Asterisk that plays files when the test says so. */
export class FakeFilePlayer implements FilePlayer {
  /** What was ordered, as copies. */
  readonly played: Int16Array[] = []
  readonly ways: FileWay[] = []
  stops = 0
  readonly pauses: boolean[] = []
  /** Fails before `play` returns, so many times. */
  failsAtOnce = 0
  private readonly listeners: ((event: FilePlaybackEvent) => void)[] = []

  play(
    samples: Int16Array,
    _sampleRateHz: number,
    way: FileWay,
    listener: (event: FilePlaybackEvent) => void,
  ): FilePlayback {
    this.played.push(samples.slice())
    this.ways.push(way)
    this.listeners.push(listener)
    if (this.failsAtOnce > 0) {
      this.failsAtOnce -= 1
      listener('failed')
    }
    return {
      stop: () => {
        this.stops += 1
      },
      pause: (paused) => {
        this.pauses.push(paused)
      },
    }
  }

  /** Of the newest order, or of an older one by its number. */
  say(event: FilePlaybackEvent, order = -1): void {
    this.listeners.at(order)?.(event)
  }
}
