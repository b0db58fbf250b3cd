/**
 * What the sessions of this provider have met with, counted since the engine started: acknowledgements, events that are
 * not known, errors by their code, sessions made anew. Names are few: codes of the server's own count as `error_other`
 * beyond the first.
 */
const namesMax = 64

export class Tally {
  // keyed by: what was met with
  private readonly counts = new Map<string, number>()

  count(name: string, by = 1): void {
    const known = this.counts.has(name) || this.counts.size < namesMax
    const counted = known ? name : 'error_other'
    this.counts.set(counted, (this.counts.get(counted) ?? 0) + by)
  }

  get all(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.counts)
  }
}
