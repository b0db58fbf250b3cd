import type { PartRole } from '#agent/fallback-memory.ts'
import { metered } from '#agent/metered.ts'
import type { Provider } from '#agent/provider.ts'
import { type SampleRateHz, wireRatesHz } from '#audio/format.ts'
import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import type { InlinePart, RoleEntry } from '#config/pipeline-schema.ts'
import type { Configuration } from '#config/schema.ts'
import type { Environment, Secrets } from '#config/secrets.ts'
import type { ModelStore } from '#speech/model-store.ts'
import type { DeepgramSttPart, DeepgramTtsPart } from './deepgram/options.ts'
import { createDeepgramStt } from './deepgram/stt.ts'
import { createDeepgramTts } from './deepgram/tts.ts'
import { createLlmProcess } from './local/agent.ts'
import type { LocalSttPart, LocalTtsPart } from './local/options.ts'
import { createLocalStt } from './local/stt.ts'
import { createLocalTts } from './local/tts.ts'
import { createOpenAiCompatibleLlm } from './openai-compatible/llm.ts'
import type { LlmPart, SttPart, TtsPart } from './openai-compatible/options.ts'
import { createOpenAiCompatibleStt } from './openai-compatible/stt.ts'
import { createOpenAiCompatibleTts } from './openai-compatible/tts.ts'
import type { VendorsConfiguration } from './schemas.ts'

/**
 * The parts of cascades, from a vendor's section of the configuration or from what a pipeline says in place. A plan holds all
 * that shapes a part, so that plans of equal inputs make parts that nobody could tell apart.
 */
export interface PartDeps {
  readonly store: ModelStore
  readonly env: Environment
  readonly secrets: Secrets
  readonly log: Log
  readonly clock: Clock
  readonly random: Random
}

export interface PartPlan<R extends PartRole> {
  /** Values only, as JSON has them; secrets by the names of their variables. */
  readonly inputs: object
  make(deps: PartDeps): Provider<R>
}

type Whole = Configuration<VendorsConfiguration>

/** Each vendor's, by role. An entry in place has passed that vendor's own schema: its type is known by its `provider`. */
type Planners = {
  readonly [R in PartRole]: Readonly<Record<string, (configuration: Whole, inline: InlinePart | null) => PartPlan<R>>>
}

const planners: Planners = {
  stt: {
    local: ({ providers }, inline) => {
      const { model } = (inline as LocalSttPart | null) ?? providers.local.stt
      return plan({ local: model }, ({ store, clock, log, random }) =>
        createLocalStt({ store, model, clock, log, random }),
      )
    },
    deepgram: ({ providers: { deepgram } }, inline) => {
      const options = { ...deepgram, listen: (inline as DeepgramSttPart | null) ?? deepgram.listen }
      return plan({ deepgram: options }, (deps) => createDeepgramStt('deepgram', options, deps))
    },
    openai_compatible: ({ providers }, inline) => {
      const { base_url, api_key_env, stt } = providers.openai_compatible
      const options = (inline as SttPart | null) ?? { base_url, api_key_env, ...stt }
      return plan({ openai_compatible: options }, (deps) => createOpenAiCompatibleStt(options, deps))
    },
  },
  llm: {
    local: planLocalLlm,
    openai_compatible: ({ providers }, inline) => {
      const { base_url, api_key_env, llm } = providers.openai_compatible
      const options = (inline as LlmPart | null) ?? { base_url, api_key_env, ...llm }
      return plan({ openai_compatible: options }, (deps) => createOpenAiCompatibleLlm(options, deps))
    },
  },
  tts: {
    local: (configuration, inline) => {
      const { voice, speed } = (inline as LocalTtsPart | null) ?? configuration.providers.local.tts
      const said = phrases(configuration).flatMap((text) =>
        legRates(configuration).map((sampleRateHz) => ({ text, sampleRateHz })),
      )
      return plan({ local: { voice, speed, said } }, ({ store, clock, log, random }) =>
        createLocalTts({ store, voice, speed, phrases: said, clock, log, random }),
      )
    },
    deepgram: ({ providers: { deepgram } }, inline) => {
      const { model, speed, transport } = (inline as DeepgramTtsPart | null) ?? deepgram.speak
      const options = { ...deepgram, speak: { ...deepgram.speak, model, speed, transport } }
      return plan({ deepgram: options }, (deps) => createDeepgramTts('deepgram', options, deps))
    },
    openai_compatible: ({ providers }, inline) => {
      const { base_url, api_key_env, tts } = providers.openai_compatible
      const options = (inline as TtsPart | null) ?? { base_url, api_key_env, ...tts }
      return plan({ openai_compatible: options }, (deps) => createOpenAiCompatibleTts(options, deps))
    },
  },
}

function plan<R extends PartRole>(inputs: object, make: (deps: PartDeps) => Provider<R>): PartPlan<R> {
  return { inputs, make }
}

export function planPart<R extends PartRole>(role: R, entry: RoleEntry, configuration: Whole): PartPlan<R> {
  const inline = typeof entry === 'string' ? null : entry
  const vendor = inline?.provider ?? String(entry)
  const planner = planners[role][vendor]
  // The configuration's own checks refuse this with line and advice; here it would be a bug.
  if (planner === undefined) throw new Error(`bug: ${vendor} has no ${role}`)
  const { inputs, make } = planner(configuration, inline)
  return plan(inputs, (deps) => metered(vendor, make(deps)))
}

/** The language model of `providers.local`: another server's, or the built-in one in a child process. */
export function planLocalLlm(configuration: Whole): PartPlan<'llm'> {
  const { llm } = configuration.providers.local
  // The built-in model has the prompt in its cache before the first call.
  const prompt = llm.base_url === '' ? configuration.llm.prompt : null
  return plan({ local: llm, prompt }, (deps) => {
    const builtIn = prompt === null ? {} : { endpoint: createLlmProcess(prompt, deps) }
    return createOpenAiCompatibleLlm(llm, { ...deps, ...builtIn })
  })
}

/** Said to every caller, or in trouble. */
export function phrases({ llm, turn_taking: turns, on_failure: onFailure, limits }: Configuration): string[] {
  const { initial_greeting: greeting, apology } = llm
  return [greeting, apology, onFailure.notice, ...turns.check_ins, turns.farewell, limits.farewell].filter(
    (text) => text !== '',
  )
}

/** The rates that legs can have: of each door's format, since a call may name its door. */
export function legRates(configuration: Configuration): SampleRateHz[] {
  const { audiosocket, external_media: externalMedia, media_websocket: mediaWebSocket } = configuration
  const rates = [audiosocket.format, externalMedia.format, mediaWebSocket.format].map((wire) => wireRatesHz[wire])
  return [...new Set(rates)]
}
