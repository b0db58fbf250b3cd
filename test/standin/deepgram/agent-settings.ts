import { isRecord } from '../json-schema.ts'
import type { ServerMessage } from './options.ts'
import { type RawEncoding, rawEncodings, type WireAudio } from './wire-audio.ts'

/** `Settings` as the server holds them, after what no type can say was checked. */
export interface AgentSettings {
  readonly input: WireAudio
  readonly output: WireAudio
  readonly greeting: string
  readonly prompt: string
  readonly functions: readonly string[]
  readonly history: boolean
  readonly experimental: boolean
  readonly customThink: boolean
  /** What the conversation was before, as the client told it. */
  readonly context: readonly Readonly<Record<string, unknown>>[]
  /** As they came. */
  readonly message: ServerMessage
}

const listenVersions = ['v1', 'v2']
const fluxModels = /^flux-general-(en|multi)$/
const reasoningModes = ['none', 'minimal', 'low', 'medium', 'high']

/** @returns the settings, or in words what is wrong with them */
export function agentSettings(message: ServerMessage): AgentSettings | string {
  try {
    return checked(message)
  } catch (thrown) {
    if (thrown instanceof WrongSettings) return thrown.message
    throw thrown
  }
}

/** @returns in words what is wrong with a `speak`, `think` or `listen` that comes later; null: nothing */
export function updateFault(message: ServerMessage): string | null {
  try {
    for (const each of many(message.speak)) checkSpeak(each)
    for (const each of many(message.think)) checkThink(each)
    if (message.listen !== undefined) checkListen(member(member(message, 'listen'), 'provider'), null)
    return null
  } catch (thrown) {
    if (thrown instanceof WrongSettings) return thrown.message
    throw thrown
  }
}

class WrongSettings extends Error {}
const wrong = (message: string) => new WrongSettings(message)

type Fields = Readonly<Record<string, unknown>>

function checked(message: ServerMessage): AgentSettings {
  const agent = member(message, 'agent')
  const audio = member(message, 'audio')
  const language = typeof agent.language === 'string' ? agent.language : null
  const thinks = many(agent.think)
  for (const think of thinks) checkThink(think)
  for (const speak of many(agent.speak)) checkSpeak(speak)
  checkListen(member(member(agent, 'listen'), 'provider'), language)
  const [think = {}] = thinks
  const context = member(agent, 'context').messages
  const functions = Array.isArray(think.functions) ? think.functions.filter(isRecord) : []
  return {
    input: inputAudio(audio.input),
    output: outputAudio(audio.output),
    greeting: typeof agent.greeting === 'string' ? agent.greeting : '',
    prompt: typeof think.prompt === 'string' ? think.prompt : '',
    functions: functions.map(({ name }) => String(name)),
    history: member(message, 'flags').history !== false,
    experimental: message.experimental === true,
    customThink: think.endpoint !== undefined,
    context: Array.isArray(context) ? context.filter(isRecord) : [],
    message,
  }
}

function inputAudio(input: unknown): WireAudio {
  if (input === undefined) return { encoding: 'linear16', sampleRateHz: 24_000 }
  return raw('audio.input', input)
}

function outputAudio(output: unknown): WireAudio {
  const fields = isRecord(output) ? output : {}
  if ((fields.container ?? 'none') !== 'none') throw wrong('the stand-in sends audio without a container only')
  return raw('audio.output', { encoding: 'linear16', sample_rate: 24_000, ...fields })
}

function raw(path: string, fields: unknown): WireAudio {
  const { encoding, sample_rate: sampleRateHz } = isRecord(fields) ? fields : {}
  const known: RawEncoding | undefined = rawEncodings.find((each) => each === encoding)
  if (known === undefined) throw wrong(`${path}.encoding: the stand-in takes ${rawEncodings.join(', ')}`)
  if (
    typeof sampleRateHz !== 'number' ||
    !Number.isInteger(sampleRateHz) ||
    sampleRateHz < 8000 ||
    sampleRateHz > 48_000
  )
    throw wrong(`${path}.sample_rate: expected a rate from 8000 to 48000`)
  return { encoding: known, sampleRateHz }
}

function checkListen(provider: Fields, language: string | null): void {
  const { version = 'v1', model } = provider
  if (!listenVersions.includes(String(version))) throw wrong(`agent.listen.provider.version: ${String(version)}`)
  if (version === 'v1') return
  if (typeof model !== 'string' || !fluxModels.test(model))
    throw wrong('agent.listen.provider.model: no such Flux model')
  if (language !== null) throw wrong('agent.language cannot be given with a Flux model')
  if (provider.language_hints !== undefined && model !== 'flux-general-multi')
    throw wrong('agent.listen.provider.language_hints: only with flux-general-multi')
  within('eot_threshold', provider.eot_threshold, 0.5, 1)
  within('eager_eot_threshold', provider.eager_eot_threshold, 0.3, 0.9)
  within('eot_timeout_ms', provider.eot_timeout_ms, 500, 60_000)
  const { eager_eot_threshold: eager, eot_threshold: eot = 0.7 } = provider
  if (typeof eager === 'number' && typeof eot === 'number' && eager > eot)
    throw wrong('eager_eot_threshold must not be above eot_threshold')
}

function checkThink(think: Fields): void {
  const provider = member(think, 'provider')
  within('agent.think.provider.temperature', provider.temperature, 0, provider.type === 'anthropic' ? 1 : 2)
  const { reasoning_mode: mode } = provider
  if (mode !== undefined && !reasoningModes.includes(String(mode))) throw wrong(`reasoning_mode: ${String(mode)}`)
  if (think.endpoint !== undefined) checkEndpoint('agent.think.endpoint', think.endpoint, ['http:', 'https:'])
  else if (think.context_length !== undefined) throw wrong('agent.think.context_length needs an endpoint of your own')
  const functions = Array.isArray(think.functions) ? think.functions.filter(isRecord) : []
  for (const { name } of functions) {
    if (typeof name !== 'string' || !/^[\w-]{1,64}$/.test(name)) throw wrong('agent.think.functions: a name is missing')
  }
}

function checkSpeak(speak: Fields): void {
  const provider = member(speak, 'provider')
  const { type } = provider
  if (type !== 'deepgram' && type !== 'aws_polly' && speak.endpoint === undefined)
    throw wrong(`agent.speak.endpoint is required for ${String(type)}`)
  if (speak.endpoint !== undefined) {
    const schemes = type === 'eleven_labs' ? ['https:', 'wss:'] : ['https:']
    checkEndpoint('agent.speak.endpoint', speak.endpoint, schemes)
  }
  within('agent.speak.provider.speed', provider.speed, 0.7, 1.5)
}

function checkEndpoint(path: string, endpoint: unknown, schemes: readonly string[]): void {
  const url = isRecord(endpoint) && typeof endpoint.url === 'string' ? URL.parse(endpoint.url) : null
  if (url === null || !schemes.includes(url.protocol))
    throw wrong(`${path}.url: expected a URL with ${schemes.join(' or ')}`)
}

function within(name: string, value: unknown, min: number, max: number): void {
  if (typeof value === 'number' && !(value >= min && value <= max)) throw wrong(`${name}: expected ${min} to ${max}`)
}

function member(value: unknown, name: string): Fields {
  const found = isRecord(value) ? value[name] : undefined
  return isRecord(found) ? found : {}
}

/** One, or a list of them in the order in which they are tried. */
function many(value: unknown): readonly Fields[] {
  return (Array.isArray(value) ? value : [value]).filter(isRecord)
}
