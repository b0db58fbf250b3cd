/**
 * G.711, both laws, by table: 16-bit linear ↔ 8-bit code. The tables are built once from the Recommendation's own rule (a
 * sign, eight segments whose intervals double, sixteen intervals each), so that coding a frame is one look-up a sample.
 *
 * Linear values are full-scale 16-bit: µ-law works on 14 bits of them, A-law on 13, as in ITU-T G.191's reference code;
 * what is below is cut off by an arithmetic shift, on negative values of their one's complement.
 */

/** 2^16 codes by linear value, indexed by the value's low 16 bits. */
const muLawCodes = new Uint8Array(65_536)
const aLawCodes = new Uint8Array(65_536)
const muLawValues = new Int16Array(256)
const aLawValues = new Int16Array(256)

/** What silence is on the wire: the code of 0. */
export const muLawSilence = 0xff
export const aLawSilence = 0xd5

/** µ-law adds 33 to the magnitude, so that each segment begins at a power of two. */
const muLawBias = 33

for (let value = -32_768; value <= 32_767; value += 1) {
  muLawCodes[value & 0xffff] = muLawCode(value)
  aLawCodes[value & 0xffff] = aLawCode(value)
}
for (let code = 0; code < 256; code += 1) {
  muLawValues[code] = muLawValue(code)
  aLawValues[code] = aLawValue(code)
}

/** Fills `target` from `offset` on with as many codes as there are samples. */
export function encodeMuLaw(samples: Int16Array, target: Uint8Array, offset = 0): void {
  for (let index = 0; index < samples.length; index += 1) {
    target[offset + index] = muLawCodes[(samples[index] as number) & 0xffff] as number
  }
}

/** Fills `target` with as many samples as there are codes. */
export function decodeMuLaw(codes: Uint8Array, target: Int16Array): void {
  for (let index = 0; index < codes.length; index += 1) target[index] = muLawValues[codes[index] as number] as number
}

/** Fills `target` with as many codes as there are samples. */
export function encodeALaw(samples: Int16Array, target: Uint8Array): void {
  for (let index = 0; index < samples.length; index += 1) {
    target[index] = aLawCodes[(samples[index] as number) & 0xffff] as number
  }
}

/** Fills `target` with as many samples as there are codes. */
export function decodeALaw(codes: Uint8Array, target: Int16Array): void {
  for (let index = 0; index < codes.length; index += 1) target[index] = aLawValues[codes[index] as number] as number
}

function muLawCode(value: number): number {
  const magnitude = Math.min((value < 0 ? ~value >> 2 : value >> 2) + muLawBias, 0x1fff)
  // Segment 0 holds magnitudes up to 63, each further one twice as many.
  let segment = 0
  for (let rest = magnitude >> 6; rest !== 0; rest >>= 1) segment += 1
  const code = ((7 - segment) << 4) | (15 - ((magnitude >> (segment + 1)) & 15))
  return value < 0 ? code : code | 0x80
}

function muLawValue(code: number): number {
  const segment = 7 - ((code >> 4) & 7)
  const interval = 15 - (code & 15)
  // The middle of the interval, with the bias taken off again.
  const magnitude = (((interval << 1) + muLawBias) << segment) - muLawBias
  return (code & 0x80 ? magnitude : -magnitude) * 4
}

function aLawCode(value: number): number {
  const magnitude = value < 0 ? ~value >> 4 : value >> 4
  let segment = 0
  let interval = magnitude
  // Segments 0 and 1 have the same interval; each further one twice the one before.
  for (; interval > 31; interval >>= 1) segment += 1
  if (magnitude > 15) {
    segment += 1
    interval -= 16
  }
  const code = (segment << 4) | interval
  return (value < 0 ? code : code | 0x80) ^ 0x55
}

function aLawValue(code: number): number {
  const bits = (code ^ 0x55) & 0x7f
  const segment = bits >> 4
  const interval = bits & 15
  const magnitude = segment === 0 ? (interval << 4) + 8 : ((interval << 4) + 0x108) << (segment - 1)
  return (code ^ 0x55) & 0x80 ? magnitude : -magnitude
}
