import { messageOf } from '#base/result.ts'
import { Callers } from './media-load.ts'
import type { ToCallers } from './media-wire.ts'
import { conversationLines } from './provider-lines.ts'
import type { FromProviderCallers, ProviderCallersJob } from './provider-wire.ts'
import { commonNow } from './turns-wire.ts'

/** The load process of `just bench provider`. */
const say = (message: FromProviderCallers) => void process.send?.(message)

async function main(job: ProviderCallersJob): Promise<void> {
  const talk = await conversationLines(job.door, job.port)
  const callers = new Callers(job, talk)
  process.on('disconnect', () => process.exit(1))
  process.on('message', async (message: ToCallers) => {
    if (message.type === 'begin') {
      const fromMs = commonNow()
      let untilMs = fromMs
      const figures = await callers.measure(() => {
        untilMs = commonNow()
        say({ type: 'elapsed' })
      })
      say({ type: 'figures', ...figures })
      say({ type: 'heard', fromMs, untilMs, calls: talk.lines.map((line) => line.heard()) })
    } else {
      await callers.hangUp()
      process.exit(0)
    }
  })
  say({ type: 'up', setupMs: await callers.setUp() })
}

try {
  await main(JSON.parse(process.argv[2] ?? '{}') as ProviderCallersJob)
} catch (thrown) {
  say({ type: 'failed', why: messageOf(thrown) })
}
