import { failed, ok, type Result } from '#base/result.ts'

/**
 * 16-bit mono PCM WAV as it comes: the header is read once it is whole, then samples are given out whatever the sizes of the
 * reads. A server that writes while it speaks does not know the length: 0 and anything from 2 GiB on mean "to the end".
 */
export interface WavPiece {
  /** 0 until the header has come. */
  readonly sampleRateHz: number
  readonly samples: Int16Array
}

/** A header with names and comments is shorter. */
const headerBytesMax = 65_536
const unknownLengthMin = 0x7fffffff
const nothing: WavPiece = { sampleRateHz: 0, samples: new Int16Array(0) }

export class WavStream {
  private header = new Uint8Array(0)
  private sampleRateHz = 0
  private bytesLeft = 0
  private readonly pcm = new PcmBytes()

  /** Fails with what is wrong; nothing of the stream is to be read any more then. */
  push(bytes: Uint8Array): Result<WavPiece, string> {
    if (this.sampleRateHz > 0) return ok(this.take(bytes))
    const joined = new Uint8Array(this.header.length + bytes.length)
    joined.set(this.header)
    joined.set(bytes, this.header.length)
    const read = readHeader(joined)
    if (!read.ok) return read
    if (read.value === null) {
      this.header = joined
      return joined.length > headerBytesMax ? failed('a WAV header without an end') : ok(nothing)
    }
    const { sampleRateHz, dataBytes, dataFrom } = read.value
    this.sampleRateHz = sampleRateHz
    this.bytesLeft = dataBytes === 0 || dataBytes >= unknownLengthMin ? Number.POSITIVE_INFINITY : dataBytes
    this.header = new Uint8Array(0)
    return ok(this.take(joined.subarray(dataFrom)))
  }

  private take(bytes: Uint8Array): WavPiece {
    const mine = bytes.subarray(0, Math.min(bytes.length, this.bytesLeft))
    this.bytesLeft -= mine.length
    return { sampleRateHz: this.sampleRateHz, samples: this.pcm.push(mine) }
  }
}

interface Header {
  readonly sampleRateHz: number
  readonly dataFrom: number
  readonly dataBytes: number
}

/** Null while it is not whole. */
function readHeader(bytes: Uint8Array): Result<Header | null, string> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const tag = (offset: number) => String.fromCharCode(...bytes.subarray(offset, offset + 4))
  if (bytes.length < 12) return ok(null)
  if (tag(0) !== 'RIFF' || tag(8) !== 'WAVE') return failed('not a WAV file')
  let sampleRateHz = 0
  for (let offset = 12; offset + 8 <= bytes.length; ) {
    const size = view.getUint32(offset + 4, true)
    const body = offset + 8
    if (tag(offset) === 'data') {
      return sampleRateHz === 0
        ? failed('WAV has its data before its format')
        : ok({ sampleRateHz, dataFrom: body, dataBytes: size })
    }
    if (tag(offset) === 'fmt ') {
      if (body + 16 > bytes.length) return ok(null)
      const encoding = view.getUint16(body, true)
      const channels = view.getUint16(body + 2, true)
      const bits = view.getUint16(body + 14, true)
      // 0xFFFE is the extensible form, which servers write for 16 bits, too.
      if ((encoding !== 1 && encoding !== 0xfffe) || bits !== 16 || channels !== 1)
        return failed(
          `WAV with encoding ${encoding}, ${bits} bits and ${channels} channels, where 16-bit mono is taken`,
        )
      sampleRateHz = view.getUint32(body + 4, true)
      if (sampleRateHz < 8000 || sampleRateHz > 192_000) return failed(`WAV at ${sampleRateHz} Hz`)
    }
    offset = body + size + (size & 1)
  }
  return ok(null)
}

/** Little-endian 16-bit samples out of reads that may split one. */
export class PcmBytes {
  /** A byte whose other half is still to come. */
  private odd: number | null = null

  /** @returns samples in an array of their own */
  push(bytes: Uint8Array): Int16Array {
    const held = this.odd === null ? 0 : 1
    const whole = (held + bytes.length) & ~1
    if (whole === 0) {
      this.odd = bytes[0] ?? this.odd
      return new Int16Array(0)
    }
    const joined = new Uint8Array(whole)
    if (this.odd !== null) joined[0] = this.odd
    joined.set(bytes.subarray(0, whole - held), held)
    this.odd = held + bytes.length > whole ? (bytes.at(-1) ?? null) : null
    return new Int16Array(joined.buffer)
  }
}
