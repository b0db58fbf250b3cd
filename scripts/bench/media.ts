import { freeTcpPort } from '../../test/bed/ports.ts'
import { type MediaFigures, mediaFigures, mediaLines, whatIsMissing } from './media-figures.ts'
import { LoopLag } from './media-loop-lag.ts'
import type { CallersFigures, CallersJob, Door, EngineJob, FromCallers, FromEngine } from './media-wire.ts'
import { Part } from './part.ts'

/**
 * `just bench media`: callers in one process, the engine in another, real sockets between them. The engine's CPU and
 * memory are counted while all calls are up; what the caller hears is measured at the caller.
 */
export interface MediaBench {
  readonly door: Door
  readonly calls: number
  readonly seconds: number
  readonly setupRate: number
  readonly churn: number
  readonly vad: boolean
  /** The end-of-turn model at every pause: 70 ms of a core that is left to it, at lower priority. */
  readonly turnEnds: boolean
  /** In the engine's place an echo that does nothing else: the floor. */
  readonly echo: boolean
  /** With the engine's own limits: what would be too much is refused. */
  readonly admission: boolean
}

export interface MediaRun {
  readonly figures: MediaFigures
  readonly lines: readonly string[]
  /** Why it failed; empty when every call and every frame was there, and the engine stopped as it should. */
  readonly missing: readonly string[]
}

export async function benchMedia(bench: MediaBench): Promise<MediaRun> {
  if (bench.echo && bench.door !== 'audiosocket') throw new Error('the echo speaks AudioSocket only')
  // A short call lives half a second, and its end takes a moment.
  const callsMax = bench.calls + Math.ceil(bench.churn * 3) + 10
  const mediaPort = freeTcpPort()
  const { door, vad, turnEnds, admission } = bench
  const engineJob: EngineJob = { door, callsMax, mediaPort, vad, turnEnds, admission }
  const engine = new Part<FromEngine>(bench.echo ? 'media-echo.ts' : 'media-engine.ts', engineJob)
  // This process has nothing to do meanwhile: where its timer is late, the machine was busy with something else.
  const machineLag = new LoopLag()
  let callers: Part<FromCallers> | null = null
  try {
    const { port, rssBytes: idleRssBytes } = await engine.next('listening')
    const { door, calls, seconds, setupRate, churn, admission } = bench
    const callersJob: CallersJob = { door, port, mediaPort, calls, seconds, setupRate, churn, admission }
    callers = new Part<FromCallers>('media-callers.ts', callersJob)
    const { setupMs } = await callers.next('up')
    engine.tell({ type: 'begin' })
    await engine.next('begun')
    machineLag.restart()
    callers.tell({ type: 'begin' })
    await callers.next('elapsed')
    engine.tell({ type: 'end' })
    const used = await engine.next('usage')
    const { p99, max } = machineLag.spread()
    const heard = await callers.next('figures')
    callers.tell({ type: 'hang_up' })
    engine.tell({ type: 'drain' })
    const drained = await engine.next('drained')
    engine.tell({ type: 'stop' })
    const code = await engine.exited
    const figures = mediaFigures(door, calls - heard.refused, heard, used, idleRssBytes, drained.underruns)
    return {
      figures,
      lines: [
        describe(bench, setupMs, heard, drained),
        ...mediaLines(figures),
        `the machine: an idle process beside it was late by p99 ${p99}, max ${max} ms`,
      ],
      missing: [...whatIsMissing(figures, heard), ...(code === 0 ? [] : [`the engine ended with code ${code}`])],
    }
  } finally {
    callers?.kill()
    engine.kill()
  }
}

function describe(
  bench: MediaBench,
  setupMs: number,
  heard: CallersFigures,
  drained: { readonly lateTicks: number; readonly framesGivenUp: number },
): string {
  const what = bench.echo
    ? 'an echo in the engine’s place'
    : bench.vad
      ? `the engine, speech detection on every call${bench.turnEnds ? ' and the end-of-turn model at its pauses' : ''}`
      : 'the engine, the agent finds the turns and speech detection is off'
  const refused = bench.admission ? `, ${heard.refused} refused` : ''
  const churn = bench.churn === 0 ? '' : `, ${heard.shortCalls} short calls beside them`
  const audible = bench.echo ? '' : `, a reply in ${(heard.audibleShare * 100).toFixed(0)} % of the frames`
  return `${bench.calls} calls for ${bench.seconds} s through ${bench.door}: ${what}; set up in ${(setupMs / 1000).toFixed(1)} s${refused}${churn}${audible}; late ticks ${drained.lateTicks}, frame times given up ${drained.framesGivenUp}; the load process takes ${heard.cpuMsPerCallSecond} ms of CPU per call-second`
}
