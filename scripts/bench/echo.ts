import { EchoDetector } from '#audio/echo-detector.ts'
import { EchoCall } from '../../test/fakes/echo-call.ts'
import { echoVoice } from '../../test/fakes/echo-voice.ts'
import { machine, percentile } from './figures.ts'

/**
 * What telling the agent's own voice costs, in microseconds: each frame both ways, each piece of learning, each report,
 * and each frame that is cleaned. The calls have an echo of −15 dB in a room; the agent speaks all the time.
 */
export interface EchoFigures {
  /** Both ways of one frame, by the leg's rate. */
  readonly frame_us: Readonly<Record<string, number>>
  readonly tick_us: Spread
  readonly report_known_us: Spread
  /** Reports on a call whose echo is not known, or over which a caller speaks: a delay is searched for. */
  readonly report_searching_us: Spread
  readonly clean_us: Spread
  /** All of it, by the medians, for a second in which the agent speaks: 50 frames cleaned, five ticks, ten reports. */
  readonly ms_per_call_second: number
}

interface Spread {
  readonly p50: number
  readonly p95: number
  readonly max: number
}

const seconds = 20
const rounds = 4

export function benchEcho(): { readonly lines: readonly string[]; readonly figures: EchoFigures } {
  const ticks: number[] = []
  const known: number[] = []
  const searching: number[] = []
  const cleans: number[] = []
  // The first call of each kind is left out: the compiler is still at work in it.
  for (let round = 0; round <= rounds; round += 1) {
    const cleaned = new Int16Array(160)
    run(round, { delayMs: 120, gainDb: -15, spreadMs: 30, seed: round }, (detector, frame, measure) => {
      if (frame % 5 === 0) {
        const times = detector.known && detector.report(120).echoShare > 0.9 ? known : searching
        measure(times, () => detector.report(120))
      }
      if (detector.known) measure(cleans, () => detector.clean(cleaned))
    })
    if (round === 0) for (const times of [ticks, known, searching, cleans]) times.length = 0
  }

  function run(
    seed: number,
    path: { delayMs: number; gainDb: number; spreadMs: number; seed: number },
    each: (detector: EchoDetector, frame: number, measure: typeof timed) => void,
  ): void {
    const agent = echoVoice({ seed, durationMs: seconds * 1000, sampleRateHz: 8000, dbfs: -20, pitchHz: 180 })
    const caller = new Int16Array(agent.length)
    caller.set(echoVoice({ seed: seed + 100, durationMs: 4000, sampleRateHz: 8000, dbfs: -25, pitchHz: 120 }), 80_000)
    const call = new EchoCall({ sampleRateHz: 8000, agent, caller, path, law: 'mu', noise: { dbfs: -65, seed } })
    const tick = call.detector.tick.bind(call.detector)
    call.detector.tick = () => {
      const us = timed([], tick)
      // The others are those that had nothing to do.
      if (us > 20) ticks.push(us)
    }
    call.run((frame) => each(call.detector, frame, timed))
  }

  const frames = Object.fromEntries([8000, 16_000, 24_000, 48_000].map((rateHz) => [rateHz, frameUs(rateHz)]))
  const figures: EchoFigures = {
    frame_us: frames,
    tick_us: spread(ticks),
    report_known_us: spread(known),
    report_searching_us: spread(searching),
    clean_us: spread(cleans),
    ms_per_call_second: rounded(
      (50 * ((frames['8000'] as number) + median(cleans)) + 5 * median(ticks) + 10 * median(known)) / 1000,
    ),
  }
  const line = (name: string, { p50, p95, max }: Spread, aim: string) =>
    `${name}: p50 ${p50}, p95 ${p95}, max ${max} µs  (aim: ${aim})`
  return {
    figures,
    lines: [
      `a frame both ways: ${Object.entries(frames)
        .map(([rateHz, us]) => `${us} µs at ${rateHz} Hz`)
        .join(', ')}  (aim: 4 µs)`,
      line(`a tick that learns or searches, n ${ticks.length}`, figures.tick_us, 'p95 within 500 µs'),
      line(`a report of a known echo, n ${known.length}`, figures.report_known_us, 'p95 within 300 µs'),
      line(`a report that searches, n ${searching.length}`, figures.report_searching_us, 'p95 within 500 µs'),
      line(`a frame cleaned, n ${cleans.length}`, figures.clean_us, 'p95 within 100 µs'),
      `a second of a call with an echo, while the agent speaks: ${figures.ms_per_call_second} ms of CPU`,
    ],
  }
}

function timed(times: number[], action: () => unknown): number {
  const from = performance.now()
  action()
  const us = (performance.now() - from) * 1000
  times.push(us)
  return us
}

/** One frame is too short for the clock: a thousand are measured, and the best of ten such runs counts. */
function frameUs(sampleRateHz: number): number {
  const frame = new Int16Array(sampleRateHz / 50).fill(100)
  const detector = new EchoDetector(sampleRateHz)
  const runs: number[] = []
  for (let run = 0; run < 10; run += 1) {
    timed(runs, () => {
      for (let each = 1000 * run; each < 1000 * (run + 1); each += 1) {
        detector.sent(frame, 20 * each)
        detector.heard(frame, 20 * each)
      }
    })
  }
  return rounded(Math.min(...runs) / 1000)
}

function spread(times: readonly number[]): Spread {
  const at = (share: number) => Math.round(percentile(times, share))
  return { p50: at(0.5), p95: at(0.95), max: at(1) }
}

const median = (times: readonly number[]) => percentile(times, 0.5)
const rounded = (value: number) => Number(value.toFixed(2))

if (import.meta.main) {
  const { lines, figures } = benchEcho()
  console.log(machine())
  for (const line of lines) console.log(line)
  console.log(JSON.stringify(figures))
}
