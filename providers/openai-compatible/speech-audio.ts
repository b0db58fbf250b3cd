import type { SampleRateHz } from '#audio/format.ts'
import { Resampler } from '#audio/resample.ts'
import { PcmBytes, WavStream } from '#audio/wav-stream.ts'
import { failed, ok, type Result } from '#base/result.ts'
import type { TtsOptions } from './options.ts'
import { isText, type SpeechKind, speechKind } from './speech-kind.ts'

/**
 * The body of one sentence → samples at the rate of the call, as it comes. Bytes of one kind read as another are loud noise
 * in the caller's ear, so the beginning is looked at: a WAV header is read whatever was asked for, and what is compressed
 * is refused.
 */
export class SpeechAudio {
  private readonly legHz: SampleRateHz
  private readonly options: Pick<TtsOptions, 'response_format' | 'pcm_rate_hz'>
  private readonly contentType: string | null
  private readonly pcm = new PcmBytes()
  private wav: WavStream | null = null
  /** The first bytes, until they are enough to be told by. */
  private head: Uint8Array | null = new Uint8Array(0)
  private resampler: Resampler | null = null

  /** @param contentType as the server names the body; null: not at all */
  constructor(
    options: Pick<TtsOptions, 'response_format' | 'pcm_rate_hz'>,
    legHz: SampleRateHz,
    contentType: string | null,
  ) {
    this.options = options
    this.legHz = legHz
    this.contentType = contentType
  }

  /** Fails with what is wrong. */
  push(bytes: Uint8Array): Result<Int16Array, string> {
    if (this.head === null) return this.decode(bytes)
    const joined = new Uint8Array(this.head.length + bytes.length)
    joined.set(this.head)
    joined.set(bytes, this.head.length)
    this.head = joined
    return this.begin(joined)
  }

  /** What the filter still holds. A body that ends before it can be told is at most a complaint. */
  end(): Result<Int16Array, string> {
    if (this.head !== null && this.head.length > 0 && isText(this.head)) return failed(this.complaint('text'))
    return ok(this.resampler?.flush() ?? new Int16Array(0))
  }

  private begin(bytes: Uint8Array): Result<Int16Array, string> {
    const kind = speechKind(bytes, this.contentType)
    if (kind === 'unknown_yet') return ok(new Int16Array(0))
    this.head = null
    if (kind === 'wav') this.wav = new WavStream()
    else if (kind !== 'raw' || this.options.response_format === 'wav') return failed(this.complaint(kind))
    return this.decode(bytes)
  }

  private complaint(kind: SpeechKind): string {
    const { response_format: asked } = this.options
    const got = { raw: 'raw samples', text: 'text', compressed: 'compressed audio', wav: '', unknown_yet: '' }[kind]
    return `the voice was asked for ${asked} and sends ${got}: see response_format`
  }

  private decode(bytes: Uint8Array): Result<Int16Array, string> {
    if (this.wav === null) return ok(this.resampled(this.pcm.push(bytes), this.options.pcm_rate_hz))
    const read = this.wav.push(bytes)
    return read.ok ? ok(this.resampled(read.value.samples, read.value.sampleRateHz)) : read
  }

  private resampled(samples: Int16Array, fromHz: number): Int16Array {
    if (samples.length === 0) return samples
    this.resampler ??= new Resampler(fromHz, this.legHz)
    return this.resampler.process(samples)
  }
}
