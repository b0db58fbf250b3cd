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
 * them are kept, the newest. Where the turns are ours, so are those of a turn that the server has not acknowledged: they
 * died with their session, and the next one hears them first.
 */
export interface CallerAudioDeps {
  readonly legHz: SampleRateHz
  readonly appendMs: Milliseconds
  /** What is not acknowledged is said again; false where the server finds the turns, and what it misses is asked for. */
  readonly again: boolean
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
  private batch: Uint8Array<ArrayBuffer>
  /** The same bytes; empty where the wire's form is none of samples. */
  private samples: Int16Array
  /** Samples in the batch. */
  private filled = 0
  /** Of what was appended since the last commit. */
  private uncommittedBytes = 0
  /** What the server has not acknowledged, oldest first, and how many batches of it each commit has closed. */
  private readonly unheard: Uint8Array[] = []
  private readonly commits: number[] = []
  /** This server says what it has taken. */
  private acknowledges = false
  open = false

  constructor(deps: CallerAudioDeps, audio: WireAudio) {
    this.deps = deps
    this.audio = audio
    this.resampler = new Resampler(deps.legHz, wireHz[audio])
    this.batch = new Uint8Array(this.bytesOf(deps.appendMs))
    this.samples = samplesIn(this.batch, audio)
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
    this.commits.length = 0
    this.waiting.unshift(...this.unheard.splice(0))
    this.forgetOldest(this.waiting)
  }

  /** The server has taken the oldest commit, or refused it. */
  acknowledged(): void {
    this.acknowledges = true
    this.heardOldest()
  }

  /** It answers: it has heard what was committed, also where it never says so. */
  answered(): void {
    if (!this.acknowledges) this.heardOldest()
  }

  private heardOldest(): void {
    this.unheard.splice(0, this.commits.shift() ?? 0)
  }

  /** One frame; on the audio path. */
  push({ samples }: AudioFrame): void {
    const converted = this.resampler.fromHz === this.resampler.toHz ? samples : this.resampler.process(samples)
    const { batch } = this
    const inBatch = batch.length / sampleBytes[this.audio]
    let offset = 0
    while (offset < converted.length) {
      // A whole frame nearly always fits: nothing is cut then.
      const fits = inBatch - this.filled
      const piece = offset === 0 && converted.length <= fits ? converted : converted.subarray(offset, offset + fits)
      if (this.audio === 'pcmu') encodeMuLaw(piece, batch, this.filled)
      else this.samples.set(piece, this.filled)
      this.filled += piece.length
      offset += piece.length
      if (this.filled === inBatch) this.flush()
    }
  }

  /** What is in the batch goes now: the turn is over. */
  flush(): void {
    if (this.filled === 0) return
    const bytes = this.filled * sampleBytes[this.audio]
    this.filled = 0
    this.take(bytes === this.batch.length ? this.batch : this.batch.subarray(0, bytes))
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
    const closed = this.commits.reduce((sum, batches) => sum + batches, 0)
    this.commits.push(this.unheard.length - closed)
    return true
  }

  private bytesOf(durationMs: Milliseconds): number {
    return (Math.round(durationMs) * wireHz[this.audio] * sampleBytes[this.audio]) / 1000
  }

  private change(audio: WireAudio): void {
    this.audio = audio
    this.resampler = new Resampler(this.deps.legHz, wireHz[audio])
    this.batch = new Uint8Array(this.bytesOf(this.deps.appendMs))
    this.samples = samplesIn(this.batch, audio)
    this.filled = 0
    // In a form that this session doesn't take.
    for (const _ of this.waiting.splice(0)) this.deps.dropped()
  }

  private take(batch: Uint8Array): void {
    if (this.open) return this.hand(batch)
    this.waiting.push(batch.slice())
    this.forgetOldest(this.waiting)
  }

  private hand(batch: Uint8Array): void {
    if (this.deps.append(batch.toBase64()) !== 'sent') return this.deps.dropped()
    this.uncommittedBytes += batch.length
    if (!this.deps.again) return
    this.unheard.push(batch.slice())
    if (this.unheard.length * this.deps.appendMs <= waitingMaxMs) return
    // Heard by now, or not to be had again.
    this.unheard.shift()
    const oldest = this.commits.findIndex((batches) => batches > 0)
    if (oldest >= 0) this.commits[oldest] = (this.commits[oldest] ?? 0) - 1
  }

  private forgetOldest(batches: Uint8Array[]): void {
    while (batches.length * this.deps.appendMs > waitingMaxMs) {
      batches.shift()
      this.deps.dropped()
    }
  }
}

function samplesIn({ buffer }: Uint8Array<ArrayBuffer>, audio: WireAudio): Int16Array {
  return audio === 'pcmu' ? new Int16Array(0) : new Int16Array(buffer)
}
