import { simulate } from '../test/simulation/simulate.ts'

/**
 * `just sim [--seeds N] [--seed S]`: callers, agents and a PBX out of chance, on a simulated clock. Prints each seed in
 * which a promise was broken, with what was found, and ends with 1 if there was one. `--seed S` alone plays one seed.
 */
const firstSeedByDefault = 1
const seedsByDefault = 1000
const findingsShown = 5

function option(name: string): number | null {
  const at = process.argv.indexOf(name)
  if (at < 0) return null
  const value = Number(process.argv[at + 1])
  if (!Number.isSafeInteger(value) || value < 0) {
    console.error(`${name}: expected a whole number`)
    process.exit(2)
  }
  return value
}

const first = option('--seed')
const count = option('--seeds') ?? (first === null ? seedsByDefault : 1)
const from = first ?? firstSeedByDefault
const startedMs = performance.now()
let failed = 0
let simulatedMs = 0
for (let seed = from; seed < from + count; seed += 1) {
  const simulation = await simulate(seed)
  simulatedMs += simulation.simulatedMs
  if (simulation.findings.length === 0) continue
  failed += 1
  console.log(`seed ${seed}: ${simulation.findings.length} findings`)
  for (const { kind, atMs, call, what } of simulation.findings.slice(0, findingsShown)) {
    console.log(`  ${kind} ${call} at ${Math.round(atMs)}: ${what}`)
  }
}
const seconds = (performance.now() - startedMs) / 1000
const hours = simulatedMs / 3_600_000
console.log(
  `${count} seeds, ${failed} failed, ${(count / seconds).toFixed(1)} seeds per second, ${hours.toFixed(1)} hours of calls in ${seconds.toFixed(0)} s`,
)
process.exit(failed === 0 ? 0 : 1)
