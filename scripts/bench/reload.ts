import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BedEngine } from '../../test/bed/engine.ts'
import { LoopLag } from './media-loop-lag.ts'
import type { CallersFigures, CallersJob, FromCallers } from './media-wire.ts'
import { Part } from './part.ts'
import {
  type MeasuredRun,
  type ReloadFigures,
  type ReloadsDone,
  reloadFigures,
  reloadLines,
  whatWentWrong,
} from './reload-figures.ts'
import { perSecond, threadTimes } from './thread-times.ts'

/**
 * `just bench reload`: what calls notice of reloads. The real command runs with callers on it, who stay while the file is
 * changed over and over: to other values, to wrong ones, and half-written. Runs with and without reloads alternate, so
 * that what the machine does meanwhile falls on both.
 */
export interface ReloadBench {
  readonly calls: number
  readonly seconds: number
  /** Of each kind of run. */
  readonly runs: number
  /** In all runs that have any. */
  readonly reloads: number
}

export interface ReloadRun {
  readonly figures: ReloadFigures
  readonly lines: readonly string[]
  /** Why it failed; empty when no call and no reload was other than it should be. */
  readonly missing: readonly string[]
}

/** Values that take turns: of each key the one that the last change left. */
const variants = [
  'llm: { initial_greeting: "One greeting." }\nbarge_in: { min_ms: 300 }\n',
  'llm: { initial_greeting: "Another greeting." }\nvad: { end_silence_ms: 900 }\n',
  'llm: { prompt: "Say little." }\nstreaming: { min_start_ms: 120 }\nlanguage: de\n',
  'providers: { loopback: { delay_ms: 900 } }\non_failure: { context: elsewhere, extension: s }\n',
]
const kinds = ['changed', 'changed', 'invalid', 'half_written'] as const

export async function benchReload(bench: ReloadBench): Promise<ReloadRun> {
  const { calls, seconds, runs, reloads } = bench
  const engine = await BedEngine.start({
    provider: 'loopback',
    logLevel: 'info',
    collector: true,
    audioSocketYaml: `  max_connections: ${calls + 10}\n`,
    yaml: `limits: { calls: ${calls + 10}, loop_lag_ms: 1000, pacing_lateness_ms: 1000 }\n`,
  })
  const machineLag = new LoopLag()
  try {
    const file = new ConfigurationFile(engine)
    const measured: MeasuredRun[] = []
    const done: ReloadsDone = { changed: 0, refused: 0, wrong: [] }
    // The first reloads load code and caches: they are not what a hundred more would add.
    for (let warm = 0; warm < 4; warm += 1) await file.reload(done)
    let residentBefore = 0
    for (let run = 0; run < 2 * runs; run += 1) {
      const withReloads = run % 2 === 1
      // Behind the first pair; of a single pair, before its reloads.
      if (run === Math.min(2, 2 * runs - 1)) residentBefore = (await engine.collect()).residentBytes
      const share = Math.ceil(reloads / runs)
      const changing = async () => {
        const pauseMs = (seconds * 1000) / share
        for (let nth = 0; withReloads && nth < share; nth += 1) {
          const begunMs = performance.now()
          await file.reload(done)
          await Bun.sleep(Math.max(0, pauseMs - (performance.now() - begunMs)))
        }
      }
      const threads: ReturnType<typeof threadTimes>[] = []
      const figures = await callersOf({ calls, seconds, port: engine.audioSocketPort }, changing, () => {
        if (threads.length === 0) machineLag.restart()
        threads.push(threadTimes(engine.pid))
      })
      const [from = null, until = null] = threads
      measured.push({
        reloads: withReloads,
        figures,
        machineLagMs: machineLag.spread(),
        mainThread: from === null || until === null ? null : perSecond(from, until),
      })
      await engine.untilIdle(10_000)
    }
    const residentAfter = (await engine.collect()).residentBytes
    const givenUp = await engine.metric('ai_agent_pacing_frames_skipped_total')
    const figures = reloadFigures(bench, measured, done, engine.records(), residentAfter - residentBefore, givenUp)
    return { figures, lines: reloadLines(figures), missing: whatWentWrong(figures, done) }
  } finally {
    await engine.stop()
  }
}

/** Callers who stay for so long, and what is done meanwhile; `edge` is called where the measured time begins, and where it ends. */
async function callersOf(
  { calls, seconds, port }: { readonly calls: number; readonly seconds: number; readonly port: number },
  meanwhile: () => Promise<void>,
  edge: () => void,
): Promise<CallersFigures> {
  const job: CallersJob = {
    door: 'audiosocket',
    port,
    mediaPort: 0,
    calls,
    seconds,
    setupRate: 50,
    churn: 0,
    admission: false,
  }
  const callers = new Part<FromCallers>('media-callers.ts', job)
  try {
    await callers.next('up')
    callers.tell({ type: 'begin' })
    edge()
    await Promise.all([callers.next('elapsed').then(edge), meanwhile()])
    const figures = await callers.next('figures')
    callers.tell({ type: 'hang_up' })
    await callers.exited
    return figures
  } finally {
    callers.kill()
  }
}

/** The file of the running engine, changed as an editor does it, and asked for at once. */
class ConfigurationFile {
  private readonly engine: BedEngine
  private readonly base: string
  private count = 0

  constructor(engine: BedEngine) {
    this.engine = engine
    this.base = readFileSync(engine.configurationFile, 'utf8')
  }

  /** One reload more, of the kind whose turn it is; what came of it is noted. */
  async reload(done: ReloadsDone): Promise<void> {
    const nth = this.count
    this.count += 1
    const kind = kinds[nth % kinds.length] as (typeof kinds)[number]
    const whole = this.base + (variants[nth % variants.length] as string)
    const text =
      kind === 'changed'
        ? whole
        : kind === 'invalid'
          ? `${this.base}barge_in: { min_ms: fast }\n`
          : `${this.base}llm: { initial_greeting: "Half a gree`
    if (kind === 'half_written') writeFileSync(this.engine.configurationFile, text)
    else {
      const draft = join(this.engine.folder, '.engine.yaml.swp')
      writeFileSync(draft, text)
      renameSync(draft, this.engine.configurationFile)
    }
    const answer = await fetch(`${this.engine.httpUrl}/api/reload`, { method: 'POST' })
    const { outcome, problems } = (await answer.json()) as { outcome: string; problems: readonly string[] }
    // Whether the file was noticed by itself before it was asked for is chance.
    const good = kind === 'changed' ? outcome !== 'refused' : outcome === 'refused' && namesPlace(problems)
    if (!good) done.wrong.push(`${kind}: ${outcome} ${problems.join(' ')}`)
    else if (kind === 'changed') done.changed += 1
    else done.refused += 1
  }
}

function namesPlace(problems: readonly string[]): boolean {
  return problems.length > 0 && problems.every((problem) => /engine\.yaml:\d+:\d+: /.test(problem))
}
