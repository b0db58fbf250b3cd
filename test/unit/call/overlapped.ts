import type { TurnSettings } from '#call/turn-settings.ts'
import { turnSettings } from '../../fakes/call-world.ts'
import { Bench } from './coordinator-bench.ts'

export const settings: Partial<TurnSettings> = {
  bargeIn: {
    ...turnSettings.bargeIn,
    start: 'model',
    onOverlap: 'duck',
    pauseAfterMs: 220,
    pauseMaxMs: 200,
    initialProtectionMs: 0,
    echoDetection: true,
  },
}
/** A reply has sounded for a second, and the caller has spoken for 120 ms. */
export const overlapped = (
  parts: ConstructorParameters<typeof Bench>[2] = {},
  settled: Partial<TurnSettings> = settings,
) => {
  const bench = new Bench(settled, 'engine', { judge: true, ...parts }).answer()
  bench.pass(1000)
  bench.started(120)
  return bench
}
export const verdicts = (bench: Bench) => bench.observer.bargeIns.map(({ verdict }) => verdict)
