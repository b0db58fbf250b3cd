import { resolve } from 'node:path'
import { BedEngine } from '../../test/bed/engine.ts'
import { figuresMs } from './figures.ts'

/** Process start → /live answers, and → speech detection ready, with the loopback provider so that nothing else loads. */
export async function benchStart(rounds: number, binary?: string): Promise<string[]> {
  const live: number[] = []
  const detection: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const started = performance.now()
    const engine = await BedEngine.start({
      provider: 'loopback',
      untilReady: false,
      pollMs: 1,
      yaml: 'providers:\n  local:\n    enabled: false\n',
      ...(binary === undefined ? {} : { binary: resolve(binary) }),
    })
    live.push(performance.now() - started)
    while (!((await engine.health()).speech_detection as { ready?: boolean } | undefined)?.ready) await Bun.sleep(1)
    detection.push(performance.now() - started)
    await engine.stop()
  }
  const from = binary === undefined ? 'from source' : 'binary'
  return [
    figuresMs(`process start to /live, ${from}`, live, '150 ms from source'),
    figuresMs(`process start to speech detection ready, ${from}`, detection, '500 ms'),
  ]
}
