import { serveDeepgram } from './provider-standin-deepgram.ts'
import { serveOpenAi } from './provider-standin-openai.ts'
import type { SessionWatch } from './provider-watch.ts'
import type { FromStandin, ProviderName, StandinJob, ToStandin } from './provider-wire.ts'

/** The stand-in's process in `just bench provider`: notes when what came in and left, and keeps nothing of it. */
const job = JSON.parse(process.argv[2] ?? '{}') as StandinJob
const servers: Readonly<Record<ProviderName, (pace: number, watches: SessionWatch[]) => string>> = {
  openai_realtime: serveOpenAi,
  deepgram: serveDeepgram,
}
const watches: SessionWatch[] = []
const say = (message: FromStandin) => void process.send?.(message)
const baseUrl = servers[job.provider](job.pace, watches)

let began = { ...bytes(), cpu: process.cpuUsage() }
process.on('message', (message: ToStandin) => {
  if (message.type === 'begin') {
    began = { ...bytes(), cpu: process.cpuUsage() }
    return
  }
  const { user, system } = process.cpuUsage(began.cpu)
  const { received, sent } = bytes()
  say({
    type: 'seen',
    sessions: watches.map((watch) => watch.seen()),
    // What the server receives is what the engine has sent.
    bytesSent: received - began.received,
    bytesReceived: sent - began.sent,
    cpuMs: (user + system) / 1000,
  })
})
process.on('disconnect', () => process.exit(1))
say({ type: 'listening', baseUrl })

function bytes(): { readonly received: number; readonly sent: number } {
  let [received, sent] = [0, 0]
  for (const watch of watches) {
    received += watch.bytes.receivedBytes
    sent += watch.bytes.sentBytes
  }
  return { received, sent }
}
