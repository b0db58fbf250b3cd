/**
 * Moonshine's `tokenizer.bin`: the tokens' byte strings in the order of their ids, each after its length. A length
 * takes one byte, or two when the high bit of the first is set: low 7 bits + second × 128. `▁` (U+2581) is a space, and
 * `<0xHH>` one byte of a character that has no token of its own.
 */
export class MoonshineTokens {
  private readonly pieces: readonly Uint8Array[]

  /** Throws when the file ends in the middle of a token. */
  constructor(file: Uint8Array) {
    const pieces: Uint8Array[] = []
    let at = 0
    while (at < file.length) {
      let length = file[at++] as number
      if (length >= 128) length = length - 128 + (file[at++] ?? 0) * 128
      if (at + length > file.length) throw new Error('tokenizer.bin is cut short')
      pieces.push(pieceOf(file.subarray(at, at + length)))
      at += length
    }
    this.pieces = pieces
  }

  get size(): number {
    return this.pieces.length
  }

  decode(ids: readonly number[]): string {
    const parts = ids.map((id) => this.pieces[id] ?? new Uint8Array(0))
    return new TextDecoder().decode(Buffer.concat(parts)).replaceAll('▁', ' ').trim()
  }
}

function pieceOf(bytes: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(bytes)
  const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(text)
  if (byte !== null) return Uint8Array.of(Number.parseInt(byte[1] ?? '0', 16))
  // Control tokens are not words.
  if (/^<(s|\/s|unk|pad)>$/.test(text)) return new Uint8Array(0)
  return bytes.slice()
}
