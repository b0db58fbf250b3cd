import { createCascade } from '#agent/cascade.ts'
import { metered } from '#agent/metered.ts'
import type { Provider } from '#agent/provider.ts'
import type { SampleRateHz } from '#audio/format.ts'
import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import { selfCommand } from '#speech/executable.ts'
import type { ModelStore } from '#speech/model-store.ts'
import { LlmProcess } from './llm-process.ts'
import { createLocalStt } from './stt.ts'
import { createLocalTts } from './tts.ts'

/** The registry's names of the built-in language model: its weights and what runs them. */
const llmModel = 'smollm2-135m-instruct'
const llmModelFile = 'SmolLM2-135M-Instruct.Q4_1.gguf'
const llmRuntime = 'llm-runtime'

export interface LocalDeps {
  readonly store: ModelStore
  readonly env: Readonly<Record<string, string | undefined>>
  readonly log: Log
  readonly clock: Clock
  readonly random: Random
}

export interface LocalAgentOptions {
  readonly sttModel: string
  readonly voice: string
  readonly speed: number
  /** Said to every caller or in trouble: made once, before the first call. */
  readonly phrases: readonly string[]
  readonly sampleRatesHz: readonly SampleRateHz[]
  readonly llm: Provider<'llm'>
}

/** The cascade of local models behind the contract of an agent. */
export function createLocalAgent(name: string, options: LocalAgentOptions, deps: LocalDeps): Provider<'agent'> {
  const { store, log, clock, random } = deps
  const { sampleRatesHz } = options
  return createCascade({
    name,
    stt: createLocalStt({ store, model: options.sttModel, clock, log, random }),
    llm: metered(name, options.llm),
    tts: createLocalTts({
      store,
      voice: options.voice,
      speed: options.speed,
      phrases: options.phrases
        .filter((text) => text !== '')
        .flatMap((text) => sampleRatesHz.map((sampleRateHz) => ({ text, sampleRateHz }))),
      clock,
      log,
      random,
    }),
  })
}

/** The built-in language model as a server of our own; it starts when it is asked to. @param prompt of every call */
export function createLlmProcess(prompt: string, deps: LocalDeps): LlmProcess {
  const { store, env, log, clock, random } = deps
  return new LlmProcess({
    clock,
    random,
    log,
    env,
    command: selfCommand,
    prompt,
    runtimeFolder: store.path(llmRuntime),
    modelFile: store.path(llmModel, llmModelFile),
    missing: () => store.missing([llmModel, llmRuntime]),
  })
}
