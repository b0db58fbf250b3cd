import type { CallContext } from '#agent/provider.ts'
import { aLawSilence, decodeALaw, decodeMuLaw, muLawSilence } from '#audio/g711.ts'
import type { Milliseconds } from '#base/clock.ts'
import type { DeepgramOptions } from './options.ts'

/** What travels to and from Deepgram: raw samples without a container, always at the rate of the leg. */
export interface WireAudio {
  readonly encoding: 'linear16' | 'mulaw' | 'alaw'
  readonly sampleRateHz: number
}

/** G.711 is there for 8 kHz only; a wider leg has 16 bits whatever the file says. */
export function wireAudio(encoding: DeepgramOptions['encoding'], { sampleRateHz, wire }: CallContext): WireAudio {
  if (sampleRateHz !== 8000) return { encoding: 'linear16', sampleRateHz }
  if (encoding !== 'auto') return { encoding, sampleRateHz }
  if (wire === 'ulaw') return { encoding: 'mulaw', sampleRateHz }
  return { encoding: wire === 'alaw' ? 'alaw' : 'linear16', sampleRateHz }
}

export function bytesOf(durationMs: Milliseconds, { encoding, sampleRateHz }: WireAudio): number {
  return Math.round((durationMs * sampleRateHz) / 1000) * (encoding === 'linear16' ? 2 : 1)
}

export function msOf(bytes: number, { encoding, sampleRateHz }: WireAudio): Milliseconds {
  return (bytes * 1000) / (encoding === 'linear16' ? 2 : 1) / sampleRateHz
}

export function silence(durationMs: Milliseconds, audio: WireAudio): Uint8Array<ArrayBuffer> {
  const code = audio.encoding === 'mulaw' ? muLawSilence : audio.encoding === 'alaw' ? aLawSilence : 0
  return new Uint8Array(bytesOf(durationMs, audio)).fill(code)
}

/** What comes from Deepgram as samples; half a sample at the end of one message waits for the next. */
export class Decoder {
  private readonly audio: WireAudio
  /** A byte of the last message whose other half is still to come. */
  private odd: number | null = null

  constructor(audio: WireAudio) {
    this.audio = audio
  }

  /** What was under way belongs to nothing that comes now. */
  reset(): void {
    this.odd = null
  }

  /** @returns samples in an array of their own, or on the very bytes that came */
  decode(bytes: Uint8Array<ArrayBuffer>): Int16Array {
    const { encoding } = this.audio
    if (encoding === 'linear16') return this.fromPcm(bytes)
    const samples = new Int16Array(bytes.length)
    if (encoding === 'mulaw') decodeMuLaw(bytes, samples)
    else decodeALaw(bytes, samples)
    return samples
  }

  private fromPcm(bytes: Uint8Array<ArrayBuffer>): Int16Array {
    const { odd } = this
    // As it mostly comes: nothing is copied.
    if (odd === null && bytes.length % 2 === 0 && bytes.byteOffset % 2 === 0)
      return new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2)
    const held = odd === null ? 0 : 1
    const whole = (held + bytes.length) & ~1
    const joined = new Uint8Array(whole)
    if (odd !== null && whole > 0) joined[0] = odd
    joined.set(bytes.subarray(0, whole - held), held)
    const rest = held + bytes.length - whole
    if (whole > 0) this.odd = rest === 0 ? null : (bytes.at(-1) ?? null)
    else this.odd = bytes.at(-1) ?? odd
    return new Int16Array(joined.buffer)
  }
}
