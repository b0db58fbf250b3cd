import { describe, expect, test } from 'bun:test'
import { encodeWav } from '#audio/wav.ts'
import { PcmBytes, WavStream } from '#audio/wav-stream.ts'

const samples = Int16Array.from({ length: 500 }, (_, index) => index * 37 - 9000)

/** All that comes out of reads of this size. */
function read(bytes: Uint8Array, size: number): { rateHz: number; samples: number[] } | string {
  const stream = new WavStream()
  const all: number[] = []
  let rateHz = 0
  for (let offset = 0; offset < bytes.length; offset += size) {
    const piece = stream.push(bytes.subarray(offset, offset + size))
    if (!piece.ok) return piece.error
    rateHz = piece.value.sampleRateHz
    all.push(...piece.value.samples)
  }
  return { rateHz, samples: all }
}

describe('WAV as it comes', () => {
  const whole = encodeWav({ sampleRateHz: 22_050, samples })

  test.each([1, 2, 3, 43, 44, 45, 7, 10_000])('in reads of %i bytes', (size) => {
    expect(read(whole, size)).toEqual({ rateHz: 22_050, samples: [...samples] })
  })

  test('of unknown length goes to its end; of a known one what follows the samples is no sound', () => {
    for (const length of [0, 0xffffffff, 0xffffffff - 36]) {
      const bytes = whole.slice()
      new DataView(bytes.buffer).setUint32(40, length, true)
      expect(read(bytes, 100)).toEqual({ rateHz: 22_050, samples: [...samples] })
    }
    const longer = new Uint8Array([...whole, ...new TextEncoder().encode('LIST....INFO')])
    expect(read(longer, 100)).toEqual({ rateHz: 22_050, samples: [...samples] })
  })

  test('with other chunks before the samples', () => {
    const list = Uint8Array.of(76, 73, 83, 84, 3, 0, 0, 0, 1, 2, 3, 0)
    const bytes = new Uint8Array([...whole.subarray(0, 36), ...list, ...whole.subarray(36)])
    expect(read(bytes, 5)).toEqual({ rateHz: 22_050, samples: [...samples] })
  })

  test('what cannot be spoken is refused', () => {
    expect(read(new TextEncoder().encode('{"error":"no such voice"}'), 100)).toBe('not a WAV file')
    const stereo = whole.slice()
    new DataView(stereo.buffer).setUint16(22, 2, true)
    expect(read(stereo, 100)).toMatch(/2 channels/)
    const float = whole.slice()
    new DataView(float.buffer).setUint16(20, 3, true)
    expect(read(float, 100)).toMatch(/encoding 3/)
    const endless = new Uint8Array(70_000)
    endless.set(whole.subarray(0, 12))
    new DataView(endless.buffer).setUint32(16, 1_000_000, true)
    expect(read(endless, 1000)).toBe('a WAV header without an end')
  })
})

test('samples whose bytes come apart', () => {
  const bytes = new Uint8Array(samples.buffer)
  for (const size of [1, 2, 3, 5, 1000]) {
    const pcm = new PcmBytes()
    const all: number[] = []
    for (let offset = 0; offset < bytes.length; offset += size)
      all.push(...pcm.push(bytes.subarray(offset, offset + size)), ...pcm.push(new Uint8Array(0)))
    expect(all).toEqual([...samples])
  }
})
