import type { Milliseconds } from '#base/clock.ts'

/** A piece of a reply as it was spoken: its words and how long its audio is. */
export interface SpokenPiece {
  readonly text: string
  readonly durationMs: Milliseconds
}

/**
 * The words of a reply that the caller heard before breaking in: whole pieces first, and of the piece that was cut as
 * large a share of its words as of its audio, rounded down. The model must not believe it said more.
 */
export function heardText(pieces: readonly SpokenPiece[], heardMs: Milliseconds): string {
  const heard: string[] = []
  let leftMs = heardMs
  for (const piece of pieces) {
    if (leftMs <= 0) break
    if (leftMs >= piece.durationMs) {
      heard.push(piece.text)
      leftMs -= piece.durationMs
      continue
    }
    const words = piece.text.split(/\s+/)
    const count = Math.floor((words.length * leftMs) / piece.durationMs)
    if (count > 0) heard.push(words.slice(0, count).join(' '))
    break
  }
  return heard.join(' ')
}
