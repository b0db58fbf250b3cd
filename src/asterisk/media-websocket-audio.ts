import { type AudioFrame, samplesPerFrame, type WireFormat, wireRatesHz } from '#audio/format.ts'
import { decodeALaw, decodeMuLaw, encodeALaw, encodeMuLaw } from '#audio/g711.ts'
import { Reframer } from '#audio/reframe.ts'

/**
 * Binary messages of chan_websocket: samples ↔ bytes, in buffers that are made once per leg. What comes may be cut at any
 * place, in the middle of a sample too; what goes is one whole frame per message.
 */
export class MediaMessages {
  readonly bytesPerFrame: number
  readonly bytesPerSample: 1 | 2
  private readonly format: WireFormat
  private readonly message: Uint8Array
  private readonly messageSamples: Int16Array
  /** A message that is one whole frame, as all of Asterisk's are. */
  private readonly whole: AudioFrame
  private readonly wholeBytes: Uint8Array
  private readonly inbound: Int16Array
  private readonly inboundBytes: Uint8Array
  private oddByte: number | null = null
  private readonly reframer: Reframer

  constructor(format: WireFormat) {
    this.format = format
    this.bytesPerSample = format === 'ulaw' || format === 'alaw' ? 1 : 2
    const samples = samplesPerFrame(wireRatesHz[format])
    this.bytesPerFrame = samples * this.bytesPerSample
    this.message = new Uint8Array(this.bytesPerFrame)
    this.messageSamples = new Int16Array(this.message.buffer)
    this.whole = { sampleRateHz: wireRatesHz[format], samples: new Int16Array(samples) }
    this.wholeBytes = new Uint8Array(this.whole.samples.buffer)
    // Three frames at once: a larger message is taken in pieces.
    this.inbound = new Int16Array(samples * 3)
    this.inboundBytes = new Uint8Array(this.inbound.buffer)
    this.reframer = new Reframer(wireRatesHz[format])
  }

  /** The message for one whole frame; valid until the next. */
  encode(samples: Int16Array): Uint8Array {
    if (this.format === 'ulaw') encodeMuLaw(samples, this.message)
    else if (this.format === 'alaw') encodeALaw(samples, this.message)
    // Every machine Bun runs on is little-endian, as Asterisk's are.
    else this.messageSamples.set(samples)
    return this.message
  }

  /** Calls `emit` for each whole frame; the frame is a view, valid only during the call. */
  decode(bytes: Uint8Array, emit: (frame: AudioFrame) => void): void {
    if (bytes.length === this.bytesPerFrame && this.oddByte === null && this.reframer.empty) {
      if (this.bytesPerSample === 1) this.decodeLaw(bytes, this.whole.samples)
      else this.wholeBytes.set(bytes)
      emit(this.whole)
    } else if (this.bytesPerSample === 1) this.decodeG711(bytes, emit)
    else this.decodeSlin(bytes, emit)
  }

  private decodeLaw(codes: Uint8Array, samples: Int16Array): void {
    if (this.format === 'ulaw') decodeMuLaw(codes, samples)
    else decodeALaw(codes, samples)
  }

  private decodeSlin(bytes: Uint8Array, emit: (frame: AudioFrame) => void): void {
    const { inboundBytes } = this
    for (let offset = 0; offset < bytes.length; ) {
      let filled = 0
      if (this.oddByte !== null) {
        inboundBytes[0] = this.oddByte
        filled = 1
      }
      const take = Math.min(bytes.length - offset, inboundBytes.length - filled)
      inboundBytes.set(take === bytes.length ? bytes : bytes.subarray(offset, offset + take), filled)
      offset += take
      filled += take
      this.oddByte = filled % 2 === 1 ? (inboundBytes[filled - 1] as number) : null
      this.reframer.push(this.inbound.subarray(0, filled >> 1), emit)
    }
  }

  private decodeG711(bytes: Uint8Array, emit: (frame: AudioFrame) => void): void {
    const { inbound } = this
    for (let offset = 0; offset < bytes.length; offset += inbound.length) {
      const codes = bytes.subarray(offset, offset + inbound.length)
      this.decodeLaw(codes, inbound)
      this.reframer.push(inbound.subarray(0, codes.length), emit)
    }
  }
}

/** A sample no louder than this is silence: −60 dB below full scale. */
const silentSampleMax = 32

/** Ends at the first sample that can be heard. */
export function isSounding(samples: Int16Array): boolean {
  for (let index = 0; index < samples.length; index += 1) {
    const sample = samples[index] as number
    if (sample > silentSampleMax || sample < -silentSampleMax) return true
  }
  return false
}
