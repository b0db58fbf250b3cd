import { rounded } from './media-figures.ts'
import type { CallersFigures } from './media-wire.ts'
import type { ReloadBench } from './reload.ts'

export interface ReloadsDone {
  changed: number
  /** With the place of the fault. */
  refused: number
  /** Those that were answered otherwise than they should have been. */
  readonly wrong: string[]
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
  readonly gap_max_ms: { readonly without: number; readonly with: number }
  readonly late_frames: { readonly without: number; readonly with: number }
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
  gaps: readonly { readonly reloads: boolean; readonly figures: CallersFigures }[],
  done: ReloadsDone,
  records: readonly Record<string, unknown>[],
  growthBytes: number,
  givenUp: number,
): ReloadFigures {
  const of = (reloads: boolean) => gaps.filter((each) => each.reloads === reloads).map(({ figures }) => figures)
  const [without, with_] = [of(false), of(true)]
  const p99 = (figures: readonly CallersFigures[]) => figures.map(({ gapMs }) => gapMs.p99)
  const sum = (figures: readonly CallersFigures[], value: (each: CallersFigures) => number) =>
    figures.reduce((total, each) => total + value(each), 0)
  const all = gaps.map(({ figures }) => figures)
  return {
    calls: bench.calls,
    runs: bench.runs,
    reloads: { changed: done.changed, refused: done.refused, wrong: done.wrong.length },
    gap_p99_ms: {
      without: p99(without),
      with: p99(with_),
      median_without: median(p99(without)),
      median_with: median(p99(with_)),
    },
    gap_max_ms: {
      without: Math.max(...without.map(({ gapMs }) => gapMs.max)),
      with: Math.max(...with_.map(({ gapMs }) => gapMs.max)),
    },
    late_frames: {
      without: sum(without, ({ lateFrames }) => lateFrames),
      with: sum(with_, ({ lateFrames }) => lateFrames),
    },
    frames_missing: sum(all, ({ framesExpected, framesReceived }) => framesExpected - framesReceived),
    frame_times_given_up: givenUp,
    calls_held: sum(all, ({ callsHeld }) => callsHeld),
    calls_expected: bench.calls * gaps.length,
    calls_changed:
      bench.calls * gaps.length -
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
    `calls that held: ${figures.calls_held} of ${figures.calls_expected}, ${figures.calls_changed} of them changed; frames missing: ${figures.frames_missing}, frame times given up: ${figures.frame_times_given_up}; memory after a collection grew by ${mib} MiB from the first pair of runs to the last`,
  ]
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
