import { SystemClock } from '#base/clock.ts'
import { systemRandom as random } from '#base/random.ts'
import { type AnySession, startStandin } from '../../test/standin/deepgram/server.ts'
import { replyTo, thinkingJitterMs, thinkingMs } from './provider-script.ts'
import { SessionWatch } from './provider-watch.ts'

/** The stand-in for Deepgram's agent in `just bench provider`. @returns where it listens */
export function serveDeepgram(pace: number, watches: SessionWatch[]): string {
  // keyed by: the session that is watched
  const watched = new Map<AnySession, SessionWatch>()
  const server = startStandin({
    clock: new SystemClock(),
    random,
    replies: ({ session, index }) => replyTo(session.settings?.prompt ?? '', index),
    pace,
    get firstChunkAfterMs() {
      return thinkingMs + random.next() * thinkingJitterMs
    },
    keepMessages: false,
    keepAudio: false,
    onSession(session) {
      if (session.kind !== 'agent') return
      const { record } = session
      const watch = new SessionWatch({
        appends: () => record.binaryMessages,
        bytes: () => record,
        seen: () => ({
          call: session.settings?.prompt ?? '',
          speechStarted: record.speechStarted.map(({ atMs }) => performance.timeOrigin + atMs),
          errors: record.errors.map(({ code }) => code),
        }),
      })
      session.receive = watch.timed(session.receive.bind(session))
      watched.set(session, watch)
      watches.push(watch)
    },
    onChunk: (session, { startMs }) => watched.get(session)?.audio(startMs),
  })
  return server.baseUrl
}
