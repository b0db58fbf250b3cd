import type { DeepgramOptions } from './options.ts'
import type { WireAudio } from './wire-audio.ts'

/** Aura's address: of its socket, or over HTTP, where a container has to be asked away. @param base without a path */
export function speakUrl(base: string, options: DeepgramOptions, audio: WireAudio, rest: boolean): string {
  const { speak, tags, mip_opt_out: optOut } = options
  const params = new URLSearchParams()
  params.set('model', speak.model)
  params.set('encoding', audio.encoding)
  params.set('sample_rate', String(audio.sampleRateHz))
  if (rest) params.set('container', 'none')
  if (speak.speed !== 1) params.set('speed', String(speak.speed))
  if (optOut) params.set('mip_opt_out', 'true')
  // The socket knows no tags.
  if (rest) for (const tag of tags) params.append('tag', tag)
  return `${base}/v1/speak?${params}`
}
