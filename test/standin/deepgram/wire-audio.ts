import { decodeALaw, decodeMuLaw, encodeALaw, encodeMuLaw } from '#audio/g711.ts'

/** What travels on Deepgram's sockets, of all that it takes: raw samples, 16-bit little-endian or G.711; mono. */
export const rawEncodings = ['linear16', 'mulaw', 'alaw'] as const
export type RawEncoding = (typeof rawEncodings)[number]

export interface WireAudio {
  readonly encoding: RawEncoding
  readonly sampleRateHz: number
}

export function bytesPerSample({ encoding }: WireAudio): number {
  return encoding === 'linear16' ? 2 : 1
}

export function durationMs(bytes: number, audio: WireAudio): number {
  return (bytes * 1000) / bytesPerSample(audio) / audio.sampleRateHz
}

/** @returns samples of their own, for linear16 a copy: the bytes may lie at an odd place. */
export function decodeAudio(bytes: Uint8Array, { encoding }: WireAudio): Int16Array {
  if (encoding === 'linear16') {
    const samples = new Int16Array(bytes.length >> 1)
    new Uint8Array(samples.buffer).set(bytes.subarray(0, samples.length * 2))
    return samples
  }
  const samples = new Int16Array(bytes.length)
  if (encoding === 'mulaw') decodeMuLaw(bytes, samples)
  else decodeALaw(bytes, samples)
  return samples
}

export function encodeAudio(samples: Int16Array, { encoding }: WireAudio): Uint8Array {
  if (encoding === 'linear16') return new Uint8Array(samples.slice().buffer)
  const codes = new Uint8Array(samples.length)
  if (encoding === 'mulaw') encodeMuLaw(samples, codes)
  else encodeALaw(samples, codes)
  return codes
}
