import type { SpeechCreateParams } from 'openai/resources/audio/speech'
import type { TranscriptionCreateParamsNonStreaming } from 'openai/resources/audio/transcriptions'
import { decodeWav } from '#audio/wav.ts'

/**
 * `POST /v1/audio/transcriptions` and `/v1/audio/speech` as OpenAI takes them: what it refuses is refused here, and the
 * names are held to those of the official package.
 */
export interface SeenTranscription {
  readonly model: string
  readonly language: string | null
  readonly prompt: string | null
  readonly sampleRateHz: number
  readonly samples: Int16Array
  readonly authorization: string | null
}

export interface SeenSpeech {
  readonly model: string
  readonly voice: string
  readonly input: string
  readonly format: 'pcm' | 'wav'
  readonly speed: number | null
  readonly instructions: string | null
  readonly authorization: string | null
}

interface Refusal {
  readonly status?: number
  /** The body of an answer with this status. */
  readonly body?: unknown
  readonly neverAnswers?: boolean
  readonly delayMs?: number
}

export interface ScriptedTranscription extends Refusal {
  readonly text?: string
  /** Instead of `{ text }`. */
  readonly answer?: string
}

export interface ScriptedSpeech extends Refusal {
  readonly samples?: Int16Array
  readonly sampleRateHz?: number
  /** Bytes per network write. */
  readonly chunkBytes?: number
  readonly pieceDelayMs?: number
  /** So many bytes are sent, and then nothing more while the connection stays open. */
  readonly stallAfterBytes?: number
  readonly contentType?: string
  /** Instead of samples: whatever a server may send. */
  readonly bytes?: Uint8Array<ArrayBuffer>
}

const transcriptionMembers: Partial<Record<keyof TranscriptionCreateParamsNonStreaming, true>> = {
  file: true,
  model: true,
  language: true,
  prompt: true,
  response_format: true,
  temperature: true,
}

/** What was asked for, or why it is refused. */
export async function readTranscription(request: Request): Promise<SeenTranscription | string> {
  const type = request.headers.get('content-type') ?? ''
  if (!/^multipart\/form-data; ?boundary=/.test(type)) return 'expected multipart/form-data'
  const form = await request.formData()
  const unknown = [...form.keys()].find((name) => !Object.hasOwn(transcriptionMembers, name))
  if (unknown !== undefined) return `Unrecognized request argument supplied: ${unknown}`
  const file = form.get('file')
  const model = form.get('model')
  if (!(file instanceof File)) return "'file' is required"
  if (typeof model !== 'string' || model === '') return "'model' is required"
  if (!/\.(flac|mp3|mp4|mpeg|mpga|m4a|ogg|wav|webm)$/.test(file.name)) return 'Unrecognized file format.'
  const language = form.get('language')
  if (language !== null && !/^[a-z]{2,3}$/.test(String(language)))
    return `Language '${String(language)}' is not supported.`
  if ((form.get('response_format') ?? 'json') !== 'json') return 'this stand-in answers with json'
  const wav = decodeWav(new Uint8Array(await file.arrayBuffer()))
  if (!wav.ok) return 'Audio file might be corrupted or unsupported'
  if (wav.value.samples.length < wav.value.sampleRateHz / 10)
    return 'Audio file is too short. Minimum audio length is 0.1 seconds.'
  return {
    model,
    language: language === null ? null : String(language),
    prompt: form.get('prompt') as string | null,
    ...wav.value,
    authorization: request.headers.get('authorization'),
  }
}

const speechMembers: Partial<Record<keyof SpeechCreateParams, true>> = {
  input: true,
  model: true,
  voice: true,
  instructions: true,
  response_format: true,
  speed: true,
}

/** What was asked for, or why it is refused. */
export async function readSpeech(request: Request): Promise<SeenSpeech | string> {
  if (request.headers.get('content-type') !== 'application/json') return 'expected application/json'
  const body = (await request.json()) as Readonly<Record<string, unknown>>
  const unknown = Object.keys(body).find((name) => !Object.hasOwn(speechMembers, name))
  if (unknown !== undefined) return `Unrecognized request argument supplied: ${unknown}`
  const { input, model, voice, response_format: format = 'mp3', speed = null, instructions = null } = body
  if (typeof model !== 'string' || typeof voice !== 'string' || model === '' || voice === '')
    return 'model and voice are required'
  if (typeof input !== 'string' || input === '' || input.length > 4096) return "'input' is from 1 to 4096 characters"
  if (format !== 'pcm' && format !== 'wav') return 'this stand-in speaks pcm and wav'
  if (speed !== null && (typeof speed !== 'number' || speed < 0.25 || speed > 4)) return "'speed' is from 0.25 to 4"
  if (instructions !== null && /^tts-1/.test(model)) return "'instructions' does not work with tts-1"
  return {
    model,
    voice,
    input,
    format,
    speed,
    instructions: instructions as string | null,
    authorization: request.headers.get('authorization'),
  }
}

/** A voice: a tone of half a second and 40 ms more for each character. */
export function voiceOf(text: string, sampleRateHz = 24_000): Int16Array {
  const samples = new Int16Array(Math.round((0.5 + 0.04 * text.length) * sampleRateHz))
  for (let at = 0; at < samples.length; at += 1) samples[at] = 8000 * Math.sin((2 * Math.PI * 440 * at) / sampleRateHz)
  return samples
}
