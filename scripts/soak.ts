import { parseArgs } from 'node:util'
import { type ChurnReport, churn, memoryGrowthMaxBytes } from '../test/bed/churn.ts'

/**
 * Callers who hang up at random moments, by the hundred, through a real Asterisk; afterwards everything must be as it was
 * before. Prints what was compared and ends with 1 where something is not the same. The short form is
 * test/integration/churn.test.ts.
 */
const help = `Usage: just soak [options]

Without options: 200 calls to loopback, 20 at once; the same with the connection to Asterisk broken five times; 30 calls
to the local models, 3 at once. With one of --provider, --calls, --at-once and --cuts: one run of that kind.

  --provider NAME   loopback or local (default loopback)
  --calls N         calls (default 200)
  --at-once N       how many of them at a time (default 20)
  --cuts N          how often the connection to Asterisk breaks (default 0)
  --seed N          of what the callers do (default: a new one, printed)
  --rounds N        all of it so many times, each with the next seed (default 1)`

interface Run {
  readonly provider: 'loopback' | 'local'
  readonly calls: number
  readonly atOnce: number
  readonly cuts: number
}

const whole: readonly Run[] = [
  { provider: 'loopback', calls: 200, atOnce: 20, cuts: 0 },
  { provider: 'loopback', calls: 200, atOnce: 20, cuts: 5 },
  { provider: 'local', calls: 30, atOnce: 3, cuts: 0 },
]
const mebibyte = 2 ** 20

interface Options {
  readonly runs: readonly Run[]
  readonly seed: number
  readonly rounds: number
}

/** Null: the words make no sense, or help was asked for. */
function readOptions(argv: readonly string[]): Options | null {
  const text = { type: 'string' } as const
  const options = { provider: text, calls: text, 'at-once': text, cuts: text, seed: text, rounds: text } as const
  try {
    const { values } = parseArgs({ args: [...argv], options })
    const number = (value: string | undefined, usual: number, min: number) => {
      const given = value === undefined ? usual : Number(value)
      if (!Number.isSafeInteger(given) || given < min) throw new Error(`${value}: expected a whole number from ${min}`)
      return given
    }
    const { provider = 'loopback' } = values
    if (provider !== 'loopback' && provider !== 'local') throw new Error(`${provider}: expected loopback or local`)
    const one = [values.provider, values.calls, values['at-once'], values.cuts].some((value) => value !== undefined)
    const run = {
      provider,
      calls: number(values.calls, 200, 1),
      atOnce: number(values['at-once'], 20, 1),
      cuts: number(values.cuts, 0, 0),
    } as const
    return {
      runs: one ? [run] : whole,
      seed: number(values.seed, Date.now() % 1_000_000, 0),
      rounds: number(values.rounds, 1, 1),
    }
  } catch (error) {
    if (!argv.includes('--help')) console.error(`${error instanceof Error ? error.message : String(error)}\n`)
    return null
  }
}

function title({ provider, calls, atOnce, cuts }: Run, seed: number): string {
  const broken = cuts === 0 ? '' : `, the connection to Asterisk broken ${cuts} times`
  return `${calls} calls to ${provider}, ${atOnce} at once${broken} (seed ${seed})`
}

function print(report: ChurnReport): void {
  const { before, after, memory, causes, afterInviteMs } = report
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  const isHeld = (name: string) => (before[name] ?? 0) !== 0 || (after[name] ?? 0) !== 0
  const rows = names
    .filter(isHeld)
    .map((name): [string, string, string] => [name, String(before[name] ?? 0), String(after[name] ?? 0)])
  const empty = names.filter((name) => !isHeld(name))
  const size = (bytes: number) => `${(bytes / mebibyte).toFixed(1)} MiB`
  rows.push(['resident memory after collection', size(memory.before.residentBytes), size(memory.after.residentBytes)])
  rows.push(['heap after collection', size(memory.before.heapBytes), size(memory.after.heapBytes)])
  const width = Math.max(...rows.map(([name]) => name.length))
  for (const [name, was, is] of [['', 'before', 'after'], ...rows]) {
    console.log(`  ${name?.padEnd(width)}  ${was?.padStart(10)}  ${is?.padStart(10)}`)
  }
  console.log(`  0 before and after: ${empty.join(', ')}`)
  const ended = Object.entries(causes).map(([cause, count]) => `${count} by ${cause}`)
  console.log(`  ${report.served} calls reached the engine and ended: ${ended.join(', ')}`)
  const early = [...afterInviteMs].sort((a, b) => a - b)
  console.log(
    `  ${early.length} callers hung up right after the INVITE: ${early[0]?.toFixed(0)} to ${early.at(-1)?.toFixed(0)} ms after it was ordered`,
  )
  if (report.turnedAway > 0) {
    console.log(
      `  ${report.turnedAway} were turned away by the dialplan while the connection was broken, and called again`,
    )
  }
  console.log(`  last look ${(report.settledMs / 1000).toFixed(1)} s after the last call`)
  console.log(`  orphans removed by the sweep: ${report.orphansRemoved}`)
}

async function main(argv: readonly string[]): Promise<number> {
  const options = readOptions(argv)
  if (options === null) {
    console.log(help)
    return argv.includes('--help') ? 0 : 2
  }
  let failed = 0
  for (let round = 0; round < options.rounds; round += 1) {
    for (const run of options.runs) {
      const seed = options.seed + round
      const startedMs = performance.now()
      console.log(`\n${title(run, seed)}`)
      const { provider, atOnce, calls, cuts } = run
      const onProgress = (line: string) => console.log(`  ${line}`)
      const phases = [{ calls, cuts }]
      // The models' runtime keeps as much memory as its largest job took: as many calls before the first look as after.
      const warmUp = provider === 'local' ? { warmUpCalls: calls } : {}
      const [report] = await churn({ provider, atOnce, seed, phases, patient: true, onProgress, ...warmUp })
      if (report === undefined) throw new Error('no report')
      print(report)
      for (const finding of report.findings) console.log(`  NOT AS BEFORE: ${finding}`)
      if (report.findings.length > 0) failed += 1
      const seconds = ((performance.now() - startedMs) / 1000).toFixed(0)
      console.log(`  ${report.findings.length === 0 ? 'all as before' : 'FAILED'}, ${seconds} s`)
    }
  }
  const most = memoryGrowthMaxBytes / mebibyte
  console.log(`\n${failed === 0 ? `Nothing is left; memory grew by at most ${most} MiB.` : `${failed} runs failed.`}`)
  return failed === 0 ? 0 : 1
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)))
