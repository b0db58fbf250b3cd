import { describe, expect, test } from 'bun:test'
import { aLawSilence, decodeALaw, decodeMuLaw, encodeALaw, encodeMuLaw, muLawSilence } from '#audio/g711.ts'

/**
 * The tables of ITU-T G.711, written down from the Recommendation: tables 1a (A-law) and 2a (µ-law), positive values. A
 * row is a segment: its intervals' number and size, and the value at which it ends (13 and 14 bits: ±4096, ±8159).
 */
const aLawSegments = [
  { intervals: 32, size: 2, end: 64 },
  { intervals: 16, size: 4, end: 128 },
  { intervals: 16, size: 8, end: 256 },
  { intervals: 16, size: 16, end: 512 },
  { intervals: 16, size: 32, end: 1024 },
  { intervals: 16, size: 64, end: 2048 },
  { intervals: 16, size: 128, end: 4096 },
]
const muLawSegments = [
  { intervals: 1, size: 1, end: 1 },
  { intervals: 15, size: 2, end: 31 },
  { intervals: 16, size: 4, end: 95 },
  { intervals: 16, size: 8, end: 223 },
  { intervals: 16, size: 16, end: 479 },
  { intervals: 16, size: 32, end: 991 },
  { intervals: 16, size: 64, end: 2015 },
  { intervals: 16, size: 128, end: 4063 },
  { intervals: 16, size: 256, end: 8159 },
]

/** Decision values x(n) and quantised values y(n) of all 128 intervals, as the tables count them. */
function intervals(segments: readonly { intervals: number; size: number; end: number }[]) {
  const all: { from: number; to: number; value: number }[] = []
  let from = 0
  for (const segment of segments) {
    for (let index = 0; index < segment.intervals; index += 1) {
      const to = from + segment.size
      all.push({ from, to, value: (from + to) / 2 })
      from = to
    }
    expect(from).toBe(segment.end)
  }
  expect(all.length).toBe(128)
  return all
}

/** Table 1a: character signals, with the even bits inverted as note 2 says. Positive values begin with 1. */
const aLawCharacter = (number: number, negative: boolean) => ((negative ? 0 : 0x80) | number) ^ 0x55
/** Table 2a: all bits are ones for the smallest positive value, and count downwards. */
const muLawCharacter = (number: number, negative: boolean) => (negative ? 0x7f : 0xff) - number

const every16Bits = Int16Array.from({ length: 65_536 }, (_, index) => index - 32_768)

describe('A-law', () => {
  const table = intervals(aLawSegments)

  test('codes all 65,536 values as table 1 says', () => {
    const codes = new Uint8Array(65_536)
    encodeALaw(every16Bits, codes)
    for (let index = 0; index < every16Bits.length; index += 1) {
      const value = every16Bits[index] as number
      // 16 bits are 8 to a step of the table's 13 bits; the sign bit's zero belongs to the positive side.
      const magnitude = (value < 0 ? -value - 1 : value) / 8
      const number = table.findIndex(({ to }) => magnitude < to)
      const expected = aLawCharacter(number, value < 0)
      if (codes[index] !== expected) throw new Error(`${value} is ${codes[index]}, the table says ${expected}`)
    }
  })

  test('gives each of the 256 codes the middle of its interval', () => {
    for (let code = 0; code < 256; code += 1) {
      const [sample] = decoded(decodeALaw, code)
      const negative = ((code ^ 0x55) & 0x80) === 0
      const { value } = table[(code ^ 0x55) & 0x7f] ?? { value: Number.NaN }
      expect(sample).toBe((negative ? -value : value) * 8)
    }
  })

  test('silence is the code of 0', () => {
    const codes = new Uint8Array(1)
    encodeALaw(new Int16Array(1), codes)
    expect(codes[0]).toBe(aLawSilence)
  })
})

describe('µ-law', () => {
  const table = intervals(muLawSegments)

  test('codes all 65,536 values as table 2 says', () => {
    const codes = new Uint8Array(65_536)
    encodeMuLaw(every16Bits, codes)
    for (let index = 0; index < every16Bits.length; index += 1) {
      const value = every16Bits[index] as number
      // 16 bits are 4 to a step of the table's 14 bits, cut off towards zero; beyond 8,159 is overload.
      const magnitude = Math.min(Math.floor((value < 0 ? -value - 1 : value) / 4), 8158)
      const number = table.findIndex(({ to }) => magnitude < to)
      const expected = muLawCharacter(number, value < 0)
      if (codes[index] !== expected) throw new Error(`${value} is ${codes[index]}, the table says ${expected}`)
    }
  })

  test('gives each of the 256 codes its quantised value of table 2', () => {
    for (let code = 0; code < 256; code += 1) {
      const [sample] = decoded(decodeMuLaw, code)
      const negative = code < 0x80
      const number = (negative ? 0x7f : 0xff) - code
      // y(0) is 0 by the table's own first row, and no middle.
      const value = number === 0 ? 0 : (table[number]?.value ?? Number.NaN)
      expect(sample as number).toBeCloseTo((negative ? -value : value) * 4, 6)
    }
  })

  test('silence is the code of 0', () => {
    const codes = new Uint8Array(1)
    encodeMuLaw(new Int16Array(1), codes)
    expect(codes[0]).toBe(muLawSilence)
  })
})

test.each([
  ['A-law', encodeALaw, decodeALaw],
  ['µ-law', encodeMuLaw, decodeMuLaw],
] as const)('%s: a code that is decoded and coded again is itself', (_name, encode, decode) => {
  const codes = Uint8Array.from({ length: 256 }, (_, code) => code)
  const samples = new Int16Array(256)
  const again = new Uint8Array(256)
  decode(codes, samples)
  encode(samples, again)
  // µ-law has two codes for zero; the positive one is kept.
  expect([...again].filter((code, index) => code !== codes[index] && samples[index] !== 0)).toEqual([])
})

function decoded(decode: (codes: Uint8Array, target: Int16Array) => void, code: number): Int16Array {
  const target = new Int16Array(1)
  decode(Uint8Array.of(code), target)
  return target
}
