import type { Provider, SessionOf } from '#agent/provider.ts'
import { SentenceQueue } from '#agent/sentence-queue.ts'
import { Tally } from '#agent/tally.ts'
import { bunSocket } from '#agent/wire-socket.ts'
import { Account } from './account.ts'
import type { DeepgramOptions } from './options.ts'
import type { DeepgramPartDeps } from './stt.ts'
import { RestVoice } from './tts-rest.ts'
import { TtsSession } from './tts-session.ts'

/** Deepgram's voice, Aura, as a part of a pipeline: over one socket per call, or over HTTP sentence by sentence. */
export function createDeepgramTts(name: string, options: DeepgramOptions, deps: DeepgramPartDeps): Provider<'tts'> {
  const { clock, random, log } = deps
  const account = new Account(options, deps)
  const openSocket = deps.openSocket ?? bunSocket(clock)
  const tally = new Tally()
  const open: Provider<'tts'>['open'] = (context) => {
    // Each of Deepgram's voices is a model.
    const { voice: model = options.speak.model } = context
    const own = { ...options, speak: { ...options.speak, model } }
    const session: SessionOf<'tts'> =
      own.speak.transport === 'rest'
        ? new SentenceQueue(
            context,
            new RestVoice(
              { options: own, account, ...(deps.fetch === undefined ? {} : { fetch: deps.fetch }) },
              context,
            ),
          )
        : new TtsSession({ options: own, account, openSocket, random, log, tally }, context)
    return Promise.resolve(session)
  }
  let closed = false
  return {
    name,
    role: 'tts',
    turnDetection: 'none',
    readiness: () => account.state.readiness,
    audioRates: (legHz) => ({ inputHz: legHz, outputHz: legHz }),
    events: () => tally.all,
    start: () => account.start(),
    open: (context) => (closed ? Promise.reject(new Error('the voice is closed')) : open(context)),
    async close() {
      closed = true
      await account.close()
    },
  }
}
