import type { Provider } from '#agent/provider.ts'
import { type SampleRateHz, wireRatesHz } from '#audio/format.ts'
import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import type { Configuration } from '#config/schema.ts'
import type { Environment } from '#config/secrets.ts'
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

/** The enabled providers by name; none of them has started anything yet. */
export function createProviders(deps: ProviderDeps): Record<string, Provider<'agent'>> {
  const { deepgram, local, loopback, openai_realtime: realtime } = deps.configuration.providers
  return {
    ...(local.enabled ? { local: createLocal(deps) } : {}),
    ...(realtime.enabled ? { openai_realtime: createRealtime(deps) } : {}),
    ...(deepgram.enabled ? { deepgram: createDeepgram(deps) } : {}),
    ...(loopback.enabled ? { loopback: createLoopback('loopback', { delayMs: loopback.delay_ms }) } : {}),
  }
}

function createLocal(deps: ProviderDeps): Provider<'agent'> {
  const { configuration, env, log, clock, random } = deps
  const { stt, llm, tts } = configuration.providers.local
  const store = new ModelStore({ folder: modelsFolder(env, configuration.models.dir), clock, log, env })
  const localDeps = { store, env, log, clock, random }
  const builtIn = llm.base_url === '' ? { endpoint: createLlmProcess(configuration.llm.prompt, localDeps) } : {}
  return createLocalAgent(
    'local',
    {
      sttModel: stt.model,
      voice: tts.voice,
      speed: tts.speed,
      phrases: phrases(configuration),
      sampleRatesHz: legRates(configuration),
      llm: createOpenAiCompatibleLlm(llm, { clock, random, log, env, ...builtIn }),
    },
    localDeps,
  )
}

function createRealtime(deps: ProviderDeps): Provider<'agent'> {
  const { configuration, env, log, clock, random } = deps
  const { openai_realtime: options } = configuration.providers
  const { barge_in: bargeIn, transfer } = configuration
  return createOpenAiRealtime('openai_realtime', options, {
    clock,
    random,
    log,
    env,
    tools: createTools(options.tools, { destinations: transfer.destinations }),
    interruptsItself: bargeIn.enabled && !bargeIn.confirm,
    recorded: recordedPhrases(deps, options.filler),
  })
}

function createDeepgram(deps: ProviderDeps): Provider<'agent'> {
  const { configuration, env, log, clock, random } = deps
  const { deepgram: options } = configuration.providers
  return createDeepgramAgent('deepgram', options, {
    clock,
    random,
    log,
    env,
    tools: createTools(options.tools, { destinations: configuration.transfer.destinations }),
    recorded: recordedPhrases(deps, options.filler),
  })
}

/** What is said in trouble is recorded by the local voice, whose models may be there or not. */
function recordedPhrases({ configuration, env, log, clock, random }: ProviderDeps, filler: string): RecordedPhrases {
  const { tts } = configuration.providers.local
  return new RecordedPhrases({
    store: new ModelStore({ folder: modelsFolder(env, configuration.models.dir), clock, log, env }),
    voice: tts.voice,
    speed: tts.speed,
    phrases: [filler, ...phrases(configuration)].filter((text) => text !== ''),
    sampleRatesHz: legRates(configuration),
    clock,
    log,
    random,
  })
}

/** Said to every caller, or in trouble. */
function phrases({ llm, turn_taking: turns, on_failure: onFailure }: Configuration): string[] {
  return [llm.initial_greeting, llm.apology, onFailure.notice, ...turns.check_ins, turns.farewell]
}

/** The rates that legs can have: of each door's format, since a call may name its door. */
function legRates(configuration: Configuration): SampleRateHz[] {
  const { audiosocket, external_media: externalMedia, media_websocket: mediaWebSocket } = configuration
  const rates = [audiosocket.format, externalMedia.format, mediaWebSocket.format].map((wire) => wireRatesHz[wire])
  return [...new Set(rates)]
}
