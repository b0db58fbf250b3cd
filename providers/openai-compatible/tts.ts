import type { Provider, SessionOf } from '#agent/provider.ts'
import type { TtsOptions } from './options.ts'
import { Server, type ServerDeps } from './server.ts'
import { TtsSession } from './tts-session.ts'

/** A voice behind OpenAI-compatible HTTP: a request for each sentence, its audio spoken as it comes. */
export function createOpenAiCompatibleTts(options: TtsOptions, deps: ServerDeps): Provider<'tts'> {
  const server = new Server(options, deps, { what: 'voice', role: 'tts' })
  return {
    name: 'openai_compatible',
    role: 'tts',
    turnDetection: 'none',
    readiness: () => server.readiness,
    audioRates: (legHz) => ({
      inputHz: legHz,
      outputHz: options.response_format === 'pcm' ? options.pcm_rate_hz : legHz,
    }),
    start: () => server.start(),
    open(context): Promise<SessionOf<'tts'>> {
      if (server.closed) return Promise.reject(new Error('the voice is closed'))
      const key = server.key()
      if (!key.ok) return Promise.reject(new Error(key.error))
      return Promise.resolve(new TtsSession(server, options, context))
    },
    close: () => server.close(),
  }
}
