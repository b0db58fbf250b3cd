import { SystemClock } from '#base/clock.ts'
import { systemRandom as random } from '#base/random.ts'
import { startStandin } from '../../test/standin/openai-realtime/server.ts'
import type { StandinSession } from '../../test/standin/openai-realtime/session.ts'
import { replyTo, thinkingJitterMs, thinkingMs } from './provider-script.ts'
import { SessionWatch } from './provider-watch.ts'

/** The stand-in for the Realtime API in `just bench provider`. @returns where it listens */
export function serveOpenAi(pace: number, watches: SessionWatch[]): string {
  // keyed by: the session that is watched
  const watched = new Map<StandinSession, SessionWatch>()
  const server = startStandin({
    clock: new SystemClock(),
    random,
    replies: ({ session, index }) => replyTo(session.settings.instructions, index),
    pace,
    get firstDeltaAfterMs() {
      return thinkingMs + random.next() * thinkingJitterMs
    },
    keepEvents: false,
    keepAudio: false,
    onSession(session) {
      const { record } = session
      const watch = new SessionWatch({
        appends: () => record.appends,
        bytes: () => record,
        seen: () => ({
          call: session.settings.instructions,
          speechStarted: record.speechStarted.map(({ atMs }) => performance.timeOrigin + atMs),
          errors: record.errors.map(({ error }) => error.code ?? error.type),
        }),
      })
      session.receive = watch.timed(session.receive.bind(session))
      watched.set(session, watch)
      watches.push(watch)
    },
    onDelta: (session, { startMs }) => watched.get(session)?.audio(startMs),
  })
  return server.baseUrl
}
