import type {
  ConversationItem,
  RealtimeAudioFormats,
  RealtimeAudioInputTurnDetection,
  RealtimeClientEvent,
  RealtimeFunctionTool,
  SessionUpdateEvent,
} from 'openai/resources/realtime/realtime'
import type { ToolDeclaration } from '#tools/tool-runner.ts'
import type { OpenAiRealtimeOptions } from './options.ts'

/**
 * What a session sends, in the shapes of the official package (types only: nothing of it is in the program). Each message
 * has an `event_id` that begins with what it is, so that an error names its cause. No field that GA has dropped.
 */
export type ClientEvent = RealtimeClientEvent

/** What travels, each way: µ-law as the telephone network has it, or PCM of 16 bits at 24 kHz. */
export type WireAudio = 'pcmu' | 'pcm24'

export const formatTypes: Readonly<Record<WireAudio, string>> = { pcmu: 'audio/pcmu', pcm24: 'audio/pcm' }

export interface SessionWishes {
  readonly options: OpenAiRealtimeOptions
  readonly audio: WireAudio
  readonly instructions: string
  /** BCP 47; the transcription is told its language. */
  readonly language: string
  readonly tools: readonly ToolDeclaration[]
  /** The server breaks its reply off by itself when it hears the caller. */
  readonly interruptsItself: boolean
}

export function sessionUpdate(wishes: SessionWishes): SessionUpdateEvent['session'] {
  const { options, instructions, tools } = wishes
  const format = formatOf(wishes.audio)
  const { input_audio_transcription: transcription, noise_reduction: noise, max_output_tokens: tokensMax } = options
  const language = transcription.language || languageOf(wishes.language)
  return {
    type: 'realtime',
    output_modalities: ['audio'],
    instructions,
    audio: {
      input: {
        format,
        turn_detection: turnDetection(wishes),
        ...(transcription.model === ''
          ? {}
          : { transcription: { model: transcription.model, ...(language === '' ? {} : { language }) } }),
        ...(noise === 'off' ? {} : { noise_reduction: { type: noise } }),
      },
      output: { format, voice: options.voice, ...(options.speed === 1 ? {} : { speed: options.speed }) },
    },
    ...(tokensMax === 0 ? {} : { max_output_tokens: tokensMax }),
    tools: tools.map(functionTool),
    tool_choice: 'auto',
  }
}

function formatOf(audio: WireAudio): RealtimeAudioFormats {
  return audio === 'pcmu' ? { type: 'audio/pcmu' } : { type: 'audio/pcm', rate: 24_000 }
}

function turnDetection({ options, interruptsItself }: SessionWishes): RealtimeAudioInputTurnDetection | null {
  const { turn_detection: turns } = options
  const answers = { create_response: true, interrupt_response: interruptsItself }
  switch (turns.type) {
    case 'none':
      return null
    case 'semantic_vad':
      return { type: 'semantic_vad', eagerness: turns.eagerness, ...answers }
    case 'server_vad':
      return {
        type: 'server_vad',
        threshold: turns.threshold,
        prefix_padding_ms: turns.prefix_padding_ms,
        silence_duration_ms: turns.silence_duration_ms,
        ...answers,
      }
  }
}

function functionTool({ name, description, parameters }: ToolDeclaration): RealtimeFunctionTool {
  return { type: 'function', name, description, parameters }
}

/** ISO 639-1, which is what transcription takes: `de-AT` → `de`. */
function languageOf(tag: string): string {
  return tag.split('-')[0]?.toLowerCase() ?? ''
}

/** What one side said, as an item of the conversation. */
export function messageItem(role: 'user' | 'assistant' | 'system', text: string): ConversationItem {
  switch (role) {
    case 'assistant':
      return { type: 'message', role, content: [{ type: 'output_text', text }] }
    case 'user':
      return { type: 'message', role, content: [{ type: 'input_text', text }] }
    case 'system':
      return { type: 'message', role, content: [{ type: 'input_text', text }] }
  }
}

/** An append as text: base64 needs no escaping, and there are twenty a second of each call. */
export function appendText(eventId: string, base64: string): string {
  return `{"type":"input_audio_buffer.append","event_id":"${eventId}","audio":"${base64}"}`
}
