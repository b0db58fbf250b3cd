// Reading and writing the one kind of WAV that telephony needs: 16-bit linear samples, one channel.

export interface WavAudio {
  readonly sampleRateHz: number
  readonly samples: Int16Array
}

const HEADER_BYTES = 44
const PCM = 1

/**
 * Reads a mono 16-bit WAV. A data chunk longer than the file is cut to what is there, because a recording that
 * was killed never got its length written.
 * @throws Error when the bytes are something else.
 */
export function parseWav(bytes: Uint8Array): WavAudio {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (tag(bytes, 0) !== 'RIFF' || tag(bytes, 8) !== 'WAVE') throw new Error('not a WAV file')
  let sampleRateHz = 0
  for (let at = 12; at + 8 <= bytes.length; ) {
    const sizeBytes = view.getUint32(at + 4, true)
    const body = at + 8
    if (tag(bytes, at) === 'fmt ') {
      const [format, channels, bits] = [
        view.getUint16(body, true),
        view.getUint16(body + 2, true),
        view.getUint16(body + 14, true),
      ]
      if (format !== PCM || channels !== 1 || bits !== 16) {
        throw new Error(`a WAV of format ${format}, ${channels} channels, ${bits} bits; wanted 16-bit mono`)
      }
      sampleRateHz = view.getUint32(body + 4, true)
    } else if (tag(bytes, at) === 'data') {
      const there = bytes.length - body
      // Length 0 with bytes behind it is an unfinished recording.
      const dataBytes = sizeBytes === 0 ? there : Math.min(sizeBytes, there)
      const samples = new Int16Array(dataBytes >> 1)
      for (let i = 0; i < samples.length; i++) samples[i] = view.getInt16(body + i * 2, true)
      return { sampleRateHz, samples }
    }
    at = body + sizeBytes + (sizeBytes & 1)
  }
  throw new Error('a WAV file without samples')
}

export function encodeWav(audio: WavAudio): Uint8Array {
  const dataBytes = audio.samples.length * 2
  const bytes = new Uint8Array(HEADER_BYTES + dataBytes)
  const view = new DataView(bytes.buffer)
  const put = (at: number, text: string) => bytes.set(new TextEncoder().encode(text), at)
  put(0, 'RIFF')
  view.setUint32(4, HEADER_BYTES - 8 + dataBytes, true)
  put(8, 'WAVEfmt ')
  view.setUint32(16, 16, true)
  view.setUint16(20, PCM, true)
  view.setUint16(22, 1, true)
  view.setUint32(24, audio.sampleRateHz, true)
  view.setUint32(28, audio.sampleRateHz * 2, true)
  view.setUint16(32, 2, true)
  view.setUint16(34, 16, true)
  put(36, 'data')
  view.setUint32(40, dataBytes, true)
  for (let i = 0; i < audio.samples.length; i++) view.setInt16(HEADER_BYTES + i * 2, audio.samples[i] ?? 0, true)
  return bytes
}

export async function readWav(path: string): Promise<WavAudio> {
  return parseWav(new Uint8Array(await Bun.file(path).arrayBuffer()))
}

export async function writeWav(path: string, audio: WavAudio): Promise<void> {
  await Bun.write(path, encodeWav(audio))
}

/**
 * Whether the recorder has closed the file: Asterisk writes the length into the header only then.
 * An empty recording looks unfinished for ever; callers bring a deadline.
 */
export async function isWavFinished(path: string): Promise<boolean> {
  const file = Bun.file(path)
  if (!(await file.exists()) || file.size <= HEADER_BYTES) return false
  const head = new DataView(await file.slice(0, HEADER_BYTES).arrayBuffer())
  if (head.byteLength < HEADER_BYTES) return false
  const dataBytes = head.getUint32(40, true)
  return dataBytes > 0 && dataBytes + HEADER_BYTES <= file.size
}

function tag(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4))
}
