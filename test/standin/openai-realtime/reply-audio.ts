import { resampleWhole } from '#audio/resample.ts'
import { tonePattern } from '../tone-pattern.ts'
import type { Reply } from './options.ts'
import { encodeAudio, type FormatName, rateHz } from './wire-audio.ts'

/** A reply as it goes over the wire: cut into deltas and encoded, once for all sessions that say it. */
export interface EncodedReply {
  readonly deltas: readonly EncodedDelta[]
  readonly durationMs: number
}

export interface EncodedDelta {
  readonly base64: string
  readonly startMs: number
  readonly durationMs: number
}

const msPerLetter = 60
const nothing: EncodedReply = { deltas: [], durationMs: 0 }

export class ReplyEncoder {
  private readonly deltaMs: number
  // keyed by: the reply, which a script says again and again; what no script holds any more is forgotten
  private readonly made = new WeakMap<Reply, Map<string, EncodedReply>>()

  constructor(deltaMs: number) {
    this.deltaMs = deltaMs
  }

  /** @param number which reply it is, for the tones of one that has no sound of its own */
  encoded(reply: Reply, number: number, format: FormatName): EncodedReply {
    if (reply.text === undefined && reply.audio === undefined && reply.ms === undefined) return nothing
    let formats = this.made.get(reply)
    if (formats === undefined) {
      formats = new Map()
      this.made.set(reply, formats)
    }
    // A sound of its own is the same whichever reply it is.
    const key = reply.audio === undefined ? `${format} ${number}` : format
    const known = formats.get(key) ?? encode(soundOf(reply, number, format), format, this.deltaMs)
    formats.set(key, known)
    return known
  }
}

function soundOf(reply: Reply, number: number, format: FormatName): Int16Array {
  const rate = rateHz(format)
  if (reply.audio !== undefined) return resampleWhole(reply.audio.samples, reply.audio.sampleRateHz, rate)
  return tonePattern(number, reply.ms ?? (reply.text?.length ?? 0) * msPerLetter, rate)
}

function encode(samples: Int16Array, format: FormatName, deltaMs: number): EncodedReply {
  const rate = rateHz(format)
  const perDelta = Math.max(1, Math.round((deltaMs * rate) / 1000))
  const deltas: EncodedDelta[] = []
  for (let start = 0; start < samples.length; start += perDelta) {
    const part = samples.subarray(start, start + perDelta)
    deltas.push({
      base64: encodeAudio(part, format).toBase64(),
      startMs: (start * 1000) / rate,
      durationMs: (part.length * 1000) / rate,
    })
  }
  return { deltas, durationMs: (samples.length * 1000) / rate }
}
