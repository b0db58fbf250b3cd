import { apiChecks } from './api-checks.ts'
import { limitChecks } from './limit-checks.ts'
import { mediaChecks } from './media-checks.ts'
import type { Configuration } from './schema.ts'
import type { Environment, ReadSecret } from './secrets.ts'

/**
 * What no single key can tell: values that are fine alone and impossible together. Each row names the keys it looks
 * at, so that it is skipped while one of them is wrong in itself, and the first of them that the file has gives the
 * line of the message.
 */
export interface CrossCheck {
  readonly keys: readonly string[]
  readonly severity: 'error' | 'warning'
  /** It looks at secrets, which a command beside the engine may not have. */
  readonly ofSecrets?: true
  /** True where something is wrong. */
  readonly broken: (configuration: Configuration, env: Environment, read: ReadSecret) => boolean
  readonly message: (configuration: Configuration, env: Environment, read: ReadSecret) => string
  readonly advice: string | ((configuration: Configuration) => string)
}

const toolsOf = (provider: unknown): readonly string[] =>
  (provider as { tools?: readonly string[] } | undefined)?.tools ?? []

/** The first key that two places share. */
const sharedKey = ({ transfer }: Configuration): string | undefined => {
  const keys = Object.values(transfer.destinations).flatMap(({ key }) => (key === '' ? [] : [key]))
  return keys.find((key, index) => keys.indexOf(key) !== index)
}

const transferWithoutPlace = (provider: string): CrossCheck => ({
  keys: [`providers.${provider}.tools`, 'transfer.destinations'],
  severity: 'warning',
  broken: ({ providers, transfer }) =>
    toolsOf(providers[provider]).includes('transfer_call') && Object.keys(transfer.destinations).length === 0,
  message: () => `providers.${provider}.tools has transfer_call, and transfer.destinations names no place`,
  advice: 'Name one, or take transfer_call out: without one the model is not told of it.',
})

export const crossChecks: readonly CrossCheck[] = [
  {
    keys: ['vad.end_silence_ms', 'vad.min_silence_ms'],
    severity: 'error',
    broken: ({ vad }) => vad.end_silence_ms <= vad.min_silence_ms,
    message: ({ vad }) =>
      `vad.end_silence_ms (${vad.end_silence_ms}) must be greater than vad.min_silence_ms (${vad.min_silence_ms}), since a pause is noticed only after that`,
    advice: 'Raise vad.end_silence_ms or lower vad.min_silence_ms.',
  },
  {
    keys: ['vad.max_turn_ms', 'vad.end_silence_ms', 'vad.min_speech_ms'],
    severity: 'error',
    broken: ({ vad }) => vad.max_turn_ms <= vad.min_speech_ms + vad.end_silence_ms,
    message: ({ vad }) =>
      `vad.max_turn_ms (${vad.max_turn_ms}) must be greater than vad.min_speech_ms + vad.end_silence_ms (${vad.min_speech_ms + vad.end_silence_ms}), or every turn would be cut`,
    advice: 'Raise vad.max_turn_ms.',
  },
  {
    keys: ['limits.call_seconds', 'vad.max_turn_ms'],
    severity: 'error',
    broken: ({ vad, limits }) => vad.max_turn_ms > limits.call_seconds * 1000,
    message: ({ vad, limits }) =>
      `limits.call_seconds (${limits.call_seconds}) is shorter than one turn of the caller, vad.max_turn_ms (${vad.max_turn_ms})`,
    advice: 'Raise limits.call_seconds or lower vad.max_turn_ms.',
  },
  {
    keys: ['barge_in.min_ms', 'vad.min_speech_ms', 'barge_in.enabled'],
    severity: 'error',
    broken: ({ barge_in, vad }) => barge_in.enabled && barge_in.min_ms < vad.min_speech_ms,
    message: ({ barge_in, vad }) =>
      `barge_in.min_ms (${barge_in.min_ms}) must be at least vad.min_speech_ms (${vad.min_speech_ms}), since speech is noticed only after that`,
    advice: 'Raise barge_in.min_ms or lower vad.min_speech_ms.',
  },
  {
    keys: ['turn_taking.min_silence_ms', 'turn_taking.max_silence_ms'],
    severity: 'error',
    broken: ({ turn_taking: turns }) => turns.min_silence_ms > turns.max_silence_ms,
    message: ({ turn_taking: turns }) =>
      `turn_taking.min_silence_ms (${turns.min_silence_ms}) must be at most turn_taking.max_silence_ms (${turns.max_silence_ms}): the one ends a turn that is finished, the other one that is not`,
    advice: 'Raise turn_taking.max_silence_ms or lower turn_taking.min_silence_ms.',
  },
  {
    keys: ['turn_taking.min_silence_ms', 'vad.min_silence_ms', 'turn_taking.stop'],
    severity: 'warning',
    broken: ({ turn_taking: turns, vad }) => turns.stop === 'model' && turns.min_silence_ms < vad.min_silence_ms,
    message: ({ turn_taking: turns, vad }) =>
      `turn_taking.min_silence_ms (${turns.min_silence_ms}) is without effect below vad.min_silence_ms (${vad.min_silence_ms}), since a pause is noticed only after that`,
    advice: 'Raise turn_taking.min_silence_ms or lower vad.min_silence_ms.',
  },
  {
    keys: ['barge_in.pause_after_ms', 'vad.min_speech_ms', 'barge_in.on_overlap'],
    severity: 'warning',
    broken: ({ barge_in, vad }) => barge_in.on_overlap === 'duck' && barge_in.pause_after_ms < vad.min_speech_ms,
    message: ({ barge_in, vad }) =>
      `barge_in.pause_after_ms (${barge_in.pause_after_ms}) is below vad.min_speech_ms (${vad.min_speech_ms}), when speech is noticed: the reply is paused at once, and never ducked`,
    advice: 'Raise it, or set barge_in.on_overlap to pause.',
  },
  {
    keys: ['transfer.destinations'],
    severity: 'error',
    broken: (configuration) => sharedKey(configuration) !== undefined,
    message: (configuration) => `two of transfer.destinations have the key ${sharedKey(configuration)}`,
    advice: 'Give each a key of its own, or take one out.',
  },
  {
    keys: ['limits.calls_per_caller', 'limits.calls'],
    severity: 'warning',
    broken: ({ limits }) => limits.calls_per_caller > limits.calls,
    message: ({ limits }) =>
      `limits.calls_per_caller (${limits.calls_per_caller}) is without effect above limits.calls (${limits.calls})`,
    advice: 'Lower it, or set it to 0.',
  },
  ...apiChecks,
  ...limitChecks,
  ...mediaChecks,
  ...['openai_realtime', 'deepgram'].map(transferWithoutPlace),
  {
    keys: ['asterisk.password'],
    severity: 'warning',
    broken: ({ asterisk }) => asterisk.password === '',
    message: () => 'no password is set for the ARI user, so Asterisk will refuse this engine',
    advice: 'Set ASTERISK_ARI_PASSWORD, or ASTERISK_ARI_PASSWORD_FILE to the path of a file that holds it.',
  },
  {
    keys: ['barge_in.greeting_protection_ms', 'barge_in.initial_protection_ms'],
    severity: 'warning',
    broken: ({ barge_in }) =>
      barge_in.enabled &&
      barge_in.greeting_protection_ms > 0 &&
      barge_in.greeting_protection_ms < barge_in.initial_protection_ms,
    message: ({ barge_in }) =>
      `barge_in.greeting_protection_ms (${barge_in.greeting_protection_ms}) is without effect below barge_in.initial_protection_ms (${barge_in.initial_protection_ms})`,
    advice: 'Raise it, or remove it.',
  },
]
