import { TurnFinder } from '../turn-finder.ts'
import type { StandinOptions } from './options.ts'
import type { SessionRecord } from './session-record.ts'
import { decodeAudio, durationMs, type WireAudio } from './wire-audio.ts'

/**
 * The caller's audio in one session: decoded, kept, and put to as many ears as were asked for, each with its own idea of
 * how long a silence ends speech. It understands nothing; words come from the script, a turn at a time.
 */
export interface Ear {
  readonly silenceMs: number
  started(audioMs: number): void
  stopped(audioMs: number): void
}

export class Hearing {
  /** All audio of the session, in milliseconds: what the times of messages count. */
  totalMs = 0
  private readonly options: StandinOptions
  private readonly record: SessionRecord
  private readonly audio: WireAudio
  private readonly ears: readonly { readonly ear: Ear; readonly finder: TurnFinder }[]
  private readonly kept: Int16Array[] = []

  constructor(options: StandinOptions, record: SessionRecord, audio: WireAudio, ears: readonly Ear[]) {
    this.options = options
    this.record = record
    this.audio = audio
    this.ears = ears.map((ear) => {
      const detection = { type: 'server_vad', silence_duration_ms: ear.silenceMs, prefix_padding_ms: 0 } as const
      return { ear, finder: new TurnFinder({ detection, sampleRateHz: audio.sampleRateHz, startMs: 0 }) }
    })
  }

  push(bytes: Uint8Array): void {
    const { record, audio } = this
    const ms = durationMs(bytes.length, audio)
    record.binaryMessages += 1
    record.binaryBytes += bytes.length
    record.binaryMs += ms
    this.totalMs += ms
    const samples = decodeAudio(bytes, audio)
    if (this.options.keepAudio ?? true) this.kept.push(samples)
    for (const { ear, finder } of this.ears) {
      for (const event of finder.push(samples)) {
        if (event.kind === 'started') ear.started(event.audioMs)
        else ear.stopped(event.audioMs)
      }
    }
  }

  /** The caller's audio so far, as it was decoded; empty where it is not kept. */
  heard(): { readonly samples: Int16Array; readonly sampleRateHz: number } {
    const samples = new Int16Array(this.kept.reduce((sum, part) => sum + part.length, 0))
    let offset = 0
    for (const part of this.kept) {
      samples.set(part, offset)
      offset += part.length
    }
    return { samples, sampleRateHz: this.audio.sampleRateHz }
  }
}

/** What the caller says in this turn of a session; empty: nothing that could be understood. */
export function turnText({ callerTranscripts: texts }: StandinOptions, turn: number): string {
  const given = typeof texts === 'function' ? texts(turn) : texts?.[turn]
  return given === undefined ? `caller turn ${turn + 1}` : (given ?? '')
}
