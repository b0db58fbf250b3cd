import type { SampleRateHz } from '#audio/format.ts'

/**
 * The other way to the caller's ear: a whole stretch of audio, played by the PBX from a file. It stands in where
 * streaming fails, and is the only way where the configuration says so.
 */
export interface FilePlayer {
  /** Never throws: what cannot be played is reported as `failed`. The samples are read before this returns. */
  play(
    samples: Int16Array,
    sampleRateHz: SampleRateHz,
    way: FileWay,
    listener: (event: FilePlaybackEvent) => void,
  ): FilePlayback
}

/** `beside` the stream, so that the agent still hears the caller; `instead` of one that carries nothing any more. */
export type FileWay = 'beside' | 'instead'

/** `started` at most once; then exactly one of `finished` and `failed`, unless it was stopped: then nothing more. */
export type FilePlaybackEvent = 'started' | 'finished' | 'failed'

export interface FilePlayback {
  /** Holds it where it is (true), or lets it go on from there. Idempotent; nothing where it is over. */
  pause(paused: boolean): void
  /** The caller hears no more of it. Idempotent. */
  stop(): void
}
