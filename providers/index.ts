import { createHash } from 'node:crypto'
import type { Provider } from '#agent/provider.ts'
import { type SampleRateHz, wireRatesHz } from '#audio/format.ts'
import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import type { Configuration } from '#config/schema.ts'
import { type Environment, readSecret } from '#config/secrets.ts'
import { ModelStore, modelsFolder } from '#speech/model-store.ts'
import { RecordedPhrases } from '#speech/recorded-phrases.ts'
import { createTools } from '#tools/tools.ts'
import { createDeepgramAgent } from './deepgram/agent.ts'
import { createLlmProcess, createLocalAgent } from './local/agent.ts'
import { createLoopback } from './loopback/agent.ts'
import { createOpenAiCompatibleLlm } from './openai-compatible/llm.ts'
import { createOpenAiRealtime } from './openai-realtime/agent.ts'
import type { VendorsConfiguration } from './schemas.ts'

/** Every vendor, made from its section of the configuration: the one list; nothing registers itself. */
export interface ProviderDeps {
  readonly configuration: Configuration<VendorsConfiguration>
  readonly env: Environment
  readonly log: Log
  readonly clock: Clock
  readonly random: Random
}

/** How a provider is made. Plans of equal fingerprints make providers that nobody could tell apart. */
export interface ProviderPlan {
  /** Of all that it is made of; the values of its secrets are in it and cannot be read out of it. */
  readonly fingerprint: string
  /** Has started nothing yet. */
  make(): Provider<'agent'>
}

/** Plans of the enabled providers, by name. */
export function planProviders(deps: ProviderDeps): Record<string, ProviderPlan> {
  const { deepgram, local, loopback, openai_realtime: realtime } = deps.configuration.providers
  return {
    ...(local.enabled ? { local: planLocal(deps) } : {}),
    ...(realtime.enabled ? { openai_realtime: planRealtime(deps) } : {}),
    ...(deepgram.enabled ? { deepgram: planDeepgram(deps) } : {}),
    ...(loopback.enabled
      ? { loopback: plan(deps, { delayMs: loopback.delay_ms }, (inputs) => createLoopback('loopback', inputs)) }
      : {}),
  }
}

/** `make` has its inputs from the plan alone, so that nothing can shape a provider that its fingerprint does not know. */
function plan<Inputs extends object>(
  deps: ProviderDeps,
  inputs: Inputs,
  make: (inputs: Inputs) => Provider<'agent'>,
): ProviderPlan {
  const secrets = variablesNamed(inputs).map((name) => [name, readSecret(name, deps.env)])
  const words = JSON.stringify([inputs, modelsFolderOf(deps), secrets])
  return { fingerprint: createHash('sha256').update(words).digest('hex'), make: () => make(inputs) }
}

/** Where a vendor's own cloud is reached with Amazon's credentials. */
const awsVariables = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']

/**
 * The variables that hold the secrets of a section, at any depth: what its keys that end in `_env` name, what its headers
 * name as `$NAME`, and Amazon's where it has a region.
 */
export function variablesNamed(section: object): string[] {
  return Object.entries(section).flatMap(([key, value]: [string, unknown]) => {
    if (key.endsWith('headers')) {
      return [...JSON.stringify(value).matchAll(/\$([A-Za-z_][A-Za-z0-9_]*)/g)].map(([, name = '']) => name)
    }
    if (typeof value === 'object' && value !== null) return variablesNamed(value)
    if (value === '') return []
    if (key === 'aws_region') return awsVariables
    return key.endsWith('_env') && typeof value === 'string' ? [value] : []
  })
}

function planLocal(deps: ProviderDeps): ProviderPlan {
  const { configuration, env, log, clock, random } = deps
  const { stt, llm, tts } = configuration.providers.local
  const inputs = {
    sttModel: stt.model,
    voice: tts.voice,
    speed: tts.speed,
    phrases: phrases(configuration),
    sampleRatesHz: legRates(configuration),
    llm,
    // The built-in model has it in its cache before the first call.
    prompt: llm.base_url === '' ? configuration.llm.prompt : null,
  }
  return plan(deps, inputs, ({ llm: options, prompt, ...rest }) => {
    const localDeps = { store: modelStore(deps), env, log, clock, random }
    const builtIn = prompt === null ? {} : { endpoint: createLlmProcess(prompt, localDeps) }
    const model = createOpenAiCompatibleLlm(options, { clock, random, log, env, ...builtIn })
    return createLocalAgent('local', { ...rest, llm: model }, localDeps)
  })
}

function planRealtime(deps: ProviderDeps): ProviderPlan {
  const { configuration, env, log, clock, random } = deps
  const { openai_realtime: options } = configuration.providers
  const { barge_in: bargeIn, transfer } = configuration
  const inputs = {
    options,
    destinations: transfer.destinations,
    interruptsItself: bargeIn.enabled && !bargeIn.confirm,
    recorded: recordedInputs(configuration, options.filler),
  }
  return plan(deps, inputs, ({ destinations, interruptsItself, recorded }) =>
    createOpenAiRealtime('openai_realtime', options, {
      clock,
      random,
      log,
      env,
      tools: createTools(options.tools, { destinations }),
      interruptsItself,
      recorded: recordedPhrases(deps, recorded),
    }),
  )
}

function planDeepgram(deps: ProviderDeps): ProviderPlan {
  const { configuration, env, log, clock, random } = deps
  const { deepgram: options } = configuration.providers
  const inputs = {
    options,
    destinations: configuration.transfer.destinations,
    recorded: recordedInputs(configuration, options.filler),
  }
  return plan(deps, inputs, ({ destinations, recorded }) =>
    createDeepgramAgent('deepgram', options, {
      clock,
      random,
      log,
      env,
      tools: createTools(options.tools, { destinations }),
      recorded: recordedPhrases(deps, recorded),
    }),
  )
}

/** What is said in trouble is recorded by the local voice, whose models may be there or not. */
function recordedInputs(configuration: Configuration<VendorsConfiguration>, filler: string) {
  const { voice, speed } = configuration.providers.local.tts
  return {
    voice,
    speed,
    phrases: [filler, ...phrases(configuration)].filter((text) => text !== ''),
    sampleRatesHz: legRates(configuration),
  }
}

function recordedPhrases(deps: ProviderDeps, inputs: ReturnType<typeof recordedInputs>): RecordedPhrases {
  const { clock, log, random } = deps
  return new RecordedPhrases({ ...inputs, store: modelStore(deps), clock, log, random })
}

function modelStore(deps: ProviderDeps): ModelStore {
  const { env, clock, log } = deps
  return new ModelStore({ folder: modelsFolderOf(deps), clock, log, env })
}

function modelsFolderOf({ configuration, env }: ProviderDeps): string {
  return modelsFolder(env, configuration.models.dir)
}

/** Said to every caller, or in trouble. */
function phrases({ llm, turn_taking: turns, on_failure: onFailure, limits }: Configuration): string[] {
  return [llm.initial_greeting, llm.apology, onFailure.notice, ...turns.check_ins, turns.farewell, limits.farewell]
}

/** The rates that legs can have: of each door's format, since a call may name its door. */
function legRates(configuration: Configuration): SampleRateHz[] {
  const { audiosocket, external_media: externalMedia, media_websocket: mediaWebSocket } = configuration
  const rates = [audiosocket.format, externalMedia.format, mediaWebSocket.format].map((wire) => wireRatesHz[wire])
  return [...new Set(rates)]
}
