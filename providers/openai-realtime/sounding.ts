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
  /** More of it was to come: its words have run ahead of its audio. */
  readonly unfinished: boolean
  /** The session knows it as text only: there is no audio of it to be cut. */
  readonly asText: boolean
}

interface Piece {
  /** Null: our own recording, of which the server knows nothing. */
  itemId: string | null
  ms: Milliseconds
  /** Of the server's own audio: our filter lengthens it by its delay, and the server knows nothing of that. */
  receivedMs: Milliseconds
  /** All its audio has come. */
  complete: boolean
  asText: boolean
}

export class Sounding {
  private pieces: Piece[] = []

  /** Something is sounding, or about to. */
  get active(): boolean {
    return this.pieces.length > 0
  }

  add(itemId: string | null, ms: Milliseconds, receivedMs: Milliseconds): void {
    const last = this.pieces.at(-1)
    if (last === undefined || last.itemId !== itemId)
      this.pieces.push({ itemId, ms, receivedMs, complete: false, asText: false })
    else {
      last.ms += ms
      last.receivedMs += receivedMs
    }
  }

  complete(itemId: string): void {
    for (const piece of this.pieces) if (piece.itemId === itemId) piece.complete = true
  }

  /** Another session has been told of it, as text. @param ids keyed by: the id before */
  rename(ids: ReadonlyMap<string, string>): void {
    for (const piece of this.pieces) {
      const id = piece.itemId === null ? undefined : ids.get(piece.itemId)
      // Of one that was not told to it there is nothing to be cut.
      piece.asText = id !== undefined
      piece.itemId = id ?? null
    }
  }

  /** All of it has been heard. */
  heard(): void {
    this.pieces = []
  }

  /** Only so much of it has. @returns the items that were not heard to their end, or have none yet, in order */
  cut(heardMs: Milliseconds): readonly CutItem[] {
    let leftMs = heardMs
    const cut: CutItem[] = []
    for (const { itemId, ms, receivedMs, complete, asText } of this.pieces) {
      const heard = Math.min(ms, Math.max(0, leftMs))
      leftMs -= ms
      if (itemId === null || (complete && heard >= ms)) continue
      const endMs = Math.floor(Math.min(heard, receivedMs))
      cut.push({ itemId, heardMs: endMs, totalMs: ms, unfinished: !complete, asText })
    }
    this.pieces = []
    return cut
  }
}
