import type { WireFormat } from '#audio/format.ts'
import { decodeALaw, decodeMuLaw, encodeALaw, encodeMuLaw } from '#audio/g711.ts'

/**
 * RTP as RFC 3550 writes it and Asterisk's UnicastRTP speaks it: one audio format that never changes, no RTCP, and
 * payload types of Asterisk's own choice (`main/rtp_engine.c`). All numbers, slin's samples too, are big-endian.
 */

export const headerBytes = 12
/** `RTP`'s reasons for not being taken; a metric label. */
export type Malformed = 'short' | 'version' | 'extension' | 'padding'

/** A packet that was read: numbers, and where its payload lies in the datagram. Reused from packet to packet. */
export interface RtpHeader {
  payloadType: number
  marker: boolean
  sequence: number
  timestamp: number
  ssrc: number
  payloadStart: number
  payloadEnd: number
}

export const emptyHeader = (): RtpHeader => ({
  payloadType: 0,
  marker: false,
  sequence: 0,
  timestamp: 0,
  ssrc: 0,
  payloadStart: 0,
  payloadEnd: 0,
})

/** Reads a datagram into `header`; answers what is wrong with it, or null. */
export function readHeader(bytes: Uint8Array, header: RtpHeader): Malformed | null {
  if (bytes.length < headerBytes) return 'short'
  const first = bytes[0] as number
  if (first >> 6 !== 2) return 'version'
  let start = headerBytes + (first & 15) * 4
  if (start > bytes.length) return 'short'
  if ((first & 0x10) !== 0) {
    // Four bytes of its own, then as many words as the last two of them say.
    if (start + 4 > bytes.length) return 'extension'
    start += 4 + uint16(bytes, start + 2) * 4
    if (start > bytes.length) return 'extension'
  }
  let end = bytes.length
  if ((first & 0x20) !== 0) {
    // The last byte counts the padding, itself included.
    const padding = bytes[end - 1] as number
    if (padding === 0 || end - padding < start) return 'padding'
    end -= padding
  }
  const second = bytes[1] as number
  header.marker = second >> 7 === 1
  header.payloadType = second & 127
  header.sequence = uint16(bytes, 2)
  header.timestamp = uint32(bytes, 4)
  header.ssrc = uint32(bytes, 8)
  header.payloadStart = start
  header.payloadEnd = end
  return null
}

/** Writes the twelve bytes of a header without extension, padding or contributors. */
export function writeHeader(
  bytes: Uint8Array,
  payloadType: number,
  marker: boolean,
  sequence: number,
  timestamp: number,
  ssrc: number,
): void {
  bytes[0] = 0x80
  bytes[1] = (marker ? 0x80 : 0) | payloadType
  bytes[2] = sequence >> 8
  bytes[3] = sequence
  for (let index = 0; index < 4; index += 1) {
    bytes[4 + index] = timestamp >>> (24 - 8 * index)
    bytes[8 + index] = ssrc >>> (24 - 8 * index)
  }
}

const uint16 = (bytes: Uint8Array, at: number) => ((bytes[at] as number) << 8) | (bytes[at + 1] as number)
const uint32 = (bytes: Uint8Array, at: number) => uint16(bytes, at) * 65_536 + uint16(bytes, at + 2)

/** How one wire format travels. */
export interface Payload {
  readonly sends: number
  readonly takes: readonly number[]
  readonly bytesPerSample: number
  /**
   * Samples of 20 ms are sent in this many packets. slin48's 1920 bytes would be fragmented by a network of 1500 bytes,
   * and a fragment lost is a packet lost: two packets of 10 ms, 972 bytes each, are not.
   */
  readonly packetsPerFrame: number
  /** Fills `target` from the start. */
  encode(samples: Int16Array, target: Uint8Array): void
  decode(bytes: Uint8Array, target: Int16Array): void
}

/** By Asterisk's table: 10 and 11 are 8 kHz mono here, and not RFC 3551's 44.1 kHz. */
export const payloads: Readonly<Record<WireFormat, Payload>> = {
  ulaw: { ...oneByte(0), encode: encodeMuLaw, decode: decodeMuLaw },
  alaw: { ...oneByte(8), encode: encodeALaw, decode: decodeALaw },
  slin: linear(10, [10, 11], 1),
  slin16: linear(118, [118], 1),
  slin24: linear(123, [123], 1),
  slin48: linear(126, [126], 2),
}

function oneByte(type: number) {
  return { sends: type, takes: [type], bytesPerSample: 1, packetsPerFrame: 1 }
}

function linear(sends: number, takes: readonly number[], packetsPerFrame: number): Payload {
  return { sends, takes, bytesPerSample: 2, packetsPerFrame, encode: encodeLinear, decode: decodeLinear }
}

function encodeLinear(samples: Int16Array, target: Uint8Array): void {
  for (let index = 0; index < samples.length; index += 1) {
    const sample = samples[index] as number
    target[2 * index] = sample >> 8
    target[2 * index + 1] = sample
  }
}

function decodeLinear(bytes: Uint8Array, target: Int16Array): void {
  // An Int16Array keeps the low 16 bits, which is what makes the upper half negative.
  for (let index = 0; 2 * index + 1 < bytes.length; index += 1) target[index] = uint16(bytes, 2 * index)
}

/** Asterisk's payload type for RFC 4733. */
export const telephoneEventType = 101
const eventDigits = '0123456789*#ABCD'

/**
 * Digits out of telephone events. A key press is many packets, all with the timestamp of its beginning; it is a digit
 * once, with the first of them that arrives.
 */
export class TelephoneEvents {
  private timestamp = -1

  /** The digit that begins with this packet; null for the others, and for events that are no digit. */
  digit(timestamp: number, payload: Uint8Array): string | null {
    if (payload.length < 4) return null
    // What is older than the last event is one of its predecessors, delayed.
    if (this.timestamp >= 0 && ((timestamp - this.timestamp) | 0) <= 0) return null
    const digit = eventDigits[payload[0] as number]
    if (digit === undefined) return null
    this.timestamp = timestamp
    return digit
  }

  /** Another sender: its timestamps mean nothing beside those before. */
  reset(): void {
    this.timestamp = -1
  }
}
