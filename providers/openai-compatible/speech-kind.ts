/**
 * What the body of a voice's answer is, by its first bytes. Pure. Any bytes may be raw samples, so what is told from them
 * must hold by more than chance: a text of 16 characters, a second MPEG frame where the first one ends. What the server
 * says of it (`content-type`) makes less enough, and is not believed alone, since servers name raw samples by the kind
 * that they usually send.
 *
 * Frames: ISO/IEC 11172-3 and 13818-3 (MPEG audio), 13818-7 (ADTS).
 */
export type SpeechKind = 'wav' | 'raw' | 'text' | 'compressed' | 'unknown_yet'

/** No frame that is looked for is longer. */
const frameBytesMax = 2048
const textBytes = 16
const magicBytes = 4

/** @param head of the body, all of it that has come @param contentType null: the server says nothing of it */
export function speechKind(head: Uint8Array, contentType: string | null): SpeechKind {
  if (head.length < magicBytes) return 'unknown_yet'
  const magic = String.fromCharCode(...head.subarray(0, magicBytes))
  if (magic === 'RIFF') return 'wav'
  if (magic === 'OggS' || magic === 'fLaC' || magic.startsWith('ID3') || magic === '\x1aE\xdf\xa3') return 'compressed'
  if (/^[{<]/.test(magic) || isTextType(contentType)) return textOrRaw(head)
  const frameBytes = mpegFrameBytes(head) ?? adtsFrameBytes(head)
  if (frameBytes === null || frameBytes > frameBytesMax) return 'raw'
  if (isCompressedType(contentType)) return 'compressed'
  if (head.length < frameBytes + 2) return 'unknown_yet'
  const isSync = head[frameBytes] === 0xff && head[frameBytes + 1] === head[1]
  return isSync ? 'compressed' : 'raw'
}

function textOrRaw(head: Uint8Array): SpeechKind {
  if (!isText(head)) return 'raw'
  return head.length < textBytes ? 'unknown_yet' : 'text'
}

/** Nothing but characters of UTF-8, as far as it is looked at; the last may be cut. Samples are none for so long. */
export function isText(head: Uint8Array): boolean {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(head.subarray(0, textBytes), { stream: true })
    return !/\p{Cc}/v.test(text.replace(/[\t\r\n]/g, ''))
  } catch {
    return false
  }
}

const isTextType = (type: string | null): boolean =>
  type !== null && /^(text\/|application\/(problem\+)?json)/i.test(type)
const isCompressedType = (type: string | null): boolean =>
  type !== null && /^(audio|video|application)\/(x-)?(mpeg|mp3|mp4|m4a|aac|ogg|opus|flac|webm)/i.test(type)

const bitratesOfMpeg1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320]
const bitratesOfMpeg2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]
const ratesHz = [44_100, 48_000, 32_000]

/** Of a layer III frame that begins here; null where none does. */
function mpegFrameBytes(head: Uint8Array): number | null {
  const [sync, kind = 0, rates = 0] = head
  const version = (kind >> 3) & 3
  if (sync !== 0xff || (kind & 0xe6) !== 0xe2 || version === 1) return null
  const bitrate = (version === 3 ? bitratesOfMpeg1 : bitratesOfMpeg2)[rates >> 4] ?? 0
  const rateHz = ratesHz[(rates >> 2) & 3]
  if (bitrate === 0 || rateHz === undefined) return null
  // MPEG-2 has half of the rates, and MPEG-2.5 a quarter; their frames have half as many samples.
  const divisor = version === 3 ? 1 : version === 2 ? 2 : 4
  const slots = (version === 3 ? 144_000 : 72_000) * bitrate
  return Math.floor(slots / (rateHz / divisor)) + ((rates >> 1) & 1)
}

/** Of an ADTS frame of AAC that begins here; null where none does. */
function adtsFrameBytes(head: Uint8Array): number | null {
  const [sync, kind = 0, profile = 0, high = 0, middle = 0, low = 0] = head
  if (sync !== 0xff || (kind & 0xf6) !== 0xf0 || ((profile >> 2) & 15) > 12) return null
  const bytes = ((high & 3) << 11) | (middle << 3) | (low >> 5)
  return bytes < 7 ? null : bytes
}
