import { badRequest, type HttpFault } from './refusal.ts'
import { type RawEncoding, rawEncodings, type WireAudio } from './wire-audio.ts'

/** The parameters of a URL, checked against those that the documentation has: an unknown one is refused by its name. */
const listenNames = [
  ...['model', 'language', 'encoding', 'sample_rate', 'channels', 'multichannel', 'interim_results', 'endpointing'],
  ...['utterance_end_ms', 'vad_events', 'smart_format', 'punctuate', 'numerals', 'dictation', 'profanity_filter'],
  ...['keyterm', 'keywords', 'redact', 'replace', 'search', 'tag', 'extra', 'detect_entities', 'diarize'],
  ...['diarize_model', 'version', 'mip_opt_out', 'callback', 'callback_method'],
]
const fluxNames = [
  ...['model', 'encoding', 'sample_rate', 'eot_threshold', 'eager_eot_threshold', 'eot_timeout_ms', 'keyterm'],
  ...['language_hint', 'profanity_filter', 'numerals', 'redact', 'tag', 'mip_opt_out'],
]
const speakNames = ['model', 'encoding', 'sample_rate', 'speed', 'mip_opt_out']
const speakRestNames = [...speakNames, 'container', 'bit_rate', 'tag', 'callback', 'callback_method']

export interface ListenQuery {
  readonly audio: WireAudio
  readonly model: string
  readonly interimResults: boolean
  /** Null: off. */
  readonly endpointingMs: number | null
  readonly utteranceEndMs: number | null
  readonly vadEvents: boolean
}

export interface FluxQuery {
  readonly audio: WireAudio
  readonly model: string
  readonly eager: boolean
  readonly timeoutMs: number
}

/** Audio in a file, all at once. */
export interface ListenOnceQuery {
  readonly model: string
}

export interface SpeakQuery {
  readonly audio: WireAudio
  readonly model: string
  readonly container: 'none' | 'wav'
}

export type Parsed<Query> = { readonly query: Query } | { readonly fault: HttpFault }

export function listenQuery(params: URLSearchParams): Parsed<ListenQuery> {
  return parsed(params, listenNames, () => {
    const interimResults = flag(params, 'interim_results')
    const utteranceEndMs = number(params, 'utterance_end_ms', 1000, 5000)
    if (utteranceEndMs !== null && !interimResults) throw wrong('utterance_end_ms needs interim_results=true')
    const off = params.get('endpointing') === 'false'
    return {
      audio: rawAudio(params, rawEncodings),
      model: params.get('model') ?? 'general',
      interimResults,
      endpointingMs: off ? null : (number(params, 'endpointing', 10, 60_000) ?? 10),
      utteranceEndMs,
      vadEvents: flag(params, 'vad_events'),
    }
  })
}

const listenOnceNames = listenNames.filter(
  (name) => !['interim_results', 'endpointing', 'utterance_end_ms', 'vad_events', 'channels'].includes(name),
)

export function listenOnceQuery(params: URLSearchParams): Parsed<ListenOnceQuery> {
  return parsed(params, listenOnceNames, () => {
    const model = params.get('model') ?? 'general'
    if (model.startsWith('flux-')) throw wrong(`no such model: ${model}`)
    return { model }
  })
}

export function fluxQuery(params: URLSearchParams): Parsed<FluxQuery> {
  return parsed(params, fluxNames, () => {
    const model = params.get('model') ?? ''
    if (!/^flux-general-(en|multi)$/.test(model)) throw wrong(`no such model: ${model}`)
    if (params.has('language_hint') && model !== 'flux-general-multi') throw wrong('language_hint needs a multi model')
    const eot = number(params, 'eot_threshold', 0.5, 1) ?? 0.7
    const eager = number(params, 'eager_eot_threshold', 0.3, 0.9)
    if (eager !== null && eager > eot) throw wrong('eager_eot_threshold must not be above eot_threshold')
    const timeoutMs = number(params, 'eot_timeout_ms', 500, 60_000) ?? 5000
    return { audio: rawAudio(params, rawEncodings), model, eager: eager !== null, timeoutMs }
  })
}

export function speakQuery(params: URLSearchParams, rest: boolean): Parsed<SpeakQuery> {
  return parsed(params, rest ? speakRestNames : speakNames, () => {
    const audio = rawAudio(params, rawEncodings)
    const rates = audio.encoding === 'linear16' ? [8000, 16_000, 24_000, 32_000, 48_000] : [8000, 16_000]
    if (!rates.includes(audio.sampleRateHz)) throw wrong(`sample_rate ${audio.sampleRateHz} is not one of ${rates}`)
    number(params, 'speed', 0.7, 1.5)
    const container = params.get('container') ?? 'wav'
    if (container !== 'none' && container !== 'wav') throw wrong(`no such container: ${container}`)
    return { audio, model: params.get('model') ?? 'aura-asteria-en', container: rest ? container : 'none' }
  })
}

function parsed<Query>(params: URLSearchParams, names: readonly string[], read: () => Query): Parsed<Query> {
  for (const name of params.keys()) {
    if (!names.includes(name)) return { fault: badRequest(`Unexpected query parameter: ${name}`) }
  }
  try {
    return { query: read() }
  } catch (thrown) {
    if (thrown instanceof WrongQuery) return { fault: badRequest(thrown.message) }
    throw thrown
  }
}

class WrongQuery extends Error {}
const wrong = (message: string) => new WrongQuery(message)

/** Raw audio needs both; the real server takes containers as well, and this one does not. */
function rawAudio(params: URLSearchParams, known: readonly RawEncoding[]): WireAudio {
  const encoding = known.find((each) => each === params.get('encoding'))
  if (encoding === undefined) throw wrong(`the stand-in takes the encodings ${known.join(', ')}`)
  const sampleRateHz = number(params, 'sample_rate', 8000, 48_000)
  if (sampleRateHz === null) throw wrong('sample_rate is needed with an encoding')
  return { encoding, sampleRateHz }
}

function flag(params: URLSearchParams, name: string): boolean {
  const value = params.get(name) ?? 'false'
  if (value !== 'true' && value !== 'false') throw wrong(`${name} is true or false`)
  return value === 'true'
}

function number(params: URLSearchParams, name: string, min: number, max: number): number | null {
  const text = params.get(name)
  if (text === null) return null
  const value = Number(text)
  if (text.trim() === '' || !(value >= min && value <= max)) throw wrong(`${name} is a number from ${min} to ${max}`)
  return value
}
