import type { CallContext, Provider, SessionOf } from '#agent/provider.ts'
import { networkError } from '#agent/server-look.ts'
import { failed, ok, type Result } from '#base/result.ts'
import { readBounded } from './bounded-body.ts'
import { failureOfResponse, type WireFailure } from './failure-wire.ts'
import type { SttOptions } from './options.ts'
import { Server, type ServerDeps } from './server.ts'
import { SttSession } from './stt-session.ts'
import { transcribedText, transcriptionForm } from './transcription-wire.ts'

/** Recognition behind OpenAI-compatible HTTP: a turn is sent whole, as WAV at the rate of the call. */
export function createOpenAiCompatibleStt(options: SttOptions, deps: ServerDeps): Provider<'stt'> {
  const server = new Server(options, deps, { what: 'recognition', role: 'stt' })
  return {
    name: 'openai_compatible',
    role: 'stt',
    turnDetection: 'none',
    readiness: () => server.readiness,
    audioRates: (legHz) => ({ inputHz: legHz, outputHz: legHz }),
    start: () => server.start(),
    open(context): Promise<SessionOf<'stt'>> {
      if (server.closed) return Promise.reject(new Error('the recognition is closed'))
      const key = server.key()
      if (!key.ok) return Promise.reject(new Error(key.error))
      const transcribe: Transcribe = (samples, signal) => transcription(server, options, context, samples, signal)
      return Promise.resolve(new SttSession(context, options, transcribe))
    },
    close: () => server.close(),
  }
}

/** Of the signal's abort nothing is said: it never rejects. */
export type Transcribe = (samples: Int16Array, signal: AbortSignal) => Promise<Result<string, WireFailure>>

/** 1 MiB: the words of the longest turn are some kilobytes. */
const answerBytesMax = 1024 * 1024

async function transcription(
  server: Server,
  options: SttOptions,
  { clock, sampleRateHz, language }: CallContext,
  samples: Int16Array,
  signal: AbortSignal,
): Promise<Result<string, WireFailure>> {
  const route = server.route()
  if (route === undefined) return failed(unreachable(reasonOf(server)))
  const late = new AbortController()
  using _ = clock.after(options.timeout_ms, () => late.abort())
  try {
    const response = await server.request(`${route.baseUrl}/audio/transcriptions`, {
      method: 'POST',
      headers: { ...route.headers },
      body: transcriptionForm(samples, sampleRateHz, route.model, options, language),
      signal: AbortSignal.any([signal, late.signal]),
    })
    const body = (await readBounded(response, answerBytesMax)) ?? ''
    if (!response.ok) {
      const failure = failureOfResponse(response.status, body)
      if (failure.code === 'unauthorized') server.doubt()
      return failed(failure)
    }
    const text = transcribedText(body)
    if (text !== null) return ok(text)
    return failed({ code: 'bad_answer', message: 'the answer is not JSON with the words', retryable: true })
  } catch (thrown) {
    if (signal.aborted) return ok('')
    server.doubt()
    if (!late.signal.aborted) return failed(unreachable(`the recognition cannot be reached: ${networkError(thrown)}`))
    return failed({ code: 'timeout', message: `no words within ${options.timeout_ms} ms`, retryable: true })
  }
}

function reasonOf(server: Server): string {
  const state = server.readiness
  return state.ready ? 'the recognition has no address' : state.reason
}

function unreachable(message: string): WireFailure {
  return { code: 'unreachable', message, retryable: true }
}
