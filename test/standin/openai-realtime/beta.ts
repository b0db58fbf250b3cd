import { isRecord } from '../json-schema.ts'

/**
 * The spelling before the API was generally available, which compatible servers still speak: other names of events, a flat
 * session, other content types. A session is kept and checked in today's spelling; this translates at the socket.
 */
export type WireEvent = Readonly<Record<string, unknown>> & { readonly type: string }

/** Today's name → the one before. What had no name is not sent. */
const names: Readonly<Record<string, string | null>> = {
  'conversation.item.added': 'conversation.item.created',
  'conversation.item.done': null,
  'response.output_audio.delta': 'response.audio.delta',
  'response.output_audio.done': 'response.audio.done',
  'response.output_audio_transcript.delta': 'response.audio_transcript.delta',
  'response.output_audio_transcript.done': 'response.audio_transcript.done',
  'response.output_text.delta': 'response.text.delta',
  'response.output_text.done': 'response.text.done',
}

const formats: readonly (readonly [object, string])[] = [
  [{ type: 'audio/pcm', rate: 24_000 }, 'pcm16'],
  [{ type: 'audio/pcmu' }, 'g711_ulaw'],
  [{ type: 'audio/pcma' }, 'g711_alaw'],
]

export function betaName(type: string): string | null {
  const name = names[type]
  return name === undefined ? type : name
}

export function toBeta(event: WireEvent): WireEvent | null {
  const type = betaName(event.type)
  if (type === null) return null
  return {
    ...event,
    type,
    ...(isRecord(event.session) ? { session: betaSession(event.session) } : {}),
    ...(isRecord(event.response) ? { response: betaResponse(event.response) } : {}),
    ...(isRecord(event.item) ? { item: betaItem(event.item) } : {}),
  }
}

/** A flat `session.update` becomes a nested one; one that is nested already is left as it is. */
export function fromBeta(event: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { session } = event
  if (event.type !== 'session.update' || !isRecord(session) || session.type !== undefined) return event
  const {
    modalities,
    voice,
    speed,
    input_audio_format,
    output_audio_format,
    input_audio_transcription,
    input_audio_noise_reduction,
    turn_detection,
    max_response_output_tokens,
    temperature: _,
    ...same
  } = session
  const input = present({
    format: formatOf(input_audio_format),
    transcription: input_audio_transcription,
    noise_reduction: input_audio_noise_reduction,
    turn_detection,
  })
  const output = present({ format: formatOf(output_audio_format), voice, speed })
  const nested = present({
    ...same,
    type: 'realtime',
    max_output_tokens: max_response_output_tokens,
    output_modalities: Array.isArray(modalities) ? [modalities.includes('audio') ? 'audio' : 'text'] : undefined,
    audio: { input, output },
  })
  return { ...event, session: nested }
}

function betaSession(session: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { type: _, audio, output_modalities, max_output_tokens, truncation: __, ...same } = session
  const input = member(audio, 'input')
  const output = member(audio, 'output')
  return {
    ...same,
    modalities: betaModalities(output_modalities),
    voice: output.voice,
    speed: output.speed,
    input_audio_format: betaFormat(input.format),
    output_audio_format: betaFormat(output.format),
    input_audio_transcription: input.transcription,
    input_audio_noise_reduction: input.noise_reduction,
    turn_detection: input.turn_detection,
    max_response_output_tokens: max_output_tokens,
    temperature: 0.8,
  }
}

function betaResponse(response: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { audio, output_modalities, output, ...same } = response
  const sound = member(audio, 'output')
  return {
    ...same,
    modalities: betaModalities(output_modalities),
    voice: sound.voice,
    output_audio_format: betaFormat(sound.format),
    output: Array.isArray(output) ? output.map((item: unknown) => (isRecord(item) ? betaItem(item) : item)) : [],
  }
}

function betaItem(item: Readonly<Record<string, unknown>>): Record<string, unknown> {
  if (!Array.isArray(item.content)) return item
  const content = item.content.map((part: unknown) =>
    isRecord(part) && typeof part.type === 'string' ? { ...part, type: part.type.replace(/^output_/, '') } : part,
  )
  return { ...item, content }
}

function betaModalities(modalities: unknown): string[] {
  return Array.isArray(modalities) && modalities.includes('audio') ? ['text', 'audio'] : ['text']
}

function betaFormat(format: unknown): string {
  const type = isRecord(format) ? format.type : undefined
  return formats.find(([ga]) => isRecord(ga) && ga.type === type)?.[1] ?? 'pcm16'
}

function formatOf(name: unknown): object | undefined {
  return formats.find(([, beta]) => beta === name)?.[0]
}

function member(value: unknown, name: string): Readonly<Record<string, unknown>> {
  const found = isRecord(value) ? value[name] : undefined
  return isRecord(found) ? found : {}
}

function present(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined))
}
