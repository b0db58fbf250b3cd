import type { Deepgram } from '@deepgram/sdk'
import type { ChatMessage } from '#agent/provider.ts'
import { type Secrets, secretIn } from '#config/secrets.ts'
import type { ToolResult } from '#tools/invocations.ts'
import type { ToolDeclaration } from '#tools/tool-runner.ts'
import { hintsOf, isFlux } from './listen-url.ts'
import type { DeepgramOptions } from './options.ts'
import type { WireAudio } from './wire-audio.ts'

/** What a session sends, in the shapes of the official package (types only: nothing of it is in the program). */
export type ClientMessage =
  | Deepgram.agent.AgentV1Settings
  | Deepgram.agent.AgentV1UpdatePrompt
  | Deepgram.agent.AgentV1UpdateSpeak
  | Deepgram.agent.AgentV1InjectUserMessage
  | Deepgram.agent.AgentV1InjectAgentMessage
  | Deepgram.agent.AgentV1SendFunctionCallResponse
  | Deepgram.agent.AgentV1KeepAlive

type Settings = Deepgram.agent.AgentV1Settings
type Agent = Deepgram.agent.AgentV1Settings.Agent
type Think = Deepgram.ThinkSettingsV1
type Speak = Deepgram.SpeakSettingsV1

export interface SettingsWishes {
  readonly options: DeepgramOptions
  readonly audio: WireAudio
  readonly prompt: string
  /** BCP 47. */
  readonly language: string
  readonly tools: readonly ToolDeclaration[]
  /** Spoken first; empty: nothing is. */
  readonly greeting: string
  /** What was said before there was this session. */
  readonly history: readonly ChatMessage[]
  /** What functions have brought: it never asked for them. */
  readonly results: readonly ToolResult[]
  readonly secrets: Secrets
}

export function settings(wishes: SettingsWishes): Settings {
  const { options, audio, history, results, greeting } = wishes
  const before = [...history.flatMap(historyMessage), ...results.map(historyCall)]
  const format = { encoding: audio.encoding, sample_rate: audio.sampleRateHz }
  return {
    type: 'Settings',
    ...(options.tags.length === 0 ? {} : { tags: [...options.tags] }),
    ...(options.mip_opt_out ? { mip_opt_out: true } : {}),
    // What it would tell of the conversation is known here by then.
    flags: { history: false },
    audio: { input: format, output: { ...format, container: 'none' } },
    agent: {
      ...(before.length === 0 ? {} : { context: { messages: before } }),
      listen: listen(wishes),
      think: think(wishes),
      speak: speak(wishes),
      ...(greeting === '' ? {} : { greeting }),
    },
  }
}

function historyMessage({ role, content }: ChatMessage) {
  return role === 'system' ? [] : [{ type: 'History' as const, role, content }]
}

function historyCall({ id, name, text, output }: ToolResult) {
  return {
    type: 'History' as const,
    function_calls: [{ id, name, client_side: true, arguments: text, response: output }],
  }
}

function listen({ options, language }: SettingsWishes): NonNullable<Agent['listen']> {
  const { listen: wish } = options
  const keyterms = wish.keyterms.length === 0 ? {} : { keyterms: [...wish.keyterms] }
  if (!isFlux(wish.model)) {
    const smart = wish.smart_format ? { smart_format: true } : {}
    const told = wish.language || language
    return { provider: { type: 'deepgram', version: 'v1', model: wish.model, language: told, ...keyterms, ...smart } }
  }
  const eager = wish.eager_eot_threshold === 0 ? {} : { eager_eot_threshold: wish.eager_eot_threshold }
  return {
    provider: {
      type: 'deepgram',
      version: 'v2',
      model: wish.model,
      eot_threshold: wish.eot_threshold,
      eot_timeout_ms: wish.eot_timeout_ms,
      ...eager,
      ...keyterms,
      ...(wish.model === 'flux-general-multi' ? { language_hints: [...hintsOf(options, { language })] } : {}),
    },
  }
}

function think({ options, prompt, tools, secrets }: SettingsWishes): Think {
  const { think: wish } = options
  return {
    provider: thinkProvider(options, secrets),
    prompt,
    ...endpoint(wish.endpoint_url, wish.endpoint_headers, secrets),
    ...(wish.endpoint_url === '' || wish.context_length === 0 ? {} : { context_length: wish.context_length }),
    ...(tools.length === 0 ? {} : { functions: tools.map((tool) => functionOf(tool, options)) }),
  }
}

/** Without an endpoint it is for the client to call. Where turns are ended on a guess, it waits until that was right. */
function functionOf(
  { name, description, parameters }: ToolDeclaration,
  { listen: { model, ...ears } }: DeepgramOptions,
) {
  const guesses = isFlux(model) && ears.eager_eot_threshold > 0
  return { name, description, parameters: { ...parameters }, ...(guesses ? { defer_until_eot: true } : {}) }
}

function thinkProvider({ think: wish }: DeepgramOptions, secrets: Secrets): Think['provider'] {
  const { provider, model, temperature, reasoning_mode: mode } = wish
  const reasoning = mode === 'default' ? {} : { reasoning_mode: mode }
  switch (provider) {
    case 'open_ai':
      return { type: provider, model, temperature, ...reasoning }
    case 'groq':
      // The types name the one model that there is now.
      return { type: provider, model: model as 'openai/gpt-oss-20b', temperature, ...reasoning }
    case 'anthropic':
      return { type: provider, model: model as never, temperature }
    case 'google':
      return { type: provider, model: model as never, temperature }
    case 'aws_bedrock':
      return {
        type: provider,
        model: model as never,
        temperature,
        credentials: awsCredentials(wish.aws_region, secrets),
      }
  }
}

export function speak({ options, language, secrets }: SettingsWishes): Speak {
  const { speak: wish } = options
  const { provider, model, voice } = wish
  const told = wish.language || language
  const at = endpoint(wish.endpoint_url, wish.endpoint_headers, secrets)
  switch (provider) {
    case 'deepgram':
      return { provider: { type: provider, model, ...(wish.speed === 1 ? {} : { speed: wish.speed }) } }
    case 'open_ai':
      return { provider: { type: provider, model: model as never, voice: voice as never }, ...at }
    case 'eleven_labs':
      return { provider: { type: provider, model_id: model as never, language: told }, ...at }
    case 'cartesia':
      return {
        provider: { type: provider, model_id: model as never, voice: { mode: 'id', id: voice }, language: told },
        ...at,
      }
    case 'aws_polly': {
      const credentials = { ...awsCredentials(wish.aws_region, secrets), type: 'iam' as const }
      return {
        provider: { type: provider, voice: voice as never, language: told, engine: model as never, credentials },
        ...at,
      }
    }
  }
}

/** Aura, where another maker's voice does not answer. */
export function auraVoice(): Speak {
  return { provider: { type: 'deepgram', model: 'aura-2-thalia-en' } }
}

/** A header names the variable that holds its secret, so that no configuration that is shown has it. */
function endpoint(url: string, lines: readonly string[], secrets: Secrets) {
  if (url === '') return {}
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':')
      const value = line.slice(colon + 1).trim()
      return [
        line.slice(0, colon),
        value.replace(/\$([A-Za-z_][A-Za-z0-9_]*)/g, (_, name: string) => secretOf(name, secrets)),
      ] as const
    }),
  )
  return { endpoint: { url, headers } }
}

function secretOf(name: string, secrets: Secrets): string {
  const secret = secretIn(secrets, name)
  return secret.ok ? (secret.value ?? '') : ''
}

function awsCredentials(region: string, secrets: Secrets) {
  const token = secretOf('AWS_SESSION_TOKEN', secrets)
  return {
    type: token === '' ? ('iam' as const) : ('sts' as const),
    region,
    access_key_id: secretOf('AWS_ACCESS_KEY_ID', secrets),
    secret_access_key: secretOf('AWS_SECRET_ACCESS_KEY', secrets),
    ...(token === '' ? {} : { session_token: token }),
  }
}
