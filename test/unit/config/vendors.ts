import { deepgramOptions } from '#providers/deepgram/options.ts'
import { localOptions } from '#providers/local/options.ts'
import { loopbackOptions } from '#providers/loopback/options.ts'
import { openAiCompatibleOptions } from '#providers/openai-compatible/options.ts'
import { openAiRealtimeOptions } from '#providers/openai-realtime/options.ts'

/** The vendors of this version, as the composition root hands them to the configuration. */
export const vendors = {
  local: localOptions(openAiCompatibleOptions),
  openai_realtime: openAiRealtimeOptions,
  deepgram: deepgramOptions,
  loopback: loopbackOptions,
}
