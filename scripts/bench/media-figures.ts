import type { CallersFigures, Door, EngineUsage, Spread } from './media-wire.ts'

/** The figures of one run of `just bench media`: as numbers for a machine, and as lines for a reader. */
export interface MediaFigures {
  readonly door: Door
  readonly calls: number
  readonly calls_held: number
  readonly frames_expected: number
  readonly frames_received: number
  /** Between two frames of one call, as the caller receives them; the caller's own jitter is in it. */
  readonly gap_ms: Spread<'p50' | 'p95' | 'p99' | 'p999' | 'max'>
  /** Against the call's first measured frame + n × 20 ms. */
  readonly lateness_ms: Spread<'p50' | 'p99' | 'max'>
  /** Frames that came a whole frame after their place. */
  readonly late_frames: number
  readonly underruns: number
  readonly engine_cpu_ms_per_call_second: number
  readonly rss_bytes_per_call: number
  readonly loop_lag_ms: Spread<'p50' | 'p99' | 'max'>
}

/** Sorts in place. Percentiles by the nearest-rank rule; a name is `p` and the digits behind the point, or `max`. */
export function spread<const Name extends string>(values: Float64Array, names: readonly Name[]): Spread<Name> {
  values.sort()
  const at = (name: Name) => {
    const share = name === 'max' ? 1 : Number(`0.${name.slice(1)}`)
    return values[Math.max(0, Math.ceil(share * values.length) - 1)] ?? 0
  }
  return Object.fromEntries(names.map((name) => [name, rounded(at(name), 3)])) as Spread<Name>
}

export function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}

export function mediaFigures(
  door: Door,
  calls: number,
  heard: CallersFigures,
  used: EngineUsage,
  idleRssBytes: number,
  underruns: number,
): MediaFigures {
  return {
    door,
    calls,
    calls_held: Math.min(heard.callsHeld, used.calls),
    frames_expected: heard.framesExpected,
    frames_received: heard.framesReceived,
    gap_ms: heard.gapMs,
    lateness_ms: heard.latenessMs,
    late_frames: heard.lateFrames,
    underruns,
    engine_cpu_ms_per_call_second: rounded((used.cpuMs * 1000) / used.wallMs / calls, 3),
    rss_bytes_per_call: Math.round((used.rssBytes - idleRssBytes) / calls),
    loop_lag_ms: used.loopLagMs,
  }
}

export function mediaLines(figures: MediaFigures): string[] {
  const { gap_ms: gap, lateness_ms: late, loop_lag_ms: lag } = figures
  const missing = figures.frames_expected - figures.frames_received
  return [
    `calls that held: ${figures.calls_held} of ${figures.calls}`,
    `frames: ${figures.frames_received} of ${figures.frames_expected}, ${missing} missing, ${figures.late_frames} a whole frame late, ${figures.underruns} underruns`,
    `gap between frames at the caller: p50 ${gap.p50}, p95 ${gap.p95}, p99 ${gap.p99}, p99.9 ${gap.p999}, max ${gap.max} ms`,
    `lateness at the caller: p50 ${late.p50}, p99 ${late.p99}, max ${late.max} ms`,
    `engine: ${figures.engine_cpu_ms_per_call_second} ms of CPU per call-second, ${Math.round(figures.rss_bytes_per_call / 1024)} KiB a call, event loop late by p50 ${lag.p50}, p99 ${lag.p99}, max ${lag.max} ms`,
  ]
}

/** Why the run has failed; empty when every call and every frame was there. */
export function whatIsMissing(figures: MediaFigures, heard: CallersFigures): string[] {
  const missing = figures.frames_expected - figures.frames_received
  return [
    ...(figures.calls_held < figures.calls ? [`${figures.calls - figures.calls_held} calls did not hold`] : []),
    ...(missing > 0 ? [`${missing} frames are missing`] : []),
    ...(heard.shortCallsFailed > 0 ? [`${heard.shortCallsFailed} of ${heard.shortCalls} short calls failed`] : []),
  ]
}
