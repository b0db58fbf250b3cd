import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Everything there is to test, in an order that fails early: types and lint, unit and contract tests, models, the
 * binary, then the real Asterisk. The last line is `N passed, N failed`. A test that is skipped counts as failed: a green
 * run must mean that every part has run.
 */

interface Stage {
  readonly name: string
  readonly group: 'lint' | 'unit' | 'integration'
  /** `tests`: the folder whose tests bun runs; else a command that must end with 0 and counts as one test. */
  readonly run: { readonly tests: readonly string[] } | { readonly command: readonly string[] }
}

interface Tally {
  readonly passed: number
  readonly failed: number
}

const bun = process.execPath
const root = join(import.meta.dir, '..')

const stages: readonly Stage[] = [
  { name: 'types', group: 'lint', run: { command: ['node_modules/.bin/tsc', '--noEmit'] } },
  { name: 'lint', group: 'lint', run: { command: ['node_modules/.bin/biome', 'check', '--error-on-warnings', '.'] } },
  { name: 'unit', group: 'unit', run: { tests: ['test/unit/'] } },
  { name: 'contract', group: 'unit', run: { tests: ['test/contract/'] } },
  { name: 'simulation', group: 'unit', run: { tests: ['test/simulation/'] } },
  { name: 'models', group: 'integration', run: { command: [bun, '--no-env-file', 'src/main.ts', 'models'] } },
  { name: 'binary', group: 'integration', run: { command: [bun, 'scripts/build.ts'] } },
  { name: 'integration', group: 'integration', run: { tests: ['test/integration/'] } },
]

const troublesMax = 60

async function runCommand(stage: Stage, command: readonly string[]): Promise<Tally> {
  const child = Bun.spawn([...command], { cwd: root, stdin: 'ignore', stdout: 'inherit', stderr: 'inherit' })
  const code = await child.exited
  if (code !== 0) console.log(`${stage.name}: ended with ${code}`)
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
}

async function runTests(stage: Stage, paths: readonly string[]): Promise<Tally> {
  const folder = mkdtempSync(join(tmpdir(), 'patchcord-test-'))
  const report = join(folder, 'report.xml')
  const command = [
    bun,
    '--no-env-file',
    'test',
    ...paths,
    '--reporter=junit',
    `--reporter-outfile=${report}`,
    '--timeout=60000',
    // Tests that mostly wait for a caller run side by side; more than two of them would be late on two cores.
    '--max-concurrency=2',
  ]
  const env = { ...process.env, PATCHCORD_BED_LOGS: folder }
  const child = Bun.spawn(command, { cwd: root, env, stdin: 'ignore', stdout: 'inherit', stderr: 'inherit' })
  const code = await child.exited
  if (code !== 0) printTroubles(folder)
  try {
    const tally = readReport(readFileSync(report, 'utf8'))
    // A run that ended badly with no failed test, for instance in a hook or by a crash, has failed all the same.
    return code !== 0 && tally.failed === 0 ? { ...tally, failed: 1 } : tally
  } catch {
    console.log(`${stage.name}: left no report`)
    return { passed: 0, failed: 1 }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What the engines of a run that failed had to say: their last warnings and errors, and the calls that failed. */
function printTroubles(folder: string): void {
  const lines = readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').trim().split('\n'))
    .filter(
      (line) => /"level":"(warn|error)"/.test(line) || /"message":"call summary"(?!.*"cause":"caller")/.test(line),
    )
  for (const line of lines.sort().slice(-troublesMax)) console.log(line.slice(0, 400))
}

/** The totals of a JUnit report's root element; what was skipped counts as failed. */
export function readReport(xml: string): Tally {
  const root = /<testsuites\b[^>]*>/.exec(xml)?.[0] ?? ''
  const number = (name: string) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(root)?.[1] ?? Number.NaN)
  const [tests, failures, skipped] = [number('tests'), number('failures'), number('skipped')]
  if (!Number.isFinite(tests) || tests === 0) throw new Error('the report holds no test')
  const failed = failures + skipped
  if (skipped > 0) console.log(`${skipped} tests were skipped: every part must run`)
  return { passed: tests - failed, failed }
}

/**
 * The Debian root takes a minute of waiting for the net, and the first stages don't need it. Where it can't be had, the
 * tests that do say so.
 */
async function fetchAsterisk(): Promise<void> {
  const command = [bun, '--no-env-file', 'scripts/asterisk.ts', 'fetch']
  await Bun.spawn(command, { cwd: root, stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' }).exited
}

async function main(): Promise<number> {
  const only = process.argv.indexOf('--only')
  const group = only >= 0 ? process.argv[only + 1] : undefined
  const filters = process.argv.slice(2).filter((word, index, all) => word !== '--only' && all[index - 1] !== '--only')
  const chosen = stages.filter((stage) => group === undefined || stage.group === group)
  if (chosen.length === 0) {
    console.error(`--only: expected lint, unit or integration`)
    return 2
  }
  let passed = 0
  let failed = 0
  const fetching = chosen.some(({ group: of }) => of === 'integration') ? fetchAsterisk() : null
  for (const stage of chosen) {
    if (stage.name === 'integration') await fetching
    const startedMs = performance.now()
    console.log(`\n── ${stage.name} ──`)
    const { run } = stage
    const tally =
      'command' in run
        ? await runCommand(stage, run.command)
        : await runTests(stage, filters.length > 0 ? filters : run.tests)
    passed += tally.passed
    failed += tally.failed
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
    console.log(`${stage.name}: ${tally.passed} passed, ${tally.failed} failed, ${seconds} s`)
    // Without models or a binary most of what follows would fail for that one reason.
    if (tally.failed > 0 && 'command' in run && stage.group === 'integration') break
  }
  // Also where the run ends before it is needed: what was begun is not left to itself.
  await fetching
  console.log(`\n${passed} passed, ${failed} failed`)
  return failed === 0 ? 0 : 1
}

if (import.meta.main) process.exit(await main())
