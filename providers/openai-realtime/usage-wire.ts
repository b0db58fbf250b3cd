import * as v from 'valibot'
import { tokenCount, tokenDetail } from '#agent/token-count-wire.ts'
import type { TokenCounts, Usage } from '#agent/usage.ts'

/** What `response.done` says of the tokens that a response has taken. Pure. */
const usageShape = v.looseObject({
  input_tokens: tokenCount,
  output_tokens: tokenCount,
  input_token_details: v.nullish(
    v.looseObject({
      audio_tokens: tokenDetail,
      cached_tokens: tokenDetail,
      cached_tokens_details: v.nullish(v.looseObject({ text_tokens: tokenDetail, audio_tokens: tokenDetail })),
    }),
  ),
  output_token_details: v.nullish(v.looseObject({ audio_tokens: tokenDetail })),
})

/** Null: it says nothing, or numbers that are none of tokens. What is neither audio nor cached is text: images are billed by the price of it. */
export function tokensOf(usage: unknown): TokenCounts | null {
  const parsed = v.safeParse(usageShape, usage)
  if (!parsed.success) return null
  const { input_tokens: input, output_tokens: output, input_token_details: details } = parsed.output
  const audio = details?.audio_tokens ?? 0
  const cached = details?.cached_tokens ?? 0
  const cachedAudio = details?.cached_tokens_details?.audio_tokens ?? 0
  const cachedText = Math.max(0, cached - cachedAudio)
  const audioOutput = parsed.output.output_token_details?.audio_tokens ?? 0
  return {
    input: Math.max(0, input - audio - cachedText),
    cached_input: cachedText,
    audio_input: Math.max(0, audio - cachedAudio),
    cached_audio_input: cachedAudio,
    output: Math.max(0, output - audioOutput),
    audio_output: audioOutput,
  }
}

/** Also of a response that nobody hears; one that failed is not billed. */
export function usageOf(response: { readonly status: string; readonly tokens: TokenCounts | null }): Usage[] {
  const { status, tokens } = response
  return tokens === null && status === 'failed' ? [] : [{ type: 'usage', tokens }]
}
