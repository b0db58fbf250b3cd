import type { PartRole } from '#agent/fallback-memory.ts'
import type { Provider } from '#agent/provider.ts'
import { type SampleRateHz, wireRatesHz } from '#audio/format.ts'
import type { Clock } from '#base/clock.ts'
import type { Log } from '#base/log.ts'
import type { Random } from '#base/random.ts'
import type { InlinePart, RoleEntry } from '#config/pipeline-schema.ts'
import type { Configuration } from '#config/schema.ts'
import type { Environment } from '#config/secrets.ts'
import { ModelStore, modelsFolder } from '#speech/model-store.ts'
import type { DeepgramSttPart, DeepgramTtsPart } from './deepgram/options.ts'
import { createDeepgramStt } from './deepgram/stt.ts'
import { createDeepgramTts } from './deepgram/tts.ts'
import { createLlmProcess, type LocalDeps } from './local/agent.ts'
import type { LocalSttPart, LocalTtsPart } from './local/options.ts'
import { createLocalStt } from './local/stt.ts'
import { createLocalTts } from './local/tts.ts'
import { createOpenAiCompatibleLlm } from './openai-compatible/llm.ts'
import type { LlmPart, SttPart, TtsPart } from './openai-compatible/options.ts'
import { createOpenAiCompatibleStt } from './openai-compatible/stt.ts'
import { createOpenAiCompatibleTts } from './openai-compatible/tts.ts'
import type { VendorsConfiguration } from './schemas.ts'

/** The parts of cascades, made from a vendor's section of the configuration, or from what a pipeline says in place. */
export interface PartDeps {
  readonly configuration: Configuration<VendorsConfiguration>
  readonly env: Environment
  readonly log: Log
  readonly clock: Clock
  readonly random: Random
}

/** Each vendor's, by role. An entry in place has passed that vendor's own schema: its type is known by its `provider`. */
type Makers = {
  readonly [R in PartRole]: Readonly<Record<string, (deps: PartDeps, inline: InlinePart | null) => Provider<R>>>
}

const makers: Makers = {
  stt: {
    local: (deps, inline) => {
      const { model } = (inline as LocalSttPart | null) ?? deps.configuration.providers.local.stt
      const { store, clock, log, random } = localDeps(deps)
      return createLocalStt({ store, model, clock, log, random })
    },
    deepgram: (deps, inline) => {
      const { deepgram } = deps.configuration.providers
      const listen = (inline as DeepgramSttPart | null) ?? deepgram.listen
      return createDeepgramStt('deepgram', { ...deepgram, listen }, deps)
    },
    openai_compatible: (deps, inline) => {
      const { base_url, api_key_env, stt } = deps.configuration.providers.openai_compatible
      return createOpenAiCompatibleStt((inline as SttPart | null) ?? { base_url, api_key_env, ...stt }, deps)
    },
  },
  llm: {
    local: (deps) => createLocalLlm(deps),
    openai_compatible: (deps, inline) => {
      const { base_url, api_key_env, llm } = deps.configuration.providers.openai_compatible
      return createOpenAiCompatibleLlm((inline as LlmPart | null) ?? { base_url, api_key_env, ...llm }, deps)
    },
  },
  tts: {
    local: (deps, inline) => {
      const { configuration } = deps
      const { voice, speed } = (inline as LocalTtsPart | null) ?? configuration.providers.local.tts
      const { store, clock, log, random } = localDeps(deps)
      const said = phrases(configuration).flatMap((text) =>
        legRates(configuration).map((sampleRateHz) => ({ text, sampleRateHz })),
      )
      return createLocalTts({ store, voice, speed, phrases: said, clock, log, random })
    },
    deepgram: (deps, inline) => {
      const { deepgram } = deps.configuration.providers
      const { model, speed, transport } = (inline as DeepgramTtsPart | null) ?? deepgram.speak
      return createDeepgramTts('deepgram', { ...deepgram, speak: { ...deepgram.speak, model, speed, transport } }, deps)
    },
    openai_compatible: (deps, inline) => {
      const { base_url, api_key_env, tts } = deps.configuration.providers.openai_compatible
      return createOpenAiCompatibleTts((inline as TtsPart | null) ?? { base_url, api_key_env, ...tts }, deps)
    },
  },
}

export function createPart<R extends PartRole>(role: R, entry: RoleEntry, deps: PartDeps): Provider<R> {
  const inline = typeof entry === 'string' ? null : entry
  const vendor = inline?.provider ?? String(entry)
  const make = makers[role][vendor]
  // The configuration's own checks refuse this with line and advice; here it would be a bug.
  if (make === undefined) throw new Error(`bug: ${vendor} has no ${role}`)
  return make(deps, inline)
}

/** The language model of `providers.local`: another server's, or the built-in one in a child process. */
export function createLocalLlm(deps: PartDeps): Provider<'llm'> {
  const { configuration } = deps
  const { llm } = configuration.providers.local
  const builtIn = llm.base_url === '' ? { endpoint: createLlmProcess(configuration.llm.prompt, localDeps(deps)) } : {}
  return createOpenAiCompatibleLlm(llm, { ...deps, ...builtIn })
}

export function localDeps({ configuration, env, log, clock, random }: PartDeps): LocalDeps {
  const store = new ModelStore({ folder: modelsFolder(env, configuration.models.dir), clock, log, env })
  return { store, env, log, clock, random }
}

/** Said to every caller, or in trouble. */
export function phrases({ llm, turn_taking: turns, on_failure: onFailure }: Configuration): string[] {
  return [llm.initial_greeting, llm.apology, onFailure.notice, ...turns.check_ins, turns.farewell].filter(
    (text) => text !== '',
  )
}

/** The rates that legs can have: of each door's format, since a call may name its door. */
export function legRates(configuration: Configuration): SampleRateHz[] {
  const { audiosocket, external_media: externalMedia, media_websocket: mediaWebSocket } = configuration
  const rates = [audiosocket.format, externalMedia.format, mediaWebSocket.format].map((wire) => wireRatesHz[wire])
  return [...new Set(rates)]
}
