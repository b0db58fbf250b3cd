import type { Provider } from '#agent/provider.ts'
import type { CallSettings } from '#call/admission.ts'
import type { WarmUp } from '#call/warm-up.ts'
import type { Configuration } from '#config/schema.ts'

/** What every call is given, out of the configuration. */
export function callSettings(configuration: Configuration, provider: Provider<'agent'>, warmUp: WarmUp): CallSettings {
  const { barge_in: bargeIn, vad, streaming, llm, limits } = configuration
  return {
    provider,
    playout: {
      mode: configuration.downstream_mode,
      lowWatermarkMs: streaming.low_watermark_ms,
      graceMs: streaming.provider_grace_ms,
      fallbackMs: streaming.fallback_timeout_ms,
    },
    warmUp,
    language: configuration.language,
    prompt: llm.prompt,
    greeting: llm.initial_greeting,
    callMaxMs: limits.call_seconds * 1000,
    callsMax: limits.calls,
    turns: {
      warmUpMs: streaming.min_start_ms,
      greetingWarmUpMs: streaming.greeting_min_start_ms,
      endSilenceMs: vad.end_silence_ms,
      turnMaxMs: vad.max_turn_ms,
      bargeIn: {
        enabled: bargeIn.enabled,
        minMs: bargeIn.min_ms,
        initialProtectionMs: bargeIn.initial_protection_ms,
        greetingProtectionMs: bargeIn.greeting_protection_ms,
        guardMs: bargeIn.post_tts_end_protection_ms,
        cooldownMs: bargeIn.cooldown_ms,
      },
      apology: llm.apology,
    },
  }
}
