import { describe, expect, test } from 'bun:test'
import { decodeWav, encodeWav } from '#audio/wav.ts'

const ascii = (text: string) => [...Buffer.from(text, 'latin1')]
const u16 = (value: number) => [value & 0xff, value >> 8]
const u32 = (value: number) => [...u16(value & 0xffff), ...u16(value >>> 16)]
const chunk = (id: string, body: readonly number[], claimed = body.length) => [
  ...ascii(id),
  ...u32(claimed),
  ...body,
  ...(body.length % 2 === 1 ? [0] : []),
]
const wav = (...chunks: readonly (readonly number[])[]) => {
  const body = chunks.flat()
  return Uint8Array.from([...ascii('RIFF'), ...u32(body.length + 4), ...ascii('WAVE'), ...body])
}
/** encoding, channels, rate, byte rate, block align, bits. */
const format = (encoding: number, channels: number, rate: number, bits: number) => [
  ...u16(encoding),
  ...u16(channels),
  ...u32(rate),
  ...u32((rate * channels * bits) / 8),
  ...u16((channels * bits) / 8),
  ...u16(bits),
]
const pcm8k = chunk('fmt ', format(1, 1, 8000, 16))

function samplesOf(bytes: Uint8Array): number[] {
  const decoded = decodeWav(bytes)
  if (!decoded.ok) throw new Error(decoded.error)
  return [...decoded.value.samples]
}

describe('encodeWav', () => {
  test('is a header of 44 bytes and the samples, little-endian', () => {
    const bytes = encodeWav({ sampleRateHz: 16000, samples: Int16Array.of(1, -2, 0x0304) })
    expect([...bytes]).toEqual([
      ...ascii('RIFF'),
      ...u32(42),
      ...ascii('WAVEfmt '),
      ...u32(16),
      ...format(1, 1, 16000, 16),
      ...ascii('data'),
      ...u32(6),
      ...[1, 0, 0xfe, 0xff, 0x04, 0x03],
    ])
  })
})

describe('decodeWav', () => {
  test('reads what was encoded', () => {
    const samples = Int16Array.from({ length: 999 }, (_, n) => n * 60 - 30_000)
    expect(decodeWav(encodeWav({ sampleRateHz: 8000, samples }))).toEqual({
      ok: true,
      value: { sampleRateHz: 8000, samples },
    })
  })

  test('skips chunks it has no use for, odd ones with their padding', () => {
    const list = chunk('LIST', ascii('INFOx'))
    expect(samplesOf(wav(list, pcm8k, chunk('fact', [1, 2, 3, 4]), chunk('data', [1, 0, 2, 0])))).toEqual([1, 2])
  })

  test('reads a view in the middle of a larger buffer', () => {
    const whole = wav(pcm8k, chunk('data', [5, 0]))
    const padded = new Uint8Array(whole.length + 7)
    padded.set(whole, 3)
    expect(samplesOf(padded.subarray(3, 3 + whole.length))).toEqual([5])
  })

  test('of several channels takes the first', () => {
    const stereo = chunk('fmt ', format(1, 2, 8000, 16))
    expect(samplesOf(wav(stereo, chunk('data', [1, 0, 9, 9, 2, 0, 9, 9])))).toEqual([1, 2])
  })

  test('data that claims more than there is ends with the file', () => {
    expect(samplesOf(wav(pcm8k, chunk('data', [1, 0, 2, 0], 0xffffffff)))).toEqual([1, 2])
    expect(samplesOf(wav(pcm8k, chunk('data', [1, 0, 2], 100)).subarray(0, -1))).toEqual([1])
  })

  test('no samples are no error', () => {
    expect(samplesOf(wav(pcm8k, chunk('data', [])))).toEqual([])
  })

  test('the extensible form is read when its sub-format is PCM', () => {
    const extensible = (subFormat: number) =>
      chunk('fmt ', [
        ...format(0xfffe, 1, 8000, 16),
        ...u16(22),
        ...u16(16),
        ...u32(4),
        ...u16(subFormat),
        ...new Array<number>(14).fill(0),
      ])
    expect(samplesOf(wav(extensible(1), chunk('data', [7, 0])))).toEqual([7])
    expect(decodeWav(wav(extensible(3), chunk('data', [7, 0]))).ok).toBe(false)
    // Cut off before its sub-format: not known to be PCM.
    expect(decodeWav(wav(chunk('fmt ', format(0xfffe, 1, 8000, 16)))).ok).toBe(false)
  })

  const bad: [string, Uint8Array, string][] = [
    ['nothing', new Uint8Array(0), 'not a WAV file'],
    ['a few bytes', Uint8Array.from(ascii('RIFF')), 'not a WAV file'],
    ['an MP3', Uint8Array.from([0xff, 0xfb, ...new Array<number>(40).fill(0)]), 'not a WAV file'],
    ['RIFF of another kind', Uint8Array.from([...ascii('RIFF'), ...u32(4), ...ascii('AVI ')]), 'not a WAV file'],
    ['no chunks', wav(), 'without audio data'],
    ['a format and no data', wav(pcm8k), 'without audio data'],
    ['data before its format', wav(chunk('data', [1, 0]), pcm8k), 'before its format'],
    ['a format that is cut off', wav(chunk('fmt ', [1, 0], 16)), 'without audio data'],
    ['8 bits', wav(chunk('fmt ', format(1, 1, 8000, 8)), chunk('data', [1])), '8 bits'],
    ['24 bits', wav(chunk('fmt ', format(1, 1, 8000, 24)), chunk('data', [1, 2, 3])), '24 bits'],
    ['µ-law', wav(chunk('fmt ', format(7, 1, 8000, 8)), chunk('data', [1])), 'encoding 7'],
    ['floating point', wav(chunk('fmt ', format(3, 1, 8000, 32)), chunk('data', [1, 2, 3, 4])), 'encoding 3'],
    ['no channel', wav(chunk('fmt ', format(1, 0, 8000, 16)), chunk('data', [1, 0])), 'no channel'],
    ['no rate', wav(chunk('fmt ', format(1, 1, 0, 16)), chunk('data', [1, 0])), 'no rate'],
    ['a chunk that claims all of the world', wav(chunk('LIST', [1, 2], 0xffffffff), pcm8k), 'without audio data'],
  ]
  test.each(bad)('%s is refused, and why', (_name, bytes, why) => {
    const decoded = decodeWav(bytes)
    expect(decoded.ok ? '' : decoded.error).toContain(why)
  })
})
