import type {
  AudioTranscription,
  RealtimeAudioFormats,
  RealtimeAudioInputTurnDetection,
  RealtimeSessionCreateRequest,
} from 'openai/resources/realtime/realtime'
import { type ApiError, invalidRequest } from './api-error.ts'

/** A session as the server knows it: everything has a value, and an update changes only what it names. */
export interface SessionSettings {
  instructions: string
  outputModalities: ('text' | 'audio')[]
  inputFormat: RealtimeAudioFormats
  outputFormat: RealtimeAudioFormats
  noiseReduction: object | null
  transcription: AudioTranscription | null
  turnDetection: RealtimeAudioInputTurnDetection | null
  voice: string | { id: string }
  speed: number
  tools: NonNullable<RealtimeSessionCreateRequest['tools']>
  toolChoice: NonNullable<RealtimeSessionCreateRequest['tool_choice']>
  maxOutputTokens: number | 'inf'
  /** What has no part here and is only given back: truncation, tracing, prompt, include, reasoning. */
  others: Record<string, unknown>
}

const defaultFormat: RealtimeAudioFormats = { type: 'audio/pcm', rate: 24_000 }

export function initialSettings(): SessionSettings {
  return {
    instructions: 'You are a stand-in. You say what you were scripted to say.',
    outputModalities: ['audio'],
    inputFormat: defaultFormat,
    outputFormat: defaultFormat,
    noiseReduction: null,
    transcription: null,
    turnDetection: withDefaults({ type: 'server_vad' }),
    voice: 'alloy',
    speed: 1,
    tools: [],
    toolChoice: 'auto',
    maxOutputTokens: 'inf',
    others: { truncation: 'auto', tracing: null, prompt: null, include: null },
  }
}

/** What may be refused although its shape is right. */
export interface SessionState {
  readonly model: string
  /** A voice stays once it has been heard. */
  readonly hasSpoken: boolean
  readonly isResponding: boolean
}

/** @returns the settings after the update, or what is wrong with it; the settings that were are left alone. */
export function updated(
  settings: SessionSettings,
  session: RealtimeSessionCreateRequest,
  state: SessionState,
): SessionSettings | ApiError {
  const fault = rangeFault(session) ?? stateFault(settings, session, state)
  if (fault !== null) return fault
  const {
    type: _,
    model: __,
    audio,
    instructions,
    output_modalities,
    tools,
    tool_choice,
    max_output_tokens,
    ...others
  } = session
  const { input, output } = audio ?? {}
  const next: SessionSettings = { ...settings, others: { ...settings.others, ...others } }
  if (instructions !== undefined) next.instructions = instructions
  if (output_modalities !== undefined) next.outputModalities = output_modalities
  if (tools !== undefined) next.tools = tools
  if (tool_choice !== undefined) next.toolChoice = tool_choice
  if (max_output_tokens !== undefined) next.maxOutputTokens = max_output_tokens
  if (input?.format !== undefined) next.inputFormat = filled(input.format)
  if (input?.noise_reduction !== undefined) next.noiseReduction = input.noise_reduction
  if (input?.transcription !== undefined) next.transcription = input.transcription
  if (input?.turn_detection !== undefined) {
    next.turnDetection = input.turn_detection === null ? null : withDefaults(input.turn_detection)
  }
  if (output?.format !== undefined) next.outputFormat = filled(output.format)
  if (output?.voice !== undefined) next.voice = output.voice
  if (output?.speed !== undefined) next.speed = output.speed
  return next
}

function withDefaults(detection: RealtimeAudioInputTurnDetection): RealtimeAudioInputTurnDetection {
  const both = { create_response: true, interrupt_response: true }
  if (detection.type === 'semantic_vad') return { eagerness: 'auto', ...both, ...detection }
  const durations = { threshold: 0.5, prefix_padding_ms: 300, silence_duration_ms: 500, idle_timeout_ms: null }
  return { ...durations, ...both, ...detection }
}

function filled(format: RealtimeAudioFormats): RealtimeAudioFormats {
  return format.type === undefined || format.type === 'audio/pcm' ? defaultFormat : format
}

function stateFault(settings: SessionSettings, session: RealtimeSessionCreateRequest, state: SessionState) {
  const voice = session.audio?.output?.voice
  if (session.model !== undefined && session.model !== state.model) {
    return invalidRequest('invalid_value', 'The model of a session cannot be changed.', 'session.model')
  }
  if (voice !== undefined && state.hasSpoken && JSON.stringify(voice) !== JSON.stringify(settings.voice)) {
    const message = "Cannot update a conversation's voice if assistant audio is present."
    return invalidRequest('cannot_update_voice', message, 'session.audio.output.voice')
  }
  const speed = session.audio?.output?.speed
  if (speed !== undefined && speed !== settings.speed && state.isResponding) {
    return invalidRequest(
      'invalid_value',
      'The speed cannot be changed during a response.',
      'session.audio.output.speed',
    )
  }
  return null
}

/** Bounds that the documentation states and no type can. */
function rangeFault({ audio, max_output_tokens, output_modalities, tools }: RealtimeSessionCreateRequest) {
  const detection = audio?.input?.turn_detection
  const server = detection?.type === 'server_vad' ? detection : undefined
  const path = 'session.audio.input.turn_detection'
  const transcription = audio?.input?.transcription
  if (transcription?.model === 'gpt-realtime-whisper' && transcription.prompt !== undefined) {
    return invalidRequest('invalid_value', 'This model takes no prompt.', 'session.audio.input.transcription.prompt')
  }
  if (output_modalities !== undefined && output_modalities.length !== 1) {
    const message = "Invalid modalities. Supported combinations are: ['text'] and ['audio']."
    return invalidRequest('invalid_value', message, 'session.output_modalities')
  }
  for (const [index, tool] of (tools ?? []).entries()) {
    if (tool.type === 'mcp' || /^[\w-]{1,64}$/.test(tool.name ?? '')) continue
    const message = `Invalid tool name: expected a string that matches ^[a-zA-Z0-9_-]+$.`
    return invalidRequest('invalid_value', message, `session.tools[${index}].name`)
  }
  return (
    outside(`session.audio.output.speed`, audio?.output?.speed, 0.25, 1.5) ??
    outside(`${path}.threshold`, server?.threshold, 0, 1) ??
    outside(`${path}.prefix_padding_ms`, server?.prefix_padding_ms, 0, 5_000) ??
    outside(`${path}.silence_duration_ms`, server?.silence_duration_ms, 0, 10_000) ??
    outside(`${path}.idle_timeout_ms`, server?.idle_timeout_ms ?? undefined, 5_000, 30_000) ??
    outside('session.max_output_tokens', typeof max_output_tokens === 'number' ? max_output_tokens : undefined, 1, 4096)
  )
}

function outside(param: string, value: number | undefined, min: number, max: number): ApiError | null {
  if (value === undefined || (value >= min && value <= max)) return null
  const message = `Invalid '${param}': expected a value between ${min} and ${max}, but got ${value} instead.`
  return invalidRequest(value < min ? 'decimal_below_min_value' : 'decimal_above_max_value', message, param)
}

/** The session in `session.created` and `session.updated`, with the nulls that the documentation's examples show. */
export function sessionObject(
  settings: SessionSettings,
  { id, model, expiresAtSeconds }: { id: string; model: string; expiresAtSeconds: number },
): Record<string, unknown> {
  return {
    type: 'realtime',
    object: 'realtime.session',
    id,
    model,
    expires_at: expiresAtSeconds,
    output_modalities: settings.outputModalities,
    instructions: settings.instructions,
    tools: settings.tools,
    tool_choice: settings.toolChoice,
    max_output_tokens: settings.maxOutputTokens,
    ...settings.others,
    audio: {
      input: {
        format: settings.inputFormat,
        transcription: settings.transcription,
        noise_reduction: settings.noiseReduction,
        turn_detection: settings.turnDetection,
      },
      output: { format: settings.outputFormat, voice: settings.voice, speed: settings.speed },
    },
  }
}
