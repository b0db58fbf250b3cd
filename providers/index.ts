import { createHash } from 'node:crypto'
import type { Provider } from '#agent/provider.ts'
import type { Configuration } from '#config/schema.ts'
import { secretIn } from '#config/secrets.ts'
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
import { variablesNamed } from './secret-names.ts'

/** Every agent: each vendor's, made from its section of the configuration, and the pipelines. Nothing registers itself. */
export interface ProviderDeps extends Omit<PartDeps, 'store'> {
  readonly configuration: Configuration<VendorsConfiguration>
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
    ...planPipelines(deps),
  }
}

function planPipelines(deps: ProviderDeps): Record<string, ProviderPlan> {
  const { configuration } = deps
  return Object.fromEntries(
    Object.entries(configuration.pipelines).map(([name, pipeline]) => {
      const { inputs, make } = planPipeline(name, pipeline, configuration)
      return [name, plan(deps, inputs, () => make(partDeps(deps)))]
    }),
  )
}

/** `make` has its inputs from the plan alone, so that nothing can shape a provider that its fingerprint does not know. */
function plan<Inputs extends object>(
  deps: ProviderDeps,
  inputs: Inputs,
  make: (inputs: Inputs) => Provider<'agent'>,
): ProviderPlan {
  const secrets = variablesNamed(inputs).map((name) => [name, secretIn(deps.secrets, name)])
  const words = JSON.stringify([inputs, modelsFolderOf(deps), secrets])
  return { fingerprint: createHash('sha256').update(words).digest('hex'), make: () => make(inputs) }
}

function planLocal(deps: ProviderDeps): ProviderPlan {
  const { configuration } = deps
  const { stt, tts } = configuration.providers.local
  const model = planLocalLlm(configuration)
  const inputs = {
    sttModel: stt.model,
    voice: tts.voice,
    speed: tts.speed,
    phrases: phrases(configuration),
    sampleRatesHz: legRates(configuration),
    model: model.inputs,
  }
  return plan(deps, inputs, ({ model: _model, ...rest }) =>
    createLocalAgent('local', { ...rest, llm: model.make(partDeps(deps)) }, partDeps(deps)),
  )
}

function planRealtime(deps: ProviderDeps): ProviderPlan {
  const { configuration, secrets, log, clock, random } = deps
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
      secrets,
      tools: createTools(options.tools, { destinations }),
      interruptsItself,
      recorded: recordedPhrases(deps, recorded),
    }),
  )
}

function planDeepgram(deps: ProviderDeps): ProviderPlan {
  const { configuration, secrets, log, clock, random } = deps
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
      secrets,
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
  const { store, clock, log, random } = partDeps(deps)
  return new RecordedPhrases({ ...inputs, store, clock, log, random })
}

function modelsFolderOf({ configuration, env }: ProviderDeps): string {
  return modelsFolder(env, configuration.models.dir)
}

function partDeps(deps: ProviderDeps): PartDeps {
  const { env, secrets, log, clock, random } = deps
  return { store: new ModelStore({ folder: modelsFolderOf(deps), clock, log, env }), env, secrets, log, clock, random }
}
