import { audioSocketLines } from './media-audiosocket-lines.ts'
import { Callers, type Lines } from './media-load.ts'
import { rtpLines } from './media-rtp-lines.ts'
import { webSocketLines } from './media-websocket-lines.ts'
import type { CallersJob, FromCallers, ToCallers } from './media-wire.ts'

/** The load process of `just bench media`. */
function linesOf({ door, port, mediaPort }: CallersJob): Promise<Lines> {
  switch (door) {
    case 'audiosocket':
      return audioSocketLines(port)
    case 'externalmedia':
      return rtpLines(port)
    case 'websocket':
      return webSocketLines(port, mediaPort)
  }
}

const say = (message: FromCallers) => void process.send?.(message)

async function main(job: CallersJob): Promise<void> {
  const callers = new Callers(job, await linesOf(job))
  process.on('disconnect', () => process.exit(1))
  process.on('message', async (message: ToCallers) => {
    if (message.type === 'begin') {
      say({ type: 'figures', ...(await callers.measure(() => say({ type: 'elapsed' }))) })
    } else {
      await callers.hangUp()
      process.exit(0)
    }
  })
  say({ type: 'up', setupMs: await callers.setUp() })
}

try {
  await main(JSON.parse(process.argv[2] ?? '{}') as CallersJob)
} catch (thrown) {
  say({ type: 'failed', why: thrown instanceof Error ? thrown.message : String(thrown) })
}
