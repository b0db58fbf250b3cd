import type { SampleRateHz } from '#audio/format.ts'

/**
 * The AudioSocket wire: bytes ↔ messages, no sockets here.
 *
 *   offset 0   kind, one byte
 *   offset 1   payload length, unsigned, big-endian
 *   offset 3   payload; PCM in it is 16-bit signed little-endian mono
 *
 * Asterisk is always the TCP client. Source: Asterisk's res_audiosocket.c; see docs/asterisk.md for what was seen.
 */
export const kind = {
  /** Engine → Asterisk only: end the leg. Asterisk itself just closes. */
  terminate: 0x00,
  /** Asterisk → engine, exactly once, first: 16 raw bytes. */
  uuid: 0x01,
  /** Asterisk → engine: one ASCII digit. Sending it back would end the leg. */
  dtmf: 0x03,
  slin8: 0x10,
  slin16: 0x12,
  slin24: 0x13,
  slin48: 0x16,
  /** On paper Asterisk → engine; no Asterisk seen sends it. */
  error: 0xff,
} as const

export const headerBytes = 3
const uuidBytes = 16
/** 20 ms at 192 kHz, the fastest slin Asterisk has, are 7,680 bytes; more than this is no audio frame. */
export const payloadBytesMax = 8192

// keyed by: message kind
const rateByKind: ReadonlyMap<number, SampleRateHz> = new Map([
  [kind.slin8, 8000],
  [kind.slin16, 16000],
  [kind.slin24, 24000],
  [kind.slin48, 48000],
])

/** What the peer did that the protocol does not allow; a metric label. */
export type Violation =
  | 'first_message_not_uuid'
  | 'bad_uuid_length'
  | 'second_uuid'
  | 'oversized_payload'
  | 'bad_dtmf'
  | 'peer_error'
  | 'unexpected_rate'
  | 'flood'

export interface MessageHandler {
  uuid(uuid: string): void
  /** `pcm` is a view that is only valid during the call; its length may be odd. */
  audio(sampleRateHz: SampleRateHz, pcm: Uint8Array): void
  dtmf(digit: string): void
  terminated(): void
  /** Kinds a later Asterisk may add are skipped, and counted. */
  unknown(messageKind: number): void
  /** The stream cannot be trusted any more: nothing further is parsed. */
  violation(violation: Violation): void
}

/**
 * Takes reads split at any place. A message that lies whole inside one read is handed on as a view of it; only one that
 * straddles two reads is copied.
 */
export class AudioSocketParser {
  private readonly handler: MessageHandler
  private readonly partial = new Uint8Array(headerBytes + payloadBytesMax)
  private filled = 0
  private identified = false
  private broken = false

  /** `from`: whose messages these are. Asterisk must say its UUID first; the engine never sends one. */
  constructor(handler: MessageHandler, from: 'asterisk' | 'engine' = 'asterisk') {
    this.handler = handler
    this.identified = from === 'engine'
  }

  push(chunk: Uint8Array): void {
    let offset = 0
    while (offset < chunk.length && !this.broken) {
      if (this.filled === 0 && chunk.length - offset >= headerBytes) {
        const length = payloadLength(chunk, offset)
        if (this.refused(chunk[offset] as number, length)) return
        const end = offset + headerBytes + length
        if (end <= chunk.length) {
          this.deliver(chunk[offset] as number, chunk.subarray(offset + headerBytes, end))
          offset = end
          continue
        }
      }
      const wanted = this.filled < headerBytes ? headerBytes : headerBytes + payloadLength(this.partial, 0)
      const take = Math.min(wanted - this.filled, chunk.length - offset)
      this.partial.set(chunk.subarray(offset, offset + take), this.filled)
      this.filled += take
      offset += take
      if (this.filled < headerBytes) continue
      const length = payloadLength(this.partial, 0)
      if (this.refused(this.partial[0] as number, length)) return
      if (this.filled < headerBytes + length) continue
      this.filled = 0
      this.deliver(this.partial[0] as number, this.partial.subarray(headerBytes, headerBytes + length))
    }
  }

  /** True when the header alone already breaks the protocol. */
  private refused(messageKind: number, length: number): boolean {
    if (length > payloadBytesMax) this.fail('oversized_payload')
    else if (!this.identified && messageKind !== kind.uuid) this.fail('first_message_not_uuid')
    else if (messageKind === kind.uuid && length !== uuidBytes) this.fail('bad_uuid_length')
    return this.broken
  }

  private fail(violation: Violation): void {
    this.broken = true
    this.handler.violation(violation)
  }

  private deliver(messageKind: number, payload: Uint8Array): void {
    const rate = rateByKind.get(messageKind)
    if (rate !== undefined) {
      this.handler.audio(rate, payload)
      return
    }
    switch (messageKind) {
      case kind.uuid:
        if (this.identified) return this.fail('second_uuid')
        this.identified = true
        return this.handler.uuid(formatUuid(payload))
      case kind.dtmf: {
        const digit = String.fromCharCode(payload[0] ?? 0)
        if (payload.length !== 1 || !/^[0-9*#A-Da-d]$/.test(digit)) return this.fail('bad_dtmf')
        return this.handler.dtmf(digit.toUpperCase())
      }
      case kind.terminate:
        return this.handler.terminated()
      case kind.error:
        return this.fail('peer_error')
      default:
        return this.handler.unknown(messageKind)
    }
  }
}

function payloadLength(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset + 1] as number) << 8) | (bytes[offset + 2] as number)
}

/** The 3 bytes that must precede every close: an older Asterisk does not notice a bare TCP close. */
export const terminateMessage: Uint8Array = new Uint8Array([kind.terminate, 0, 0])

export function uuidMessage(uuid: string): Uint8Array {
  const message = new Uint8Array(headerBytes + uuidBytes)
  message[0] = kind.uuid
  message[2] = uuidBytes
  const hex = uuid.replaceAll('-', '')
  for (let index = 0; index < uuidBytes; index += 1) {
    message[headerBytes + index] = Number.parseInt(hex.slice(index * 2, index * 2 + 2), 16)
  }
  return message
}

export function dtmfMessage(digit: string): Uint8Array {
  return new Uint8Array([kind.dtmf, 0, 1, digit.charCodeAt(0)])
}

const kindByRate = { 8000: kind.slin8, 16000: kind.slin16, 24000: kind.slin24, 48000: kind.slin48 } as const

/** Bytes of one audio message of so many samples. */
export function audioMessageBytes(samples: number): number {
  return headerBytes + samples * 2
}

/** Writes one audio message into `target` at `offset`; at most 4,096 samples. Returns the offset behind it. */
export function writeAudioMessage(
  target: Uint8Array,
  offset: number,
  sampleRateHz: SampleRateHz,
  samples: Int16Array,
): number {
  const payloadBytes = samples.length * 2
  target[offset] = kindByRate[sampleRateHz]
  target[offset + 1] = payloadBytes >> 8
  target[offset + 2] = payloadBytes & 0xff
  // Every machine Bun runs on is little-endian, as the wire is.
  target.set(new Uint8Array(samples.buffer, samples.byteOffset, payloadBytes), offset + headerBytes)
  return offset + headerBytes + payloadBytes
}

/** Canonical lower case, as it was written into the dialplan or the ARI request. */
function formatUuid(bytes: Uint8Array): string {
  let hex = ''
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
