import { SystemClock } from '#base/clock.ts'
import { systemRandom } from '#base/random.ts'
import { startStandin } from '../../test/standin/openai-realtime/server.ts'
import type { StandinSession } from '../../test/standin/openai-realtime/session.ts'
import type { SentDelta } from '../../test/standin/openai-realtime/session-record.ts'
import { replyTo, thinkingJitterMs, thinkingMs } from './provider-script.ts'
import type { FromStandin, SessionSeen, StandinJob, ToStandin } from './provider-wire.ts'
import { commonNow } from './turns-wire.ts'

/** The stand-in's process in `just bench provider`: notes when what came in and left, and keeps nothing of it. */
const job = JSON.parse(process.argv[2] ?? '{}') as StandinJob
const random = systemRandom
// keyed by: the session that is watched
const watched = new Map<StandinSession, Watch>()
const say = (message: FromStandin) => void process.send?.(message)

class Watch {
  private readonly session: StandinSession
  private readonly appends: number[] = []
  private readonly replies: number[] = []

  /** A message is timed before it is read. */
  constructor(session: StandinSession) {
    this.session = session
    const { record } = session
    const receive = session.receive.bind(session)
    session.receive = (text) => {
      const [atMs, before] = [commonNow(), record.appends]
      receive(text)
      if (record.appends > before) this.appends.push(atMs)
    }
  }

  delta({ startMs }: SentDelta): void {
    if (startMs === 0) this.replies.push(commonNow())
  }

  get bytes() {
    const { receivedBytes, sentBytes } = this.session.record
    return { receivedBytes, sentBytes }
  }

  seen(): SessionSeen {
    const { record, settings } = this.session
    return {
      call: settings.instructions,
      appends: this.appends,
      replies: this.replies,
      speechStarted: record.speechStarted.map(({ atMs }) => performance.timeOrigin + atMs),
      errors: record.errors.map(({ error }) => error.code ?? error.type),
    }
  }
}

const server = startStandin({
  clock: new SystemClock(),
  random,
  replies: ({ session, index }) => replyTo(session.settings.instructions, index),
  pace: job.pace,
  get firstDeltaAfterMs() {
    return thinkingMs + random.next() * thinkingJitterMs
  },
  keepEvents: false,
  keepAudio: false,
  onSession: (session) => void watched.set(session, new Watch(session)),
  onDelta: (session, delta) => watched.get(session)?.delta(delta),
})

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
    sessions: [...watched.values()].map((watch) => watch.seen()),
    // What the server receives is what the engine has sent.
    bytesSent: received - began.received,
    bytesReceived: sent - began.sent,
    cpuMs: (user + system) / 1000,
  })
})
process.on('disconnect', () => process.exit(1))
say({ type: 'listening', baseUrl: server.baseUrl })

function bytes(): { readonly received: number; readonly sent: number } {
  let [received, sent] = [0, 0]
  for (const watch of watched.values()) {
    received += watch.bytes.receivedBytes
    sent += watch.bytes.sentBytes
  }
  return { received, sent }
}
