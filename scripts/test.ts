import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Failure, readFailures, readTally, type Tally } from './test/report.ts'

/**
 * Everything there is to test, in an order that fails early: types and lint, unit and contract tests, models, the
 * binary, then the real Asterisk. A test that is skipped counts as failed: a green run must mean that every part has run.
 * What failed is told once more at the end, by name and reason, and the last line is `N passed, N failed`.
 */

interface Stage {
  readonly name: string
  readonly group: 'lint' | 'unit' | 'integration'
  /** `tests`: the folder whose tests bun runs; else a command that must end with 0 and counts as one test. */
  readonly run: { readonly tests: readonly string[] } | { readonly command: readonly string[] }
  /** No audio of it must come in time: begins with the run, on the other core, and is told of where it stands here. */
  readonly beside?: true
}

interface Outcome extends Tally {
  readonly failures: readonly Failure[]
  /** Not printed yet. */
  readonly said: string
}

const bun = process.execPath
const root = join(import.meta.dir, '..')

/** Of the unit tests, the folders that run beside the others: two fifths of their time. */
const unitBeside = ['audio', 'providers']

function unitTests(isBeside: boolean): string[] {
  const names = readdirSync(join(root, 'test', 'unit'))
  return names.filter((name) => unitBeside.includes(name) === isBeside).map((name) => `./test/unit/${name}`)
}

/** Of the integration tests, files that play no call and hold nothing to a time. */
export const integrationBeside = ['echo-detector', 'resample-sox', 'smart-turn', 'speech', 'worker-stop'] as const

function integrationTests(isBeside: boolean): string[] {
  const names = readdirSync(join(root, 'test', 'integration')).filter((name) => name.endsWith('.test.ts'))
  return names
    .filter((name) => integrationBeside.some((one) => name === `${one}.test.ts`) === isBeside)
    .sort()
    .map((name) => `./test/integration/${name}`)
}

export const stages: readonly Stage[] = [
  { name: 'types', group: 'lint', run: { command: ['node_modules/.bin/tsc', '--noEmit'] } },
  { name: 'lint', group: 'lint', run: { command: ['node_modules/.bin/biome', 'check', '--error-on-warnings', '.'] } },
  { name: 'unit', group: 'unit', run: { tests: unitTests(false) } },
  { name: 'unit, the other half', group: 'unit', run: { tests: unitTests(true) }, beside: true },
  { name: 'contract', group: 'unit', run: { tests: ['test/contract/'] }, beside: true },
  { name: 'simulation', group: 'unit', run: { tests: ['test/simulation/'] }, beside: true },
  {
    name: 'models',
    group: 'integration',
    run: { command: [bun, '--no-env-file', 'src/main.ts', 'models'] },
    beside: true,
  },
  { name: 'binary', group: 'integration', run: { command: [bun, 'scripts/build.ts'] }, beside: true },
  { name: 'integration', group: 'integration', run: { tests: integrationTests(false) } },
  // Told of when the calls are over.
  {
    name: 'integration, without a call',
    group: 'integration',
    run: { tests: integrationTests(true) },
    beside: true,
  },
]

const troublesMax = 25
const failuresShown = 12
const failureCharsMax = 1200

async function runCommand(stage: Stage, command: readonly string[]): Promise<Outcome> {
  const { code, said } = await ended(stage, command, process.env)
  return code === 0
    ? { passed: 1, failed: 0, failures: [], said }
    : badStage(stage, `${command.slice(0, 4).join(' ')} ended with ${code}`, said)
}

/** What a stage beside the others says is kept until it is its turn to speak. */
async function ended(
  { beside }: Stage,
  command: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ readonly code: number; readonly said: string }> {
  const out = beside === true ? 'pipe' : 'inherit'
  const child = Bun.spawn([...command], { cwd: root, env, stdin: 'ignore', stdout: out, stderr: out })
  const texts = [child.stdout, child.stderr].map(async (end) => (end ? await new Response(end).text() : ''))
  const [code, ...said] = await Promise.all([child.exited, ...texts])
  return { code, said: said.filter((text) => text !== '').join('\n') }
}

function badStage(stage: Stage, why: string, said = ''): Outcome {
  return { passed: 0, failed: 1, failures: [{ where: stage.name, why }], said }
}

async function runTests(stage: Stage, paths: readonly string[]): Promise<Outcome> {
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
  const { code, said } = await ended(stage, command, env)
  if (code !== 0) printTroubles(folder)
  try {
    const xml = readFileSync(report, 'utf8')
    const tally = readTally(xml)
    const failures = readFailures(xml)
    if (code === 0 || tally.failed > 0) return { ...tally, failures, said }
    // A run that ended badly with no failed test, for instance by a crash, has failed all the same.
    return { ...tally, failed: 1, failures: [{ where: stage.name, why: `bun test ended with ${code}` }], said }
  } catch {
    return badStage(stage, 'bun test left no report', said)
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

/** Last of all, so that who reads the end of a long log sees what failed. */
function printFailures(failures: readonly Failure[]): void {
  if (failures.length > 0) console.log(`\n── failed ──`)
  for (const { where, why } of failures.slice(0, failuresShown)) {
    console.log(`${where}\n${why.slice(0, failureCharsMax).replace(/^/gm, '    ')}\n`)
  }
  if (failures.length > failuresShown) console.log(`and ${failures.length - failuresShown} more`)
}

const fetchLinesShown = 8

/**
 * The Debian root takes a minute of waiting for the net, and the first stages don't need it. Where it can't be had, the
 * tests that do fail.
 * @returns what to say of it where it is waited for: why it failed; null where it is fetched
 */
export async function fetchAsterisk(
  command: readonly string[] = [bun, '--no-env-file', 'scripts/asterisk.ts', 'fetch'],
): Promise<string | null> {
  const child = Bun.spawn([...command], { cwd: root, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const [code, ...said] = await Promise.all([
    child.exited,
    ...[child.stdout, child.stderr].map((end) => new Response(end).text()),
  ])
  if (code === 0) return null
  const lines = said.flatMap((text) => text.trimEnd().split('\n').slice(-fetchLinesShown)).filter((line) => line !== '')
  return [`Asterisk was not fetched: ${command.slice(-2).join(' ')} ended with ${code}`, ...lines].join('\n    ')
}

/** Tests that are named run once, whatever stage they belong to. */
function chosenStages(group: string | undefined, filters: readonly string[]): readonly Stage[] {
  const chosen = stages.filter((stage) => group === undefined || stage.group === group)
  const last = chosen.findLast(({ run, beside }) => 'tests' in run && beside !== true)
  return filters.length === 0 ? chosen : chosen.filter((stage) => 'command' in stage.run || stage === last)
}

interface Timed {
  readonly tally: Outcome
  readonly seconds: number
}

async function timed(stage: Stage, filters: readonly string[]): Promise<Timed> {
  const startedMs = performance.now()
  const { run } = stage
  const tally = await ('command' in run
    ? runCommand(stage, run.command)
    : runTests(stage, filters.length > 0 ? filters : run.tests))
  return { tally, seconds: (performance.now() - startedMs) / 1000 }
}

/** Without models or a binary most of what follows would fail for that one reason. */
const isTheEnd = ({ group, run }: Stage, { failed }: Tally) => failed > 0 && group === 'integration' && 'command' in run

/**
 * Begins those that may run beside the others, one after the other.
 * @param fetching of Asterisk, whose sounds are speech to test with
 */
function besides(
  chosen: readonly Stage[],
  filters: readonly string[],
  fetching: Promise<unknown> | null,
): ReadonlyMap<Stage, Promise<Timed>> {
  const outcomes = new Map<Stage, Promise<Timed>>()
  let last: Promise<boolean> = Promise.resolve(false)
  for (const stage of chosen.filter(({ beside }) => beside === true)) {
    const outcome = last.then(async (isOver) => {
      if (isOver) return { tally: badStage(stage, 'what it needs was not made'), seconds: 0 }
      if (stage.group === 'integration' && 'tests' in stage.run) await fetching
      return await timed(stage, filters)
    })
    outcomes.set(stage, outcome)
    last = Promise.all([last, outcome]).then(([isOver, { tally }]) => isOver || isTheEnd(stage, tally))
  }
  return outcomes
}

async function main(): Promise<number> {
  const only = process.argv.indexOf('--only')
  const group = only >= 0 ? process.argv[only + 1] : undefined
  const filters = process.argv.slice(2).filter((word, index, all) => word !== '--only' && all[index - 1] !== '--only')
  const chosen = chosenStages(group, filters)
  if (chosen.length === 0) {
    console.error(`--only: expected lint, unit or integration`)
    return 2
  }
  let passed = 0
  let failed = 0
  const failures: Failure[] = []
  const fetching = chosen.some(({ group: of }) => of === 'integration') ? fetchAsterisk() : null
  let isTold = false
  const fetched = async () => {
    const trouble = await fetching
    if (trouble !== null && !isTold) console.log(`\n${trouble}`)
    isTold = true
  }
  const beside = besides(chosen, filters, fetching)
  for (const stage of chosen) {
    if (stage.name === 'integration') await fetched()
    console.log(`\n── ${stage.name} ──`)
    const { tally, seconds } = await (beside.get(stage) ?? timed(stage, filters))
    if (tally.said !== '') console.log(tally.said)
    passed += tally.passed
    failed += tally.failed
    failures.push(...tally.failures)
    console.log(`${stage.name}: ${tally.passed} passed, ${tally.failed} failed, ${seconds.toFixed(1)} s`)
    if (isTheEnd(stage, tally)) break
  }
  // Also where the run ends before it is needed: what was begun is not left to itself.
  await Promise.all([fetched(), ...beside.values()])
  printFailures(failures)
  console.log(`\n${passed} passed, ${failed} failed`)
  return failed === 0 ? 0 : 1
}

if (import.meta.main) process.exit(await main())
