// Rob Northen's compression, method 1, as games of the nineties have it: what `Beneath a Steel Sky` keeps its voices in.
// A stream of 16-bit little-endian words, read from the lowest bit on, with literal bytes between the words; each chunk
// brings three Huffman tables: of runs of literals, of distances and of lengths. A checksum says whether all came right.

const MAGIC = 0x52_4e_43_01
const HEADER_BYTES = 18
const LEAVES_BITS = 5
const LEAF_LENGTH_BITS = 4

interface Leaf {
  /** As it lies in the stream: the first bit is the lowest. */
  readonly code: number
  readonly bits: number
  readonly value: number
}

export function isRnc(data: Uint8Array): boolean {
  return data.length > HEADER_BYTES && new DataView(data.buffer, data.byteOffset).getUint32(0) === MAGIC
}

/**
 * @returns what was compressed
 * @throws Error where it isn't of this kind, or is damaged
 */
export function unpackRnc(data: Uint8Array): Uint8Array {
  if (!isRnc(data)) throw new Error('no RNC data of method 1')
  const header = new DataView(data.buffer, data.byteOffset, HEADER_BYTES)
  const unpacked = new Uint8Array(header.getUint32(4))
  const packed = data.subarray(HEADER_BYTES, HEADER_BYTES + header.getUint32(8))
  if (crc(packed) !== header.getUint16(14)) throw new Error('RNC: the packed data is damaged')
  unpackInto(unpacked, new BitReader(packed), header.getUint8(17))
  if (crc(unpacked) !== header.getUint16(12)) throw new Error('RNC: the unpacked data is damaged')
  return unpacked
}

function unpackInto(unpacked: Uint8Array, reader: BitReader, chunks: number): void {
  let at = 0
  // Two flags that say nothing here.
  reader.take(2)
  for (let chunk = 0; chunk < chunks; chunk++) {
    const [runs, distances, lengths] = [readTable(reader), readTable(reader), readTable(reader)]
    for (let left = reader.take(16); left > 0; left--) {
      const run = readValue(reader, runs)
      if (run > 0) unpacked.set(reader.bytes(run), at)
      at += run
      if (left === 1) break
      const distance = readValue(reader, distances) + 1
      const length = readValue(reader, lengths) + 2
      if (distance > at || at + length > unpacked.length) throw new Error('RNC: a copy from outside')
      for (let copied = 0; copied < length; copied++, at++) unpacked[at] = unpacked[at - distance] as number
    }
  }
}

class BitReader {
  private readonly data: Uint8Array
  /** Where the newest of the words in `bits` lies: literals begin there, for none of it is used yet. */
  private at = 0
  private bits: number
  private count = 16

  constructor(data: Uint8Array) {
    this.data = data
    this.bits = this.word()
  }

  /** The next bits, the first the lowest; they stay. */
  peek(count: number): number {
    return this.bits & ((1 << count) - 1)
  }

  take(count: number): number {
    const taken = this.peek(count)
    this.bits >>>= count
    this.count -= count
    if (this.count < 16) {
      this.at += 2
      this.load()
    }
    return taken
  }

  bytes(count: number): Uint8Array {
    if (this.at + count > this.data.length) throw new Error('RNC: literals behind the end')
    const bytes = this.data.subarray(this.at, this.at + count)
    this.at += count
    // The word that had been looked at was none: the next one follows the literals.
    this.count -= 16
    this.bits &= (1 << this.count) - 1
    this.load()
    return bytes
  }

  private load(): void {
    this.bits = (this.bits | (this.word() << this.count)) >>> 0
    this.count += 16
  }

  private word(): number {
    return (this.data[this.at] ?? 0) | ((this.data[this.at + 1] ?? 0) << 8)
  }
}

function readTable(reader: BitReader): readonly Leaf[] {
  const lengths = Array.from({ length: reader.take(LEAVES_BITS) }, () => reader.take(LEAF_LENGTH_BITS))
  const leaves: Leaf[] = []
  let code = 0
  for (let bits = 1; bits < 1 << LEAF_LENGTH_BITS; bits++) {
    for (const [value, length] of lengths.entries()) {
      if (length === bits) leaves.push({ code: mirrored(code++, bits), bits, value })
    }
    code <<= 1
  }
  return leaves
}

function mirrored(code: number, bits: number): number {
  let mirror = 0
  for (let bit = 0; bit < bits; bit++) mirror |= ((code >> bit) & 1) << (bits - 1 - bit)
  return mirror
}

/** A leaf above 1 says how many bits the value has; the highest is 1 and isn't stored. */
function readValue(reader: BitReader, table: readonly Leaf[]): number {
  const leaf = table.find(({ code, bits }) => reader.peek(bits) === code)
  if (leaf === undefined) throw new Error('RNC: a code of no table')
  reader.take(leaf.bits)
  if (leaf.value < 2) return leaf.value
  const bits = leaf.value - 1
  return (1 << bits) | reader.take(bits)
}

/** CRC-16 of ARC. */
function crc(data: Uint8Array): number {
  let sum = 0
  for (const byte of data) {
    sum ^= byte
    for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >> 1) ^ 0xa001 : sum >> 1
  }
  return sum
}
