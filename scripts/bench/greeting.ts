import { startAsterisk } from '../../test/bed/asterisk.ts'
import { BedEngine } from '../../test/bed/engine.ts'
import { figuresMs } from './figures.ts'

/** StasisStart → first frame of a cached greeting on the wire, over SIP through a real Asterisk, one call at a time. */
export async function benchGreeting(rounds: number): Promise<string[]> {
  const asterisk = await startAsterisk()
  const engine = await BedEngine.start({ asterisk: asterisk.ari })
  const delays: number[] = []
  try {
    for (let round = 0; round < rounds; round += 1) {
      const call = await asterisk.call({ extension: '100', waitBeforeMs: 20_000 })
      const started = () => engine.log.filter((line) => line.step === 'greeting_started')
      await engine.until('greeting started', 20_000, () => started().length > round)
      delays.push(Number(started().at(-1)?.at_ms))
      await call.hangup()
      await call.ended
      await engine.untilIdle()
    }
  } finally {
    await engine.stop()
    await asterisk.stop()
  }
  return [figuresMs('StasisStart to first greeting frame on the wire, greeting cached', delays, 'p95 150 ms')]
}
