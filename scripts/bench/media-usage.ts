import { rounded } from './media-figures.ts'
import { LoopLag } from './media-loop-lag.ts'
import type { FromEngine, ToEngine } from './media-wire.ts'

/** The measured process's side of the talk with the orchestrator: CPU, memory and how late its event loop is. */
export interface Measured {
  readonly port: number
  readonly calls: () => number
  readonly drained: () => Promise<{ underruns: number; lateTicks: number; framesGivenUp: number }>
  readonly stop: () => Promise<void>
}

const drainMaxMs = 15_000

export async function answerOrchestrator(measured: Measured): Promise<void> {
  const say = (message: FromEngine) => void process.send?.(message)
  let began = { atMs: 0, cpu: process.cpuUsage() }
  const lag = new LoopLag()
  process.on('message', async (message: ToEngine) => {
    switch (message.type) {
      case 'begin':
        began = { atMs: performance.now(), cpu: process.cpuUsage() }
        lag.restart()
        return say({ type: 'begun' })
      case 'end': {
        const { user, system } = process.cpuUsage(began.cpu)
        const wallMs = performance.now() - began.atMs
        const { rss } = process.memoryUsage()
        say({
          type: 'usage',
          wallMs: rounded(wallMs, 1),
          cpuMs: rounded((user + system) / 1000, 1),
          rssBytes: rss,
          calls: measured.calls(),
          loopLagMs: lag.spread(),
        })
        return
      }
      case 'drain': {
        const deadline = performance.now() + drainMaxMs
        while (measured.calls() > 0 && performance.now() < deadline) await Bun.sleep(20)
        if (measured.calls() > 0)
          console.error(`${measured.calls()} calls are still there ${drainMaxMs} ms after the hang-up`)
        return say({ type: 'drained', ...(await measured.drained()) })
      }
      case 'stop':
        await measured.stop()
        process.exit(0)
    }
  })
  process.on('disconnect', () => process.exit(1))
  // What starting has left behind is no call's.
  Bun.gc(true)
  await Bun.sleep(500)
  say({ type: 'listening', port: measured.port, rssBytes: process.memoryUsage().rss })
}
