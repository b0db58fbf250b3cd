import type { LegSocket } from '#asterisk/audiosocket-leg.ts'

/** A kernel that takes as many bytes as the test allows, and keeps them. */
export class FakeLegSocket implements LegSocket {
  /** Bytes it will still take; −1: the connection is closed. */
  room = Number.POSITIVE_INFINITY
  readonly bytes: number[] = []
  ends = 0
  terminations = 0

  write(bytes: Uint8Array, offset = 0, length = bytes.length - offset): number {
    if (this.room < 0) return -1
    const taken = Math.min(length, this.room)
    this.room -= taken
    this.bytes.push(...bytes.subarray(offset, offset + taken))
    return taken
  }

  end(): void {
    this.ends += 1
  }

  terminate(): void {
    this.terminations += 1
  }
}
