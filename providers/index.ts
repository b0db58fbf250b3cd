import type { Provider } from '#agent/provider.ts'
import { type SampleRateHz, wireRatesHz } from '#audio/format.ts'
import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import type { Configuration } from '#config/schema.ts'
import type { Environment } from '#config/secrets.ts'
import { ModelStore, modelsFolder } from '#speech/model-store.ts'
import { createLlmProcess, createLocalAgent } from './local/agent.ts'
import { createLoopback } from './loopback/agent.ts'
import { createOpenAiCompatibleLlm } from './openai-compatible/llm.ts'
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
  const { local, loopback } = deps.configuration.providers
  return {
    ...(local.enabled ? { local: createLocal(deps) } : {}),
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
      phrases: [
        configuration.llm.initial_greeting,
        configuration.llm.apology,
        ...configuration.turn_taking.check_ins,
        configuration.turn_taking.farewell,
      ],
      sampleRatesHz: legRates(configuration),
      llm: createOpenAiCompatibleLlm(llm, { clock, random, log, env, ...builtIn }),
    },
    localDeps,
  )
}

/** The rates that legs can have: of each door's format, since a call may name its door. */
function legRates(configuration: Configuration): SampleRateHz[] {
  const { audiosocket, external_media: externalMedia, media_websocket: mediaWebSocket } = configuration
  const rates = [audiosocket.format, externalMedia.format, mediaWebSocket.format].map((wire) => wireRatesHz[wire])
  return [...new Set(rates)]
}
