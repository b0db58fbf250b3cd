import { Backoff } from '#base/backoff.ts'
import type { Milliseconds } from '#base/clock.ts'
import type { Random } from '#base/random.ts'

/** Which of an ordered list is asked next, by what is known of each. */
export interface Candidate {
  readonly ready: boolean
  /** It has failed, and is better left alone until then, on the clock. */
  readonly restsUntilMs: Milliseconds
}

/**
 * The first that is ready and does not rest; else one that rests, since it may have recovered; at last one that says of
 * itself that it is not ready, since its own words will say why. Null: all have been tried.
 */
export function chooseCandidate(
  candidates: readonly Candidate[],
  tried: ReadonlySet<number>,
  nowMs: Milliseconds,
): number | null {
  const rank = ({ ready, restsUntilMs }: Candidate) => (ready ? 0 : 2) + (restsUntilMs > nowMs ? 1 : 0)
  const [best] = candidates
    .map((candidate, index) => ({ index, rank: rank(candidate) }))
    .filter(({ index }) => !tried.has(index))
    .sort((left, right) => left.rank - right.rank || left.index - right.index)
  return best?.index ?? null
}

/** Ten minutes: a vendor that was away for an hour is asked again not much later than it is back. */
const restMsMax: Milliseconds = 600_000

/** How long each of a list is left alone after it has failed: longer each time, and not at all once it has worked. */
export class Rests {
  private readonly untilMs: Milliseconds[]
  private readonly backoffs: readonly Backoff[]

  /** @param firstMs the first rest, and half of it at least */
  constructor(count: number, firstMs: Milliseconds, random: Random) {
    this.untilMs = Array.from({ length: count }, () => 0)
    this.backoffs = this.untilMs.map(() => new Backoff(firstMs, Math.max(firstMs, restMsMax), random))
  }

  until(index: number): Milliseconds {
    return this.untilMs[index] ?? 0
  }

  failed(index: number, nowMs: Milliseconds): void {
    // What fails again while it rests has been asked for want of another: that is no news.
    if (this.until(index) > nowMs) return
    this.untilMs[index] = nowMs + (this.backoffs[index]?.next() ?? 0)
  }

  worked(index: number): void {
    this.untilMs[index] = 0
    this.backoffs[index]?.reset()
  }
}
