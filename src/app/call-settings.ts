import type { CallSettings } from '#call/admission.ts'
import type { Offer } from '#call/choice.ts'
import type { KeyAction } from '#call/key-pad.ts'
import { mutePolicies } from '#call/turn-policies.ts'
import type { Configuration } from '#config/schema.ts'

/** What every call is given, out of the configuration. */
export function callSettings(configuration: Configuration, offer: Offer): CallSettings {
  const { barge_in: bargeIn, turn_taking: turns, vad, streaming, llm, limits } = configuration
  const { notice, context, extension, priority } = configuration.on_failure
  return {
    offer,
    playout: {
      mode: configuration.downstream_mode,
      lowWatermarkMs: streaming.low_watermark_ms,
      graceMs: streaming.provider_grace_ms,
      fallbackMs: streaming.fallback_timeout_ms,
      duckGain: 10 ** (-bargeIn.duck_db / 20),
    },
    callMaxMs: limits.call_seconds * 1000,
    onLimit: limits.on_limit,
    callsMax: limits.calls,
    callsPerCallerMax: limits.calls_per_caller,
    providerMsPerDayMax: limits.provider_minutes_per_day * 60_000,
    fallback: limits.fallback_provider === '' ? null : limits.fallback_provider,
    keys: keyActions(configuration),
    onFailure: context === '' ? null : { context, extension, priority },
    turns: {
      warmUpMs: streaming.min_start_ms,
      greetingWarmUpMs: streaming.greeting_min_start_ms,
      endpointing: {
        stop: turns.stop,
        silenceMs: vad.end_silence_ms,
        minSilenceMs: turns.min_silence_ms,
        maxSilenceMs: turns.max_silence_ms,
        doneProbability: turns.done_probability,
      },
      turnMaxMs: vad.max_turn_ms,
      bargeIn: {
        enabled: bargeIn.enabled,
        start: turns.start,
        minMs: bargeIn.min_ms,
        minWords: turns.min_words,
        onOverlap: bargeIn.on_overlap,
        pauseAfterMs: bargeIn.pause_after_ms,
        pauseMaxMs: bargeIn.pause_max_ms,
        initialProtectionMs: bargeIn.initial_protection_ms,
        greetingProtectionMs: bargeIn.greeting_protection_ms,
        guardMs: bargeIn.post_tts_end_protection_ms,
        cooldownMs: bargeIn.cooldown_ms,
        echoDetection: bargeIn.echo_detection,
        confirm: bargeIn.confirm,
        backchannels: bargeIn.backchannels,
      },
      overlookedVoices: vad.overlooked_voices,
      mute: mutePolicies.filter((policy) => turns.mute.includes(policy)),
      noInput: { afterMs: turns.check_in_after_ms, checkIns: turns.check_ins, farewell: turns.farewell },
      apology: llm.apology,
      failureNotice: notice,
      machineTalkTurns: limits.machine_talk_turns,
      farewell: limits.farewell,
      farewellMaxMs: turns.farewell_max_ms,
    },
  }
}

/** What each key of a telephone does: those of `dtmf.keys`, and the short form at a destination. */
function keyActions({ transfer, dtmf, turn_taking: turns }: Configuration): Record<string, KeyAction> {
  const { destinations } = transfer
  const transferTo = (name: string): KeyAction[] => {
    const place = destinations[name]
    if (place === undefined) return []
    const { context, extension, priority } = place
    return [{ do: 'transfer', place: { context, extension, priority } }]
  }
  const actionsOf = ({ action, destination, text }: Configuration['dtmf']['keys'][string]): KeyAction[] => {
    switch (action) {
      case 'transfer':
        return transferTo(destination)
      case 'hang_up':
        return [{ do: 'hang_up', say: text ?? turns.farewell }]
      case 'say':
        return [{ do: 'say', text: text ?? '' }]
      default:
        return [{ do: action }]
    }
  }
  return Object.fromEntries([
    ...Object.entries(destinations).flatMap(([name, { key }]) =>
      key === '' ? [] : transferTo(name).map((action) => [key, action] as const),
    ),
    ...Object.entries(dtmf.keys).flatMap(([key, bound]) => actionsOf(bound).map((action) => [key, action] as const)),
  ])
}
