import type { RealtimeAudioFormats } from 'openai/resources/realtime/realtime'
import { systemRandom } from '#base/random.ts'
import type { Refusal, ReplyFault, StandinOptions } from '../../test/standin/openai-realtime/options.ts'
import { startStandin } from '../../test/standin/openai-realtime/server.ts'
import type { StandinSession } from '../../test/standin/openai-realtime/session.ts'
import { faultOf, numberOf, type OptionValues, type StandinCommand, say, textOf, UsageError } from './command.ts'
import { rehearsal } from './rehearsal.ts'

const formats: Readonly<Record<string, RealtimeAudioFormats>> = {
  pcm24: { type: 'audio/pcm', rate: 24_000 },
  pcmu: { type: 'audio/pcmu' },
  pcma: { type: 'audio/pcma' },
}

const refusals: readonly Refusal['kind'][] = [
  'bad_key',
  'rate_limited',
  'insufficient_quota',
  'unknown_model',
  'server_error',
  'never_answers',
]

/** So much of a reply is heard before it goes wrong. */
const afterMs = 1500
const replyFaults: Readonly<Record<string, ReplyFault>> = {
  silence: { kind: 'silence' },
  stall: { kind: 'stall', afterMs },
  cut: { kind: 'cut', afterMs },
  failed: { kind: 'failed' },
  error: { kind: 'error' },
}
const faults = [...refusals, 'silent_start', 'unknown_events', ...Object.keys(replyFaults)]

/** OpenAI's Realtime API. */
export const openAiStandin: StandinCommand = {
  help: `  --model NAME     the only model there is (default: any)
  --azure          the path and the header of Azure
  --beta           the names of events before the API was generally available, as some compatible servers have them
  --format NAME    answers in pcm24, pcmu or pcma, whatever it was told: a server that does not do what it says
  --session-ms MS  a session ends by itself after this (default 60 minutes)
  --late           a refused connection is opened first, then closed with the reason
  --fault NAME     what goes wrong:
                     bad_key, rate_limited, insufficient_quota, unknown_model, server_error: the connection is refused
                     never_answers: it is not answered; silent_start: it is, and then nothing comes
                     silence, stall, cut, failed, error: a reply does not come, stops, breaks the connection off, fails
                     unknown_events: events from the future are sent
`,
  options: {
    port: { type: 'string', default: '8765' },
    model: { type: 'string' },
    azure: { type: 'boolean', default: false },
    beta: { type: 'boolean', default: false },
    format: { type: 'string' },
    'session-ms': { type: 'string' },
    late: { type: 'boolean', default: false },
  },
  prepare(values) {
    const key = textOf(values, 'key')
    const fault = replyFaults[textOf(values, 'fault') ?? ''] ?? null
    const options = serverOptions(values)
    const replyMs = numberOf(values, 'reply-ms', 20, 600_000)
    const faultAt = numberOf(values, 'fault-at', 1, 1000) ?? 2
    return (voice, clock) => {
      const server = startStandin({
        ...options,
        clock,
        random: systemRandom,
        replies: rehearsal({ voice, replyMs, fault, faultAt }),
        ...(values.quiet === true ? {} : { onSession: announce, onSent: tell }),
      })
      return {
        name: "OpenAI's Realtime API",
        yaml: `default_provider: openai_realtime
providers:
  openai_realtime:
    base_url: ${server.baseUrl}
${key === undefined ? "    api_key_env: ''   # any key will do, and none is needed" : '    api_key_env: OPENAI_API_KEY   # which must hold the key of --key'}${values.azure === true ? '\n    key_header: api-key' : ''}`,
        close: () => server.close(),
      }
    }
  },
}

function serverOptions(values: OptionValues): Partial<StandinOptions> {
  const [key, model, format] = ['key', 'model', 'format'].map((name) => textOf(values, name))
  const fault = faultOf(values, faults)
  const answerFormat = format === undefined ? undefined : formats[format]
  if (format !== undefined && answerFormat === undefined) throw new UsageError('--format is pcm24, pcmu or pcma')
  const kind = refusals.find((each) => each === fault)
  const sessionMaxMs = numberOf(values, 'session-ms', 1000, 3_600_000)
  return {
    hostname: textOf(values, 'host') ?? '127.0.0.1',
    port: numberOf(values, 'port', 0, 65_535) ?? 0,
    azure: values.azure === true,
    names: values.beta === true ? 'beta' : 'ga',
    pace: numberOf(values, 'pace', 0, 1000, true) ?? 3,
    firstDeltaAfterMs: numberOf(values, 'delay', 0, 60_000) ?? 0,
    silentFromStart: fault === 'silent_start',
    unknownEvents: fault === 'unknown_events',
    // It may run for days.
    keepEvents: false,
    keepAudio: false,
    ...(key === undefined ? {} : { key }),
    ...(model === undefined ? {} : { models: [model] }),
    ...(answerFormat === undefined ? {} : { answerFormat }),
    ...(sessionMaxMs === null ? {} : { sessionMaxMs }),
    ...(kind === undefined ? {} : { refusal: { kind, afterUpgrade: values.late === true, retryAfterSeconds: 5 } }),
  }
}

function announce(session: StandinSession): void {
  say(session.id, session.clock, `begins, model ${session.model}`)
}

/** What a person at the screen wants to see of a call: its turns, what was cut short, what was refused. */
function tell({ id, clock }: StandinSession, event: Readonly<Record<string, unknown>>): void {
  switch (event.type) {
    case 'input_audio_buffer.speech_started':
      say(id, clock, 'the caller speaks')
      break
    case 'input_audio_buffer.committed':
      say(id, clock, 'the caller has finished')
      break
    case 'response.done': {
      const { status = '?' } = event.response as { status?: string }
      say(id, clock, `a reply has ended: ${status}`)
      break
    }
    case 'conversation.item.truncated':
      say(id, clock, `${String(event.audio_end_ms)} ms of the reply were heard`)
      break
    case 'error': {
      const { code, message, param } = event.error as { code: string | null; message: string; param: string | null }
      say(id, clock, `error ${[code, param].filter((part) => part !== null).join(' ')}: ${message}`)
      break
    }
  }
}
