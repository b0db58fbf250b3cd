import { rounded } from './media-figures.ts'
import type { CallersFigures, Spread } from './media-wire.ts'
import type { ReloadBench } from './reload.ts'
import type { ThreadShare } from './thread-times.ts'

/** One run with reloads, or one without. */
export interface MeasuredRun {
  readonly reloads: boolean
  readonly figures: CallersFigures
  /** How late the timers of a process were that did nothing but wait beside it. */
  readonly machineLagMs: Spread<'p99' | 'max'>
  /** Of the engine, in milliseconds a second; null where the system does not tell. */
  readonly mainThread: ThreadShare | null
}

/** A value of the runs without reloads, and of those with. */
interface Both<Value> {
  readonly without: Value
  readonly with: Value
}

export interface ReloadsDone {
  changed: number
  /** With the place of the fault. */
  refused: number
  /** Those that were answered otherwise than they should have been. */
  readonly wrong: string[]
}

interface Lag {
  readonly p99: number
  readonly max: number
}

/** The figures of `just bench reload`. */
export interface ReloadFigures {
  readonly calls: number
  readonly runs: number
  readonly reloads: { readonly changed: number; readonly refused: number; readonly wrong: number }
  /** At the caller, p99 in milliseconds: of each run, and their medians. */
  readonly gap_p99_ms: {
    readonly without: readonly number[]
    readonly with: readonly number[]
    readonly median_without: number
    readonly median_with: number
  }
  readonly gap_max_ms: Both<number>
  readonly late_frames: Both<number>
  /** Of the engine's main thread, in a second, medians of the runs; null where the system does not tell. */
  readonly main_thread_ms: Both<ThreadShare | null>
  /** How late the timers of the callers were, whose clock measures the gaps: median of the runs' p99, and the most. */
  readonly callers_lag_ms: Both<Lag>
  /** The same of a process that did nothing but wait. */
  readonly machine_lag_ms: Both<Lag>
  readonly frames_missing: number
  /** Frame times that the engine gave up, on a machine that stood still for more than 100 ms. */
  readonly frame_times_given_up: number
  readonly calls_held: number
  readonly calls_expected: number
  /** Calls whose record names another provider or another end than they had. */
  readonly calls_changed: number
  /** Of resident memory after a collection, from the end of the first pair of runs to the end of the last. */
  readonly memory_growth_bytes: number
}

export function reloadFigures(
  bench: ReloadBench,
  runs: readonly MeasuredRun[],
  done: ReloadsDone,
  records: readonly Record<string, unknown>[],
  growthBytes: number,
  givenUp: number,
): ReloadFigures {
  const of = (reloads: boolean) => runs.filter((run) => run.reloads === reloads)
  const both = <Value>(value: (those: readonly MeasuredRun[]) => Value): Both<Value> => ({
    without: value(of(false)),
    with: value(of(true)),
  })
  const sum = (those: readonly MeasuredRun[], value: (figures: CallersFigures) => number) =>
    those.reduce((total, { figures }) => total + value(figures), 0)
  const p99 = both((those) => those.map(({ figures }) => figures.gapMs.p99))
  return {
    calls: bench.calls,
    runs: bench.runs,
    reloads: { changed: done.changed, refused: done.refused, wrong: done.wrong.length },
    gap_p99_ms: {
      ...p99,
      median_without: median(p99.without),
      median_with: median(p99.with),
    },
    gap_max_ms: both((those) => Math.max(...those.map(({ figures }) => figures.gapMs.max))),
    late_frames: both((those) => sum(those, ({ lateFrames }) => lateFrames)),
    main_thread_ms: both((those) => shareOf(those.flatMap(({ mainThread }) => mainThread ?? []))),
    callers_lag_ms: both((those) => lagOf(those.map(({ figures }) => figures.ownLagMs))),
    machine_lag_ms: both((those) => lagOf(those.map(({ machineLagMs }) => machineLagMs))),
    frames_missing: sum(runs, ({ framesExpected, framesReceived }) => framesExpected - framesReceived),
    frame_times_given_up: givenUp,
    calls_held: sum(runs, ({ callsHeld }) => callsHeld),
    calls_expected: bench.calls * runs.length,
    calls_changed:
      bench.calls * runs.length -
      records.filter(({ provider, cause }) => provider === 'loopback' && cause === 'caller').length,
    memory_growth_bytes: growthBytes,
  }
}

export function reloadLines(figures: ReloadFigures): string[] {
  const { gap_p99_ms: gap, gap_max_ms: most, reloads, late_frames: late } = figures
  const mib = rounded(figures.memory_growth_bytes / 1024 / 1024, 1)
  return [
    `${figures.calls} calls, ${figures.runs} runs with reloads and ${figures.runs} without, in turn: ${reloads.changed} reloads taken, ${reloads.refused} refused with the place of the fault, ${reloads.wrong} answered wrongly`,
    `gap between frames at the caller, p99, median of the runs: ${gap.median_without} ms without reloads, ${gap.median_with} with (${gap.without.join(', ')}; ${gap.with.join(', ')}); the longest ${most.without} and ${most.with} ms; a whole frame late ${late.without} and ${late.with}`,
    ...belowTheGaps(figures),
    `calls that held: ${figures.calls_held} of ${figures.calls_expected}, ${figures.calls_changed} of them changed; frames missing: ${figures.frames_missing}, frame times given up: ${figures.frame_times_given_up}; memory after a collection grew by ${mib} MiB from the first pair of runs to the last`,
  ]
}

/** What a gap is made of beside the engine's own work. */
function belowTheGaps({ main_thread_ms: thread, callers_lag_ms: callers, machine_lag_ms: machine }: ReloadFigures) {
  const lag = ({ p99, max }: Lag) => `p99 ${p99}, max ${max} ms`
  const times = (share: ThreadShare | null) =>
    share === null ? 'unknown' : `ran ${share.ran} and waited ${share.waited} ms`
  return [
    `the engine's main thread in a second, and what it waited for a core: ${times(thread.without)} without reloads, ${times(thread.with)} with`,
    `late by themselves: the callers' timers by ${lag(callers.without)} without reloads, ${lag(callers.with)} with; an idle process beside it by ${lag(machine.without)} and ${lag(machine.with)}`,
  ]
}

function shareOf(shares: readonly ThreadShare[]): ThreadShare | null {
  if (shares.length === 0) return null
  return { ran: median(shares.map(({ ran }) => ran)), waited: median(shares.map(({ waited }) => waited)) }
}

function lagOf(lags: readonly Lag[]): Lag {
  return { p99: median(lags.map(({ p99 }) => p99)), max: Math.max(...lags.map(({ max }) => max)) }
}

/** 32 MiB: what compiled code and an allocator may differ by; a configuration that stayed would be more, over 200. */
const growthMaxBytes = 32 * 1024 * 1024

/** Why the run has failed; how late frames were is for the reader. */
export function whatWentWrong(figures: ReloadFigures, done: ReloadsDone): string[] {
  return [
    ...done.wrong.slice(0, 5).map((wrong) => `a reload was answered wrongly: ${wrong}`),
    ...(figures.calls_held < figures.calls_expected
      ? [`${figures.calls_expected - figures.calls_held} calls did not hold`]
      : []),
    ...(figures.memory_growth_bytes > growthMaxBytes
      ? [`memory grew by ${rounded(figures.memory_growth_bytes / 1024 / 1024, 1)} MiB`]
      : []),
    ...(figures.calls_changed > 0 ? [`${figures.calls_changed} calls have another record than they should`] : []),
    ...(figures.frames_missing > figures.frame_times_given_up * figures.calls
      ? [`${figures.frames_missing} frames are missing`]
      : []),
  ]
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? 0)
    : rounded(((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2, 3)
}
