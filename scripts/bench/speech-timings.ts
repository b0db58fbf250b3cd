/** Durations in milliseconds and their percentiles. */
export class Timings {
  private readonly values: number[] = []

  add(ms: number): void {
    this.values.push(ms)
  }

  get total(): number {
    return this.values.reduce((sum, value) => sum + value, 0)
  }

  /** @param share 0 to 1 */
  percentile(share: number): number {
    const sorted = this.values.toSorted((a, b) => a - b)
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  }

  toString(): string {
    const [p50, p95, p99, max] = [0.5, 0.95, 0.99, 1].map((share) => this.percentile(share).toFixed(1))
    return `p50 ${p50}, p95 ${p95}, p99 ${p99}, most ${max} ms`
  }
}
