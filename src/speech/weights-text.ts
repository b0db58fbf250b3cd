/** Weights of a small network as text in a module, so that they are inside the executable as well. */

/** Each weight is the upper half of a 32-bit float, little-endian: three digits are enough, and half the size. */
export function decodeWeights(encoded: string): Float32Array {
  const bytes = Buffer.from(encoded, 'base64')
  const bits = new Uint32Array(bytes.length / 2)
  for (let index = 0; index < bits.length; index++) bits[index] = bytes.readUInt16LE(2 * index) * 65536
  return new Float32Array(bits.buffer)
}

/** Rounded to the nearest. */
export function encodeWeights(weights: Float32Array): string {
  const bytes = Buffer.alloc(weights.length * 2)
  const bits = new Uint32Array(weights.buffer, weights.byteOffset, weights.length)
  for (const [index, value] of bits.entries()) bytes.writeUInt16LE(Math.min(0xffff, (value + 0x8000) >>> 16), 2 * index)
  return bytes.toString('base64')
}
