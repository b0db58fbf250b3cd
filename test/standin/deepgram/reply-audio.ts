import { resampleWhole } from '#audio/resample.ts'
import { tonePattern } from '../tone-pattern.ts'
import type { Reply } from './options.ts'
import { encodeAudio, type WireAudio } from './wire-audio.ts'

/** Speech as it goes over the wire: cut into chunks and encoded, once for all sessions that say it. */
export interface EncodedSpeech {
  readonly chunks: readonly EncodedChunk[]
  readonly durationMs: number
}

export interface EncodedChunk {
  readonly bytes: Uint8Array
  readonly startMs: number
  readonly durationMs: number
}

const msPerLetter = 60
const nothing: EncodedSpeech = { chunks: [], durationMs: 0 }

export class SpeechEncoder {
  private readonly chunkMs: number
  // keyed by: the reply, which a script says again and again; what no script holds any more is forgotten
  private readonly made = new WeakMap<Reply, Map<string, EncodedSpeech>>()

  constructor(chunkMs: number) {
    this.chunkMs = chunkMs
  }

  /**
   * @param number which speech it is, for the tones of one that has no sound of its own
   * @param text what is said where the reply itself has no words
   */
  encoded(reply: Reply, number: number, audio: WireAudio, text = reply.text): EncodedSpeech {
    if (text === undefined && reply.audio === undefined && reply.ms === undefined) return nothing
    let formats = this.made.get(reply)
    if (formats === undefined) {
      formats = new Map()
      this.made.set(reply, formats)
    }
    const samples = () => soundOf(reply, number, audio.sampleRateHz, text ?? '')
    const letters = reply.ms === undefined ? (text ?? '').length : 0
    // A sound of its own is the same whichever reply it is.
    const which = reply.audio === undefined ? `${number} ${letters}` : ''
    const key = `${audio.encoding} ${audio.sampleRateHz} ${which}`
    const known = formats.get(key) ?? encode(samples(), audio, this.chunkMs)
    formats.set(key, known)
    return known
  }
}

export function soundOf(reply: Reply, number: number, sampleRateHz: number, text: string): Int16Array {
  if (reply.audio !== undefined) return resampleWhole(reply.audio.samples, reply.audio.sampleRateHz, sampleRateHz)
  return tonePattern(number, reply.ms ?? text.length * msPerLetter, sampleRateHz)
}

function encode(samples: Int16Array, audio: WireAudio, chunkMs: number): EncodedSpeech {
  const rate = audio.sampleRateHz
  const perChunk = Math.max(1, Math.round((chunkMs * rate) / 1000))
  const chunks: EncodedChunk[] = []
  for (let start = 0; start < samples.length; start += perChunk) {
    const part = samples.subarray(start, start + perChunk)
    chunks.push({
      bytes: encodeAudio(part, audio),
      startMs: (start * 1000) / rate,
      durationMs: (part.length * 1000) / rate,
    })
  }
  return { chunks, durationMs: (samples.length * 1000) / rate }
}
