import type { Provider } from '#agent/provider.ts'
import type { Configuration } from '#config/schema.ts'
import { ModelStore, modelsFolder } from '#speech/model-store.ts'
import { RecordedPhrases } from '#speech/recorded-phrases.ts'
import { createTools } from '#tools/tools.ts'
import { createDeepgramAgent } from './deepgram/agent.ts'
import { createLocalAgent } from './local/agent.ts'
import { createLoopback } from './loopback/agent.ts'
import { createOpenAiRealtime } from './openai-realtime/agent.ts'
import { legRates, type PartDeps, phrases, planLocalLlm } from './parts.ts'
import { planPipeline } from './pipelines.ts'
import type { VendorsConfiguration } from './schemas.ts'

/** Every agent: each vendor's, made from its section of the configuration, and the pipelines. Nothing registers itself. */
export interface ProviderDeps extends Omit<PartDeps, 'store'> {
  readonly configuration: Configuration<VendorsConfiguration>
}

/** The enabled providers and the pipelines, by name; none of them has started anything yet. */
export function createProviders(deps: ProviderDeps): Record<string, Provider<'agent'>> {
  const { deepgram, local, loopback, openai_realtime: realtime } = deps.configuration.providers
  return {
    ...(local.enabled ? { local: createLocal(deps) } : {}),
    ...(realtime.enabled ? { openai_realtime: createRealtime(deps) } : {}),
    ...(deepgram.enabled ? { deepgram: createDeepgram(deps) } : {}),
    ...(loopback.enabled ? { loopback: createLoopback('loopback', { delayMs: loopback.delay_ms }) } : {}),
    ...createPipelines(deps),
  }
}

function createPipelines(deps: ProviderDeps): Record<string, Provider<'agent'>> {
  const { configuration } = deps
  return Object.fromEntries(
    Object.entries(configuration.pipelines).map(([name, pipeline]) => [
      name,
      planPipeline(name, pipeline, configuration).make(partDeps(deps)),
    ]),
  )
}

function createLocal(deps: ProviderDeps): Provider<'agent'> {
  const { configuration } = deps
  const { stt, tts } = configuration.providers.local
  return createLocalAgent(
    'local',
    {
      sttModel: stt.model,
      voice: tts.voice,
      speed: tts.speed,
      phrases: phrases(configuration),
      sampleRatesHz: legRates(configuration),
      llm: planLocalLlm(configuration).make(partDeps(deps)),
    },
    partDeps(deps),
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
function recordedPhrases(deps: ProviderDeps, filler: string): RecordedPhrases {
  const { configuration } = deps
  const { tts } = configuration.providers.local
  const { store, clock, log, random } = partDeps(deps)
  return new RecordedPhrases({
    store,
    voice: tts.voice,
    speed: tts.speed,
    phrases: [filler, ...phrases(configuration)].filter((text) => text !== ''),
    sampleRatesHz: legRates(configuration),
    clock,
    log,
    random,
  })
}

function partDeps({ configuration, env, log, clock, random }: ProviderDeps): PartDeps {
  const store = new ModelStore({ folder: modelsFolder(env, configuration.models.dir), clock, log, env })
  return { store, env, log, clock, random }
}
