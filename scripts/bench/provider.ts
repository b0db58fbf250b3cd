import { freeTcpPort } from '../../test/bed/ports.ts'
import { mediaFigures, rounded, whatIsMissing } from './media-figures.ts'
import { LoopLag } from './media-loop-lag.ts'
import type { FromEngine } from './media-wire.ts'
import { Part } from './part.ts'
import { providerDelays } from './provider-delays.ts'
import { type ProviderFigures, providerFigures, providerLines, whatIsWrong } from './provider-figures.ts'
import type {
  FromProviderCallers,
  FromStandin,
  ProviderCallersJob,
  ProviderDoor,
  ProviderEngineJob,
  ProviderFormat,
  ProviderName,
  StandinJob,
} from './provider-wire.ts'

/**
 * `just bench provider`: callers, engine and a stand-in for the vendor's server, each in a process of its own, since what
 * is counted is the engine's CPU alone, and neither of the others should find its clock late by what the other does.
 */
export interface ProviderBench {
  readonly provider: ProviderName
  readonly door: ProviderDoor
  readonly calls: number
  readonly seconds: number
  readonly setupRate: number
  readonly format: ProviderFormat
  readonly pace: number
  readonly vad: boolean
  /** In the engine's place a loop that does nothing but what no engine can leave out. */
  readonly floor: boolean
  /** Where the engine's CPU profile goes; empty: nowhere. */
  readonly profile: string
}

export interface ProviderRun {
  readonly figures: ProviderFigures
  readonly lines: readonly string[]
  /** Why it failed; empty when every call, frame and reply was there, and the engine stopped as it should. */
  readonly missing: readonly string[]
}

/** `append_ms` and `chunk_ms` as the configuration has them by default, in frames. */
const framesPerAppend = 2

export async function benchProvider(bench: ProviderBench): Promise<ProviderRun> {
  const { provider, door, calls, seconds, setupRate, format, pace, vad, floor, profile } = bench
  if (floor && door !== 'audiosocket') throw new Error('the floor speaks AudioSocket only')
  const standinJob: StandinJob = { provider, pace }
  const standin = new Part<FromStandin>('provider-standin.ts', standinJob)
  let engine: Part<FromEngine> | null = null
  let callers: Part<FromProviderCallers> | null = null
  // This process has nothing to do meanwhile: where its timer is late, the machine was busy with something else.
  const machineLag = new LoopLag()
  try {
    const { baseUrl } = await standin.next('listening')
    const mediaPort = freeTcpPort()
    const engineJob: ProviderEngineJob = {
      door,
      callsMax: calls + 10,
      mediaPort,
      vad,
      turnEnds: false,
      admission: false,
      baseUrl,
      provider,
      format,
    }
    engine = new Part<FromEngine>(floor ? 'provider-floor.ts' : 'provider-engine.ts', engineJob, profileTo(profile))
    const { port, rssBytes: idleRssBytes } = await engine.next('listening')
    const callersJob: ProviderCallersJob = {
      door,
      port,
      mediaPort,
      calls,
      seconds,
      setupRate,
      churn: 0,
      admission: false,
    }
    callers = new Part<FromProviderCallers>('provider-callers.ts', callersJob)
    const { setupMs } = await callers.next('up')
    engine.tell({ type: 'begin' })
    await engine.next('begun')
    machineLag.restart()
    standin.tell({ type: 'begin' })
    callers.tell({ type: 'begin' })
    await callers.next('elapsed')
    engine.tell({ type: 'end' })
    standin.tell({ type: 'end' })
    const used = await engine.next('usage')
    const { p99, max } = machineLag.spread()
    const seen = await standin.next('seen')
    const heard = await callers.next('figures')
    const window = await callers.next('heard')
    callers.tell({ type: 'hang_up' })
    engine.tell({ type: 'drain' })
    const drained = await engine.next('drained')
    engine.tell({ type: 'stop' })
    const code = await engine.exited

    const delays = providerDelays(window, window.calls, seen.sessions, framesPerAppend)
    const media = mediaFigures(door, calls, heard, used, idleRssBytes, drained.underruns)
    const figures = providerFigures({ provider, format, pace }, media, used.wallMs, seen, delays)
    const what = floor
      ? 'a loop in the engine’s place'
      : `the engine, ${vad ? 'speech detection on every call' : 'the server finds the turns and speech detection is off'}`
    const standinMs = rounded((seen.cpuMs * 1000) / used.wallMs / calls, 3)
    const audible = `a reply in ${(heard.audibleShare * 100).toFixed(0)} % of the frames`
    return {
      figures,
      lines: [
        `${calls} calls for ${seconds} s through ${door} with ${provider}, ${format}, replies at ${pace} × real time: ${what}; set up in ${(setupMs / 1000).toFixed(1)} s, ${audible}; late ticks ${drained.lateTicks}, frame times given up ${drained.framesGivenUp}; of CPU per call-second the load process takes ${heard.cpuMsPerCallSecond} ms and the server ${standinMs}`,
        ...providerLines(figures, delays),
        `the machine: an idle process beside it was late by p99 ${p99}, max ${max} ms`,
      ],
      missing: [
        ...whatIsMissing(figures, heard),
        ...whatIsWrong(calls, seen.sessions, delays),
        ...(code === 0 ? [] : [`the engine ended with code ${code}`]),
      ],
    }
  } finally {
    callers?.kill()
    engine?.kill()
    standin.kill()
  }
}

function profileTo(folder: string): readonly string[] {
  return folder === '' ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`]
}
