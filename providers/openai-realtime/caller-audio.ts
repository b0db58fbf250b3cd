import type { AudioFrame, SampleRateHz } from '#audio/format.ts'
import { encodeMuLaw, muLawSilence } from '#audio/g711.ts'
import { Resampler } from '#audio/resample.ts'
import type { Milliseconds } from '#base/clock.ts'
import type { WireAudio } from './client-wire.ts'

/**
 * The caller's audio on its way out: leg's samples → wire's form → one message per `append_ms`. Frames are written straight
 * into the batch; per batch there is one base64 text and nothing else.
 *
 * While there is no session, batches wait: what the caller says then is the beginning of what the next one hears. 15 s of
 * them are kept, the newest.
 */
export interface CallerAudioDeps {
  readonly legHz: SampleRateHz
  readonly appendMs: Milliseconds
  readonly append: (base64: string) => 'sent' | 'full'
  /** A batch that nobody took is gone. */
  readonly dropped: () => void
}

const waitingMaxMs: Milliseconds = 15_000
const wireHz: Readonly<Record<WireAudio, number>> = { pcmu: 8000, pcm24: 24_000 }
const sampleBytes: Readonly<Record<WireAudio, number>> = { pcmu: 1, pcm24: 2 }

export class CallerAudio {
  private readonly deps: CallerAudioDeps
  private readonly waiting: Uint8Array[] = []
  private audio: WireAudio
  private resampler: Resampler
  private batch: Uint8Array
  private filled = 0
  /** Of what was appended since the last commit. */
  private uncommittedBytes = 0
  open = false

  constructor(deps: CallerAudioDeps, audio: WireAudio) {
    this.deps = deps
    this.audio = audio
    this.resampler = new Resampler(deps.legHz, wireHz[audio])
    this.batch = new Uint8Array(this.bytesOf(deps.appendMs))
  }

  /** A session is there and takes this: what has waited goes first. */
  ready(audio: WireAudio): void {
    if (audio !== this.audio) this.change(audio)
    this.open = true
    this.uncommittedBytes = 0
    for (const batch of this.waiting.splice(0)) this.hand(batch)
  }

  lost(): void {
    this.open = false
    this.uncommittedBytes = 0
  }

  /** One frame; on the audio path. */
  push({ samples }: AudioFrame): void {
    const converted = this.resampler.fromHz === this.resampler.toHz ? samples : this.resampler.process(samples)
    if (this.audio === 'pcmu') this.fillMuLaw(converted)
    else this.fill(new Uint8Array(converted.buffer, converted.byteOffset, converted.byteLength))
  }

  /** What is in the batch goes now: the turn is over. */
  flush(): void {
    if (this.filled === 0) return
    this.take(this.batch.subarray(0, this.filled))
    this.filled = 0
  }

  /**
   * Before a commit: everything is sent, and at least so much of it. False where there is nothing to commit.
   * The server refuses less than 100 ms.
   */
  complete(minMs: Milliseconds): boolean {
    this.flush()
    if (this.uncommittedBytes === 0) return false
    const missing = this.bytesOf(minMs) - this.uncommittedBytes
    if (missing > 0) this.take(new Uint8Array(missing).fill(this.audio === 'pcmu' ? muLawSilence : 0))
    this.uncommittedBytes = 0
    return true
  }

  private bytesOf(durationMs: Milliseconds): number {
    return (Math.round(durationMs) * wireHz[this.audio] * sampleBytes[this.audio]) / 1000
  }

  private change(audio: WireAudio): void {
    this.audio = audio
    this.resampler = new Resampler(this.deps.legHz, wireHz[audio])
    this.batch = new Uint8Array(this.bytesOf(this.deps.appendMs))
    this.filled = 0
    // In a form that this session doesn't take.
    for (const _ of this.waiting.splice(0)) this.deps.dropped()
  }

  private fillMuLaw(samples: Int16Array): void {
    let offset = 0
    while (offset < samples.length) {
      const piece = samples.subarray(offset, offset + this.batch.length - this.filled)
      encodeMuLaw(piece, this.batch.subarray(this.filled))
      this.advance(piece.length)
      offset += piece.length
    }
  }

  private fill(bytes: Uint8Array): void {
    let offset = 0
    while (offset < bytes.length) {
      const piece = bytes.subarray(offset, offset + this.batch.length - this.filled)
      this.batch.set(piece, this.filled)
      this.advance(piece.length)
      offset += piece.length
    }
  }

  private advance(bytes: number): void {
    this.filled += bytes
    if (this.filled === this.batch.length) this.flush()
  }

  private take(batch: Uint8Array): void {
    if (this.open) return this.hand(batch)
    this.waiting.push(batch.slice())
    if (this.waiting.length * this.deps.appendMs <= waitingMaxMs) return
    this.waiting.shift()
    this.deps.dropped()
  }

  private hand(batch: Uint8Array): void {
    if (this.deps.append(batch.toBase64()) === 'sent') this.uncommittedBytes += batch.length
    else this.deps.dropped()
  }
}
