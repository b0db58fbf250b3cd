import { type WireFormat, wireRatesHz } from '#audio/format.ts'
import type { Transport } from './leg.ts'

/**
 * The alignment audit: every conversion that audio goes through between the caller's telephone and the provider, told at
 * the start of a call, and the ones that could be spared. Most "chipmunk", "noise" and "muffled" reports of such systems
 * are two places that disagree about a rate; here each stage names its own.
 */
export interface AlignmentFacts {
  readonly transport: Transport
  readonly wire: WireFormat
  /** Asterisk's name of the caller's codec; null where it is not known. */
  readonly callerCodec: string | null
  readonly providerName: string
  readonly providerInputHz: number
  readonly providerOutputHz: number
}

export interface Alignment {
  /** The stages in order, caller to provider and back. */
  readonly path: string
  /** What could be spared, each with the key to turn. */
  readonly needless: readonly string[]
}

/** Rates of Asterisk's codecs (main/codec_builtin.c); what is not here is not judged. */
const codecRatesHz: Readonly<Record<string, number>> = {
  ulaw: 8000,
  alaw: 8000,
  gsm: 8000,
  g729: 8000,
  g723: 8000,
  g726: 8000,
  g726aal2: 8000,
  ilbc: 8000,
  adpcm: 8000,
  lpc10: 8000,
  speex: 8000,
  slin: 8000,
  g722: 16000,
  speex16: 16000,
  siren7: 16000,
  slin16: 16000,
  slin24: 24000,
  siren14: 32000,
  speex32: 32000,
  slin32: 32000,
  opus: 48000,
  slin48: 48000,
}

/** By their rate. Over RTP there is only the first: Asterisk takes no other from a channel without SDP. */
const wideFormats = ['slin', 'slin16', 'slin24', 'slin48'] as const satisfies readonly WireFormat[]

const formatKeys: Readonly<Record<Transport, string>> = {
  audiosocket: 'audiosocket.format',
  externalmedia: 'external_media.format',
  websocket: 'media_websocket.format',
}

export function align(facts: AlignmentFacts): Alignment {
  const { callerCodec, wire, providerInputHz, providerOutputHz, providerName } = facts
  const wireHz = wireRatesHz[wire]
  const coding = (from: string, to: string) => (from === to ? '' : ' (converted by Asterisk)')
  const caller = callerCodec ?? 'unknown codec'
  const rate = (from: number, to: number) => (from === to ? '' : ` (resampled ${from} → ${to} Hz)`)
  const path =
    `in: caller ${caller} → wire ${wire}${coding(caller, wire)} → ${providerName} ${providerInputHz} Hz${rate(wireHz, providerInputHz)}; ` +
    `out: ${providerName} ${providerOutputHz} Hz → wire ${wire}${rate(providerOutputHz, wireHz)} → caller ${caller}${coding(wire, caller)}`
  return { path, needless: needless(facts, wireHz) }
}

function needless(facts: AlignmentFacts, wireHz: number): string[] {
  const { callerCodec, wire, transport, providerInputHz, providerOutputHz } = facts
  const callerHz = callerCodec === null ? undefined : codecRatesHz[callerCodec]
  const key = formatKeys[transport]
  const found: string[] = []
  if (callerHz === undefined) return found
  const laws = ['ulaw', 'alaw']
  if (laws.includes(wire) && laws.includes(callerCodec ?? '') && wire !== callerCodec) {
    found.push(`the caller speaks ${callerCodec} and the wire ${wire}: ${key}: ${callerCodec} spares a conversion`)
  }
  const providerHz = Math.max(providerInputHz, providerOutputHz)
  const best = bestFormat(Math.min(callerHz, providerHz))
  const bestHz = wireRatesHz[best]
  if (wireHz > callerHz && providerHz <= callerHz && bestHz < wireHz) {
    found.push(
      `the wire has ${wireHz} Hz between a caller and a provider of at most ${callerHz}: ${key}: ${best} spares two conversions`,
    )
  }
  if (wireHz < callerHz && providerHz > wireHz && bestHz > wireHz) {
    const cure =
      transport === 'externalmedia'
        ? `RTP carries no more: audio_transport: audiosocket (or websocket) with ${formatKeys.audiosocket}: ${best}`
        : `${key}: ${best}`
    found.push(
      `the caller’s telephone has ${callerHz} Hz and the provider ${providerHz}, but the wire only ${wireHz}: ${cure} keeps what is above ${wireHz / 2000} kHz`,
    )
  }
  return found
}

/** The narrowest format that carries this rate whole; the widest where none does. */
function bestFormat(rateHz: number): WireFormat {
  return wideFormats.find((format) => wireRatesHz[format] >= rateHz) ?? 'slin48'
}
