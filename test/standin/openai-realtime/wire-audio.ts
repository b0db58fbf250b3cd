import type { RealtimeAudioFormats } from 'openai/resources/realtime/realtime'
import type { SampleRateHz } from '#audio/format.ts'
import { decodeALaw, decodeMuLaw, encodeALaw, encodeMuLaw } from '#audio/g711.ts'

/** The three formats of the API: 16-bit at 24 kHz, little-endian, and both laws of G.711 at 8 kHz; mono all. */
export type FormatName = 'audio/pcm' | 'audio/pcmu' | 'audio/pcma'

export function formatName(format: RealtimeAudioFormats): FormatName {
  return format.type ?? 'audio/pcm'
}

export function rateHz(format: FormatName): SampleRateHz {
  return format === 'audio/pcm' ? 24_000 : 8000
}

export function bytesPerSample(format: FormatName): number {
  return format === 'audio/pcm' ? 2 : 1
}

/** @returns samples of their own, for PCM a copy: the bytes may lie at an odd place. */
export function decodeAudio(bytes: Uint8Array, format: FormatName): Int16Array {
  if (format === 'audio/pcm') {
    const samples = new Int16Array(bytes.length >> 1)
    new Uint8Array(samples.buffer).set(bytes.subarray(0, samples.length * 2))
    return samples
  }
  const samples = new Int16Array(bytes.length)
  if (format === 'audio/pcmu') decodeMuLaw(bytes, samples)
  else decodeALaw(bytes, samples)
  return samples
}

export function encodeAudio(samples: Int16Array, format: FormatName): Uint8Array {
  if (format === 'audio/pcm') return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength)
  const codes = new Uint8Array(samples.length)
  if (format === 'audio/pcmu') encodeMuLaw(samples, codes)
  else encodeALaw(samples, codes)
  return codes
}
