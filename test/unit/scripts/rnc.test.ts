import { describe, expect, test } from 'bun:test'
import { isRnc, unpackRnc } from '../../../scripts/actors/rnc.ts'

/**
 * Put together bit by bit: a run of three literals, a copy of six from a distance of three, a run of none. Head with
 * lengths and the CRC-16 of both sides, five words of tables and codes, the literals, one word behind them.
 */
const packed = Uint8Array.fromHex(
  `${'524e430100000009'}${'0000000f0fa6fab70001'}${'8c801800410020040006'}${'616263'}${'0000'}`,
)

describe('RNC of method 1', () => {
  test('is unpacked', () => {
    expect(isRnc(packed)).toBe(true)
    expect(new TextDecoder().decode(unpackRnc(packed))).toBe('abcabcabc')
  })

  test('is unpacked where it lies in the middle of something', () => {
    const file = new Uint8Array(packed.length + 22)
    file.set(packed, 22)
    expect(new TextDecoder().decode(unpackRnc(file.subarray(22)))).toBe('abcabcabc')
  })

  test('that is damaged is told', () => {
    const damaged = packed.slice()
    damaged[18] = 0x8d
    expect(() => unpackRnc(damaged)).toThrow('RNC: the packed data is damaged')
  })

  test('of another method is none', () => {
    expect(isRnc(Uint8Array.fromHex(`524e4302${'00'.repeat(20)}`))).toBe(false)
    expect(() => unpackRnc(new Uint8Array(40))).toThrow('no RNC data of method 1')
  })
})
