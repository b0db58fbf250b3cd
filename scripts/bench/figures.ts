import { cpus, totalmem } from 'node:os'

/** A percentile by the nearest-rank rule: the smallest value that at least this share of all values does not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

/** One line: how many values, and p50, p95, p99 and the largest in milliseconds. */
export function figuresMs(name: string, values: readonly number[], aim: string): string {
  const at = (share: number) => percentile(values, share).toFixed(1)
  return `${name}: n ${values.length}  p50 ${at(0.5)}  p95 ${at(0.95)}  p99 ${at(0.99)}  max ${at(1)} ms  (aim: ${aim})`
}

/** What the figures were measured on; stands above each of them. */
export function machine(): string {
  const [first] = cpus()
  return `${cpus().length} × ${first?.model.trim() ?? 'unknown CPU'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Bun ${Bun.version}`
}
