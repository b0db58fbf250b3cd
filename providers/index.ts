import type { Provider } from '#agent/provider.ts'
import { RecordedPhrases } from '#speech/recorded-phrases.ts'
import { createTools } from '#tools/tools.ts'
import { createDeepgramAgent } from './deepgram/agent.ts'
import { createLocalAgent } from './local/agent.ts'
import { createLoopback } from './loopback/agent.ts'
import { createOpenAiRealtime } from './openai-realtime/agent.ts'
import { createLocalLlm, createPart, legRates, localDeps, type PartDeps, phrases } from './parts.ts'
import { createPipeline } from './pipelines.ts'

/** Every agent: each vendor's, made from its section of the configuration, and the pipelines. Nothing registers itself. */
export type ProviderDeps = PartDeps

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
  const { pipelines, transfer } = deps.configuration
  return Object.fromEntries(
    Object.entries(pipelines).map(([name, pipeline]) => {
      const tools = createTools(pipeline.tools, { destinations: transfer.destinations })
      const part: Parameters<typeof createPipeline>[2]['part'] = (role, entry) => createPart(role, entry, deps)
      return [name, createPipeline(name, pipeline, { ...deps, tools, part })]
    }),
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
      llm: createLocalLlm(deps),
    },
    localDeps(deps),
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
  const { store, clock, log, random } = localDeps(deps)
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
