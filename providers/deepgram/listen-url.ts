import type { CallContext } from '#agent/provider.ts'
import type { DeepgramOptions } from './options.ts'
import type { WireAudio } from './wire-audio.ts'

/** Flux listens under an address of its own, with parameters of its own. */
export function isFlux(model: string): boolean {
  return model.startsWith('flux-')
}

/** The address of a stream, with all that it is told. @param base of sockets, such as `wss://api.deepgram.com` */
export function listenUrl(base: string, options: DeepgramOptions, audio: WireAudio, context: CallContext): string {
  const { listen, tags, mip_opt_out: optOut } = options
  const params = new URLSearchParams()
  params.set('model', listen.model)
  params.set('encoding', audio.encoding)
  params.set('sample_rate', String(audio.sampleRateHz))
  if (isFlux(listen.model)) {
    params.set('eot_threshold', String(listen.eot_threshold))
    if (listen.eager_eot_threshold > 0) params.set('eager_eot_threshold', String(listen.eager_eot_threshold))
    params.set('eot_timeout_ms', String(listen.eot_timeout_ms))
    if (listen.model === 'flux-general-multi') {
      for (const hint of hintsOf(options, context)) params.append('language_hint', hint)
    }
  } else {
    params.set('language', listen.language || context.language)
    params.set('interim_results', 'true')
    params.set('endpointing', String(listen.endpointing_ms))
    params.set('utterance_end_ms', String(listen.utterance_end_ms))
    params.set('punctuate', 'true')
    if (listen.smart_format) params.set('smart_format', 'true')
  }
  for (const term of listen.keyterms) params.append(isOlder(listen.model) ? 'keywords' : 'keyterm', term)
  for (const tag of tags) params.append('tag', tag)
  if (optOut) params.set('mip_opt_out', 'true')
  return `${base}${isFlux(listen.model) ? '/v2/listen' : '/v1/listen'}?${params}`
}

/** What is expected where nobody says so: the language of the call. */
export function hintsOf({ listen }: DeepgramOptions, { language }: Pick<CallContext, 'language'>): readonly string[] {
  if (listen.language_hints.length > 0) return listen.language_hints
  const own = listen.language === '' || listen.language === 'multi' ? language : listen.language
  return [own.split('-')[0]?.toLowerCase() ?? own]
}

/** Before nova-3 they had another name. */
function isOlder(model: string): boolean {
  return /^(nova-2|nova$|nova-(?!3)|enhanced|base|whisper)/.test(model)
}
