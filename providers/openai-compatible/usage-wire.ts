import * as v from 'valibot'
import { tokenCount, tokenDetail } from '#agent/token-count-wire.ts'
import type { TokenCounts } from '#agent/usage.ts'

/** What `usage` of an answer says; servers of other makers leave out the details, or all of it. Pure. */
const usageSchema = v.looseObject({
  prompt_tokens: tokenCount,
  completion_tokens: tokenCount,
  prompt_tokens_details: v.nullish(v.looseObject({ cached_tokens: tokenDetail, audio_tokens: tokenDetail })),
  completion_tokens_details: v.nullish(v.looseObject({ audio_tokens: tokenDetail })),
})

/** Null: it says nothing, or numbers that are none of tokens: some servers say -1 of what they do not know. */
export function tokensOf(usage: unknown): TokenCounts | null {
  const parsed = v.safeParse(usageSchema, usage)
  if (!parsed.success) return null
  const { prompt_tokens: prompt, completion_tokens: completion } = parsed.output
  const { cached_tokens: cached, audio_tokens: audio } = parsed.output.prompt_tokens_details ?? {}
  const audioOutput = parsed.output.completion_tokens_details?.audio_tokens ?? 0
  return {
    input: Math.max(0, prompt - (cached ?? 0) - (audio ?? 0)),
    cached_input: cached ?? 0,
    audio_input: audio ?? 0,
    cached_audio_input: 0,
    output: Math.max(0, completion - audioOutput),
    audio_output: audioOutput,
  }
}
