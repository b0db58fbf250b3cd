import type { SampleRateHz } from '#audio/format.ts'
import type { FilePlayback, FilePlaybackEvent, FilePlayer, FileWay } from './file-player.ts'

/** The part of a reply that the PBX plays from a file, and how much of it has been heard; one at a time. */
export class FilePart {
  private readonly files: FilePlayer
  private readonly sampleRateHz: SampleRateHz
  private readonly frameSamples: number
  private playback: FilePlayback | null = null
  /** Which order to the PBX its events must belong to; null when nothing is ordered. */
  private order: symbol | null = null
  private samples: Int16Array = new Int16Array(0)
  /** Frame times since it began to sound; null before. */
  private frames: number | null = null
  private paused = false

  constructor(files: FilePlayer, sampleRateHz: SampleRateHz, frameSamples: number) {
    this.files = files
    this.sampleRateHz = sampleRateHz
    this.frameSamples = frameSamples
  }

  play(samples: Int16Array, way: FileWay, listener: (event: FilePlaybackEvent) => void): void {
    this.samples = samples
    this.frames = null
    const order = Symbol('file')
    this.order = order
    const playback = this.files.play(samples, this.sampleRateHz, way, (event) => {
      // An event of a playback that was stopped means nothing to the reply after it.
      if (this.order !== order) return
      if (event === 'started') this.frames = 0
      listener(event)
    })
    // It may have failed before it was ordered.
    if (this.order === order) this.playback = playback
  }

  /** Holds it where it is, or lets it go on from there. */
  pause(paused: boolean): void {
    this.paused = paused
    this.playback?.pause(paused)
  }

  /** A frame time has passed: `frame` gets what sounds in it, silence where nothing does. */
  tick(frame: Int16Array): void {
    if (this.frames === null || this.paused) return void frame.fill(0)
    const from = this.heardSamples
    const count = Math.min(frame.length, this.samples.length - from)
    for (let index = 0; index < count; index += 1) frame[index] = this.samples[from + index] as number
    frame.fill(0, count)
    this.frames += 1
  }

  /** Whole frames, but for the last one. */
  get heardSamples(): number {
    return Math.min(this.samples.length, (this.frames ?? 0) * this.frameSamples)
  }

  /** It is over, and this is what nobody has heard of it. */
  takeBack(): Int16Array {
    const left = this.samples.slice(this.heardSamples)
    this.clear()
    return left
  }

  /** It was heard to its end: so many samples. */
  finish(): number {
    const { length } = this.samples
    this.clear()
    return length
  }

  /** The caller hears no more of it; its events mean nothing any more. */
  stop(): void {
    this.playback?.stop()
    this.order = null
  }

  clear(): void {
    this.playback = null
    this.order = null
    this.samples = new Int16Array(0)
    this.frames = null
    this.paused = false
  }
}
