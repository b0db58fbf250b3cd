import { systemRandom } from '#base/random.ts'
import type { Refusal, ReplyFault, ServerMessage, StandinOptions } from '../../test/standin/deepgram/options.ts'
import { type AnySession, startStandin } from '../../test/standin/deepgram/server.ts'
import { faultOf, numberOf, type OptionValues, type StandinCommand, say, textOf } from './command.ts'
import { deepgramRehearsal } from './deepgram-rehearsal.ts'

const refusals: readonly Refusal['kind'][] = [
  'bad_key',
  'rate_limited',
  'insufficient_quota',
  'server_error',
  'never_answers',
]

/** So much of a reply is heard before it goes wrong. */
const afterMs = 1500
const replyFaults: Readonly<Record<string, ReplyFault>> = {
  silence: { kind: 'silence' },
  slow_think: { kind: 'slow_think', ms: 12_000 },
  stall: { kind: 'stall', afterMs },
  cut: { kind: 'cut', afterMs },
  warning: { kind: 'warning' },
  error: { kind: 'error' },
}
const faults = [...refusals, 'silent_start', 'bad_settings', 'mute', 'unknown_messages', ...Object.keys(replyFaults)]

/** Deepgram: the Voice Agent, both ways to listen, Aura. */
export const deepgramStandin: StandinCommand = {
  help: `  --fault NAME     what goes wrong:
                     bad_key, rate_limited, insufficient_quota, server_error: the connection is refused
                     never_answers: it is not answered; silent_start: it is, and then nothing comes
                     bad_settings: Settings are answered with an error; mute: after SettingsApplied nothing comes
                     silence, slow_think, stall, cut, warning, error: a reply does not come, comes late, stops, breaks
                     the connection off, is warned of, ends the session
                     unknown_messages: messages from the future are sent
`,
  options: { port: { type: 'string', default: '8766' } },
  prepare(values) {
    const key = textOf(values, 'key')
    const name = faultOf(values, faults)
    const options = serverOptions(values, name)
    const fault = replyFaults[name] ?? null
    const replyMs = numberOf(values, 'reply-ms', 20, 600_000)
    const faultAt = numberOf(values, 'fault-at', 1, 1000) ?? 2
    return (voice, clock) => {
      const server = startStandin({
        ...options,
        clock,
        random: systemRandom,
        ...deepgramRehearsal({ voice, replyMs, fault, faultAt }),
        ...(values.quiet === true ? {} : { onSession: announce, onSent: tell }),
      })
      return {
        name: 'Deepgram',
        yaml: `default_provider: deepgram
providers:
  deepgram:
    ws_url: ${server.agentUrl}
    base_url: ${server.baseUrl}
${key === undefined ? "    api_key_env: ''   # any key will do, and none is needed" : '    api_key_env: DEEPGRAM_API_KEY   # which must hold the key of --key'}`,
        close: () => server.close(),
      }
    }
  },
}

function serverOptions(values: OptionValues, fault: string): Partial<StandinOptions> {
  const key = textOf(values, 'key')
  const kind = refusals.find((each) => each === fault)
  return {
    hostname: textOf(values, 'host') ?? '127.0.0.1',
    port: numberOf(values, 'port', 0, 65_535) ?? 0,
    pace: numberOf(values, 'pace', 0, 1000, true) ?? 3,
    firstChunkAfterMs: numberOf(values, 'delay', 0, 60_000) ?? 0,
    silentFromStart: fault === 'silent_start',
    muteAfterSettings: fault === 'mute',
    unknownMessages: fault === 'unknown_messages',
    // It may run for days.
    keepMessages: false,
    keepAudio: false,
    ...(fault === 'bad_settings' ? { settingsError: { code: 'INVALID_SETTINGS' } } : {}),
    ...(key === undefined ? {} : { key }),
    ...(kind === undefined ? {} : { refusal: { kind, retryAfterSeconds: 5 } }),
  }
}

function announce(session: AnySession): void {
  say(session.id, session.clock, `begins: ${session.kind}`)
}

/** What a person at the screen wants to see of a call: its turns, what was cut short, what was refused. */
function tell({ id, clock, kind }: AnySession, message: ServerMessage): void {
  switch (message.type) {
    case 'UserStartedSpeaking':
      return say(id, clock, 'the caller speaks')
    case 'ConversationText':
      return say(id, clock, message.role === 'user' ? 'the caller has finished' : 'a reply begins')
    case 'AgentAudioDone':
      return say(id, clock, 'a reply has ended')
    case 'TurnInfo':
      return message.event === 'Update' ? undefined : say(id, clock, String(message.event))
    case 'Results':
      return message.is_final === true ? say(id, clock, 'words are final') : undefined
    case 'Flushed':
      return say(id, clock, 'a text has been spoken')
    case 'Cleared':
      return say(id, clock, 'speech is dropped')
    case 'Error':
    case 'Warning':
      return say(
        id,
        clock,
        `${kind} ${message.type.toLowerCase()} ${String(message.code)}: ${String(message.description)}`,
      )
  }
}
