import type { AudioFrame } from '#audio/format.ts'
import { encodeALaw, encodeMuLaw } from '#audio/g711.ts'
import type { Milliseconds } from '#base/clock.ts'
import { bytesOf, msOf, type WireAudio } from './wire-audio.ts'

/**
 * The caller's audio on its way out: frames are written straight into a batch, and a full batch is one binary message.
 *
 * While there is no session, batches wait: what the caller says then is the beginning of what the next one hears. Where the
 * far side tells how far it has heard (`confirm`), what it has not is kept as well, and said again to the next session.
 * 15 s are kept, the newest.
 */
export interface CallerAudioDeps {
  readonly audio: WireAudio
  readonly chunkMs: Milliseconds
  readonly send: (bytes: Uint8Array<ArrayBuffer>) => 'sent' | 'full'
  /** A batch that nobody took is gone. */
  readonly dropped: () => void
  /** Sent batches are kept until they are confirmed. */
  readonly repeats: boolean
}

interface Batch {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly endMs: Milliseconds
}

const keptMaxMs: Milliseconds = 15_000

export class CallerAudio {
  /** Of what was handed to the session that there is, in its own time. */
  sentMs: Milliseconds = 0
  private readonly deps: CallerAudioDeps
  private readonly batch: Uint8Array<ArrayBuffer>
  /** The same as 16-bit samples; empty with G.711. */
  private readonly samples: Int16Array
  private readonly inBatch: number
  private readonly sampleBytes: number
  /** Samples. */
  private filled = 0
  private readonly waiting: Uint8Array<ArrayBuffer>[] = []
  private readonly unconfirmed: Batch[] = []
  private open = false

  constructor(deps: CallerAudioDeps) {
    this.deps = deps
    const isPcm = deps.audio.encoding === 'linear16'
    this.sampleBytes = isPcm ? 2 : 1
    this.batch = new Uint8Array(bytesOf(deps.chunkMs, deps.audio))
    this.inBatch = this.batch.length / this.sampleBytes
    this.samples = isPcm ? new Int16Array(this.batch.buffer) : new Int16Array(0)
  }

  /** A session is there: what has waited goes first. */
  ready(): void {
    this.open = true
    this.sentMs = 0
    for (const batch of this.waiting.splice(0)) this.hand(batch)
  }

  lost(): void {
    this.open = false
    this.waiting.unshift(...this.unconfirmed.splice(0).map(({ bytes }) => bytes))
  }

  /** One frame; on the audio path. */
  push({ samples }: AudioFrame): void {
    const { batch, inBatch, deps } = this
    const { encoding } = deps.audio
    let offset = 0
    while (offset < samples.length) {
      // A whole frame nearly always fits: nothing is cut then.
      const fits = inBatch - this.filled
      const piece = offset === 0 && samples.length <= fits ? samples : samples.subarray(offset, offset + fits)
      if (encoding === 'linear16') this.samples.set(piece, this.filled)
      else if (encoding === 'mulaw') encodeMuLaw(piece, batch, this.filled)
      else encodeALaw(piece, batch.subarray(this.filled))
      this.filled += piece.length
      offset += piece.length
      if (this.filled === inBatch) this.flush()
    }
  }

  /** What is in the batch goes now. */
  flush(): void {
    if (this.filled === 0) return
    const bytes = this.filled * this.sampleBytes
    this.filled = 0
    const part = bytes === this.batch.length ? this.batch : this.batch.subarray(0, bytes)
    if (this.open) return this.hand(part)
    this.waiting.push(part.slice())
    if (this.waiting.length * this.deps.chunkMs <= keptMaxMs) return
    this.waiting.shift()
    this.deps.dropped()
  }

  /** Besides what the caller says: a silence. */
  insert(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.open) this.hand(bytes)
  }

  /** The far side has heard the session up to here. */
  confirm(untilMs: Milliseconds): void {
    while ((this.unconfirmed[0]?.endMs ?? Number.POSITIVE_INFINITY) <= untilMs) this.unconfirmed.shift()
  }

  private hand(bytes: Uint8Array<ArrayBuffer>): void {
    const { audio, repeats, send, dropped } = this.deps
    if (send(bytes) === 'full') return dropped()
    this.sentMs += msOf(bytes.length, audio)
    if (!repeats) return
    this.unconfirmed.push({ bytes: bytes.slice(), endMs: this.sentMs })
    if (this.unconfirmed.length * this.deps.chunkMs > keptMaxMs) this.unconfirmed.shift()
  }
}
