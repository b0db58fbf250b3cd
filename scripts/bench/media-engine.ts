import { SystemClock } from '#base/clock.ts'
import { runEngine } from './engine-process.ts'
import { createBenchAgent } from './media-agent.ts'
import type { EngineJob } from './media-wire.ts'

/** The engine process of `just bench media`: its partner costs nothing. */
const job = JSON.parse(process.argv[2] ?? '{}') as EngineJob
const clock = new SystemClock()
await runEngine(job, clock, () => ({
  name: 'bench',
  provider: createBenchAgent(job.vad ? 'engine' : 'provider', clock),
}))
