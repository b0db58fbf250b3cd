import type { Milliseconds } from '#base/clock.ts'

/**
 * What has been given to the caller's ear since the last reply was heard to its end, piece by piece: the engine tells how
 * much of it was heard in milliseconds from its start, the server wants to know it of each item.
 */
export interface CutItem {
  readonly itemId: string
  /** Whole milliseconds that were heard, never more than were received. */
  readonly heardMs: Milliseconds
  readonly totalMs: Milliseconds
}

interface Piece {
  /** Null: our own recording, of which the server knows nothing. */
  readonly itemId: string | null
  ms: Milliseconds
  /** Of the server's own audio: our filter lengthens it by its delay, and the server knows nothing of that. */
  receivedMs: Milliseconds
}

export class Sounding {
  private pieces: Piece[] = []

  /** Something is sounding, or about to. */
  get active(): boolean {
    return this.pieces.length > 0
  }

  add(itemId: string | null, ms: Milliseconds, receivedMs: Milliseconds): void {
    const last = this.pieces.at(-1)
    if (last === undefined || last.itemId !== itemId) this.pieces.push({ itemId, ms, receivedMs })
    else {
      last.ms += ms
      last.receivedMs += receivedMs
    }
  }

  /** All of it has been heard. */
  heard(): void {
    this.pieces = []
  }

  /** Only so much of it has. @returns the items that were not heard to their end, in order */
  cut(heardMs: Milliseconds): readonly CutItem[] {
    let leftMs = heardMs
    const cut: CutItem[] = []
    for (const { itemId, ms, receivedMs } of this.pieces) {
      const heard = Math.min(ms, Math.max(0, leftMs))
      leftMs -= ms
      if (itemId !== null && heard < ms)
        cut.push({ itemId, heardMs: Math.floor(Math.min(heard, receivedMs)), totalMs: ms })
    }
    this.pieces = []
    return cut
  }
}
