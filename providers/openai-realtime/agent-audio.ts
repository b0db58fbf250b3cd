import type { SampleRateHz } from '#audio/format.ts'
import { FormatCheck } from '#audio/format-check.ts'
import { decodeMuLaw } from '#audio/g711.ts'
import { Resampler } from '#audio/resample.ts'
import type { Milliseconds } from '#base/clock.ts'
import type { WireAudio } from './client-wire.ts'

/**
 * The agent's audio on its way in: base64 → samples at the leg's rate. The filter's state is carried from delta to delta,
 * so pieces join without a seam; half a sample at the end of one delta waits for the next.
 */
export class AgentAudio {
  private readonly legHz: SampleRateHz
  private audio: WireAudio
  private resampler: Resampler
  private bytes = new Uint8Array(16_384)
  /** A byte of the last delta whose other half is still to come. */
  private odd = 0
  private readonly check: FormatCheck
  /** How long the last delta is, at the server. */
  lastMs: Milliseconds = 0

  /** @param unlikely what comes does not look like the format that was agreed; told once */
  constructor(legHz: SampleRateHz, audio: WireAudio, unlikely: () => void) {
    this.legHz = legHz
    this.audio = audio
    this.resampler = resamplerOf(audio, legHz)
    this.check = new FormatCheck(unlikely)
  }

  ready(audio: WireAudio): void {
    this.odd = 0
    if (audio === this.audio) return
    this.audio = audio
    this.resampler = resamplerOf(audio, this.legHz)
  }

  /** @returns samples at the leg's rate, in an array of their own; null where it is no base64 */
  decode(base64: string): Int16Array | null {
    const most = Math.ceil((base64.length * 3) / 4) + 1
    if (most > this.bytes.length) this.grow(most)
    const written = this.writeAt(this.odd, base64)
    if (written === null) return null
    const length = this.odd + written
    this.lastMs = written / bytesPerMs[this.audio]
    return this.audio === 'pcmu' ? this.fromMuLaw(length) : this.fromPcm(length)
  }

  /** An item has ended: what the filter holds of it, and then it starts anew. */
  finish(): Int16Array {
    this.odd = 0
    return this.resampler.flush()
  }

  private writeAt(offset: number, base64: string): number | null {
    try {
      return this.bytes.subarray(offset).setFromBase64(base64).written
    } catch {
      return null
    }
  }

  private fromMuLaw(length: number): Int16Array {
    this.odd = 0
    const samples = new Int16Array(length)
    decodeMuLaw(this.bytes.subarray(0, length), samples)
    this.check.push(samples)
    return this.resampler.fromHz === this.resampler.toHz ? samples : this.resampler.process(samples)
  }

  private fromPcm(length: number): Int16Array {
    const count = length >> 1
    // A view: the resampler copies, and where there is none `process` does.
    const samples = new Int16Array(this.bytes.buffer, 0, count)
    this.check.push(samples)
    const made = this.resampler.process(samples)
    this.odd = length & 1
    if (this.odd === 1) this.bytes[0] = this.bytes[length - 1] as number
    return made
  }

  private grow(bytes: number): void {
    const grown = new Uint8Array(bytes * 2)
    grown.set(this.bytes.subarray(0, this.odd))
    this.bytes = grown
  }
}

const bytesPerMs: Readonly<Record<WireAudio, number>> = { pcmu: 8, pcm24: 48 }

function resamplerOf(audio: WireAudio, legHz: SampleRateHz): Resampler {
  return new Resampler(audio === 'pcmu' ? 8000 : 24_000, legHz)
}
