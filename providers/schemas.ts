import { deepgramOptions } from './deepgram/options.ts'
import { localOptions } from './local/options.ts'
import { loopbackOptions } from './loopback/options.ts'
import { openAiCompatibleOptions, openAiCompatibleParts } from './openai-compatible/options.ts'
import { openAiRealtimeOptions } from './openai-realtime/options.ts'

/**
 * Every vendor's section, by its name in the file: the one list of names. `config` is handed it and never imports a
 * vendor. It stands apart from `index.ts` so that checking a file loads no engine.
 */
export const vendorSchemas = {
  local: localOptions(openAiCompatibleOptions),
  openai_realtime: openAiRealtimeOptions,
  deepgram: deepgramOptions,
  openai_compatible: openAiCompatibleParts,
  loopback: loopbackOptions,
}
export type VendorsConfiguration = typeof vendorSchemas
