import type { CallContext, Provider, SessionOf } from '#agent/provider.ts'
import { SentenceQueue } from '#agent/sentence-queue.ts'
import { serverProvider } from '#agent/server-provider.ts'
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
  const open = (context: CallContext): SessionOf<'tts'> => {
    // Each of Deepgram's voices is a model.
    const { voice: model = options.speak.model } = context
    const own = { ...options, speak: { ...options.speak, model } }
    if (own.speak.transport !== 'rest')
      return new TtsSession({ options: own, account, openSocket, random, log, tally }, context)
    const rest = { options: own, account, ...(deps.fetch === undefined ? {} : { fetch: deps.fetch }) }
    return new SentenceQueue(context, new RestVoice(rest, context))
  }
  return serverProvider({
    name,
    role: 'tts',
    what: 'voice',
    turnDetection: 'none',
    audioRates: (legHz) => ({ inputHz: legHz, outputHz: legHz }),
    account,
    tally,
    open,
  })
}
