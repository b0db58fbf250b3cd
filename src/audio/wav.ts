import { failed, ok, type Result } from '#base/result.ts'

/** 16-bit PCM WAV, mono: the form of every recording and fixture. */
export interface Wav {
  readonly sampleRateHz: number
  readonly samples: Int16Array
}

const headerBytes = 44

export function encodeWav(wav: Wav): Uint8Array {
  const bytes = new Uint8Array(headerBytes + wav.samples.length * 2)
  const view = new DataView(bytes.buffer)
  const text = (offset: number, value: string) => bytes.set(new TextEncoder().encode(value), offset)
  text(0, 'RIFF')
  view.setUint32(4, bytes.length - 8, true)
  text(8, 'WAVEfmt ')
  view.setUint32(16, 16, true)
  view.setUint16(20, 1, true)
  view.setUint16(22, 1, true)
  view.setUint32(24, wav.sampleRateHz, true)
  view.setUint32(28, wav.sampleRateHz * 2, true)
  view.setUint16(32, 2, true)
  view.setUint16(34, 16, true)
  text(36, 'data')
  view.setUint32(40, wav.samples.length * 2, true)
  new Int16Array(bytes.buffer, headerBytes).set(wav.samples)
  return bytes
}

/**
 * Reads 16-bit PCM; of several channels the first. Chunks other than `fmt ` and `data` are skipped, and a `data` chunk
 * that claims more than there is (a recorder that was cut off, a streamed header of 0xFFFFFFFF) ends with the file.
 * Fails with what is wrong and the cure.
 */
export function decodeWav(bytes: Uint8Array): Result<Wav, string> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const tag = (offset: number) => String.fromCharCode(...bytes.subarray(offset, offset + 4))
  if (bytes.length < 12 || tag(0) !== 'RIFF' || tag(8) !== 'WAVE') {
    return failed('not a WAV file: expected 16-bit PCM WAV')
  }
  let format: { channels: number; sampleRateHz: number } | undefined
  for (let offset = 12; offset + 8 <= bytes.length; ) {
    const size = view.getUint32(offset + 4, true)
    const body = offset + 8
    if (tag(offset) === 'fmt ' && body + 16 <= bytes.length) {
      const encoding = view.getUint16(body, true)
      const bits = view.getUint16(body + 14, true)
      // 0xFFFE is the extensible form; its first sub-format word says PCM when it is 1.
      const isPcm =
        encoding === 1 || (encoding === 0xfffe && body + 26 <= bytes.length && view.getUint16(body + 24, true) === 1)
      if (!isPcm || bits !== 16) {
        return failed(`WAV with encoding ${encoding} and ${bits} bits: convert it to 16-bit PCM first`)
      }
      format = { channels: view.getUint16(body + 2, true), sampleRateHz: view.getUint32(body + 4, true) }
      if (format.channels < 1 || format.sampleRateHz < 1) return failed('WAV header names no channel or no rate')
    }
    if (tag(offset) === 'data') {
      if (format === undefined) return failed('WAV has its data before its format')
      const { channels, sampleRateHz } = format
      const end = Math.min(body + size, bytes.length)
      const samples = new Int16Array(Math.floor((end - body) / (2 * channels)))
      for (let index = 0; index < samples.length; index += 1) {
        samples[index] = view.getInt16(body + index * 2 * channels, true)
      }
      return ok({ sampleRateHz, samples })
    }
    offset = body + size + (size & 1)
  }
  return failed('WAV without audio data')
}
