import { parseArgs } from 'node:util'
import type { RealtimeAudioFormats } from 'openai/resources/realtime/realtime'
import { SystemClock } from '#base/clock.ts'
import { systemRandom } from '#base/random.ts'
import { messageOf } from '#base/result.ts'
import type { Refusal, ReplyFault, StandinOptions } from '../test/standin/openai-realtime/options.ts'
import { startStandin } from '../test/standin/openai-realtime/server.ts'
import type { StandinSession } from '../test/standin/openai-realtime/session.ts'
import { rehearsal, sentences } from './standin/rehearsal.ts'
import { spoken } from './standin/rehearsal-voice.ts'

/** Stand-ins for vendors that run by themselves, so that calls can be rehearsed without a key and without a bill. */
const help = `Usage: just standin openai [options]

Speaks OpenAI's Realtime API on this machine. It hears when a caller speaks and when they have finished, understands
nothing, and answers with fixed sentences: in the local voice where its models are here, else in tones.

  --port N         (default 8765; 0: any that is free)
  --host ADDRESS   (default 127.0.0.1)
  --key KEY        the only key that is accepted (default: any, and none is needed)
  --model NAME     the only model there is (default: any)
  --azure          the path and the header of Azure
  --beta           the names of events before the API was generally available, as some compatible servers have them
  --pace N         how many times faster than real time a reply comes; 0: all at once (default 3)
  --delay MS       from the end of the caller's turn to the first audio (default 300)
  --voice NAME     speech, tones, or auto: speech where its models are here (default auto)
  --reply-ms MS    the length of a reply in tones
  --format NAME    answers in pcm24, pcmu or pcma, whatever it was told: a server that does not do what it says
  --session-ms MS  a session ends by itself after this (default 60 minutes)
  --fault NAME     what goes wrong:
                     bad_key, rate_limited, insufficient_quota, unknown_model, server_error: the connection is refused
                     never_answers: it is not answered; silent_start: it is, and then nothing comes
                     silence, stall, cut, failed, error: a reply does not come, stops, breaks the connection off, fails
                     unknown_events: events from the future are sent
  --fault-at N     which reply of a session has the fault (default 2; the first is the greeting)
  --late           a refused connection is opened first, then closed with the reason
  --quiet          says nothing of what happens
  --help
`

const options = {
  port: { type: 'string', default: '8765' },
  host: { type: 'string', default: '127.0.0.1' },
  key: { type: 'string' },
  model: { type: 'string' },
  azure: { type: 'boolean', default: false },
  beta: { type: 'boolean', default: false },
  pace: { type: 'string', default: '3' },
  delay: { type: 'string', default: '300' },
  voice: { type: 'string', default: 'auto' },
  'reply-ms': { type: 'string' },
  format: { type: 'string' },
  'session-ms': { type: 'string' },
  fault: { type: 'string' },
  'fault-at': { type: 'string', default: '2' },
  late: { type: 'boolean', default: false },
  quiet: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

class UsageError extends Error {}

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
const otherFaults = ['silent_start', 'unknown_events']
const faults = [...refusals, ...otherFaults, ...Object.keys(replyFaults)]

function readArguments() {
  try {
    return parseArgs({ args: process.argv.slice(2), options, allowPositionals: true })
  } catch (thrown) {
    throw new UsageError(messageOf(thrown))
  }
}

type Values = ReturnType<typeof readArguments>['values']

async function main(): Promise<void> {
  const { values, positionals } = readArguments()
  if (values.help) {
    console.log(help)
    return
  }
  const [vendor, ...rest] = positionals
  if (vendor !== 'openai')
    throw new UsageError(
      vendor === undefined ? 'which stand-in? There is: openai' : `there is no stand-in "${vendor}"; there is: openai`,
    )
  if (rest.length > 0) throw new UsageError(`what is "${rest.join(' ')}"?`)

  const clock = new SystemClock()
  const settings = serverOptions(values)
  // It takes some seconds where the models are here.
  if (values.voice !== 'tones') console.log('The local voice makes its sentences …')
  const voice = values.voice === 'tones' ? null : await spoken(sentences, clock, systemRandom)
  if (voice === null && values.voice === 'speech') throw new Error('the voice is not here: run just models')
  const { fault = '' } = values
  const server = startStandin({
    ...settings,
    clock,
    random: systemRandom,
    replies: rehearsal({
      voice,
      replyMs: numberOf(values['reply-ms'], 'reply-ms', 20, 600_000),
      fault: replyFaults[fault] ?? null,
      faultAt: numberOf(values['fault-at'], 'fault-at', 1, 1000) ?? 2,
    }),
    ...(values.quiet ? {} : { onSession: announce, onSent: tell }),
  })
  console.log(`A stand-in for OpenAI's Realtime API listens; it answers in ${voice === null ? 'tones' : 'the local voice'}.

default_provider: openai_realtime
providers:
  openai_realtime:
    base_url: ${server.baseUrl}
${values.key === undefined ? "    api_key_env: ''   # any key will do, and none is needed" : '    api_key_env: OPENAI_API_KEY   # which must hold the key of --key'}${values.azure ? '\n    key_header: api-key' : ''}
${fault === '' ? '' : `\nWhat goes wrong: ${fault}.\n`}`)
  const ended = Promise.withResolvers<void>()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.resolve())
  await ended.promise
  await server.close()
}

function serverOptions(values: Values): Partial<StandinOptions> {
  const { key, model, fault, format, host } = values
  if (fault !== undefined && !faults.includes(fault)) throw new UsageError(`--fault is one of ${faults.join(', ')}`)
  const answerFormat = format === undefined ? undefined : formats[format]
  if (format !== undefined && answerFormat === undefined) throw new UsageError('--format is pcm24, pcmu or pcma')
  if (!['auto', 'speech', 'tones'].includes(values.voice)) throw new UsageError('--voice is auto, speech or tones')
  const kind = refusals.find((each) => each === fault)
  const sessionMaxMs = numberOf(values['session-ms'], 'session-ms', 1000, 3_600_000)
  return {
    hostname: host,
    port: numberOf(values.port, 'port', 0, 65_535) ?? 0,
    azure: values.azure,
    names: values.beta ? 'beta' : 'ga',
    pace: numberOf(values.pace, 'pace', 0, 1000, true) ?? 3,
    firstDeltaAfterMs: numberOf(values.delay, 'delay', 0, 60_000) ?? 0,
    silentFromStart: fault === 'silent_start',
    unknownEvents: fault === 'unknown_events',
    // It may run for days.
    keepEvents: false,
    keepAudio: false,
    ...(key === undefined ? {} : { key }),
    ...(model === undefined ? {} : { models: [model] }),
    ...(answerFormat === undefined ? {} : { answerFormat }),
    ...(sessionMaxMs === null ? {} : { sessionMaxMs }),
    ...(kind === undefined ? {} : { refusal: { kind, afterUpgrade: values.late, retryAfterSeconds: 5 } }),
  }
}

function numberOf(text: string | undefined, name: string, min: number, max: number, fraction = false): number | null {
  if (text === undefined) return null
  const value = Number(text)
  const right = text.trim() !== '' && value >= min && value <= max && (fraction || Number.isInteger(value))
  if (!right) throw new UsageError(`--${name} is a ${fraction ? '' : 'whole '}number from ${min} to ${max}`)
  return value
}

function announce(session: StandinSession): void {
  say(session, `begins, model ${session.model}`)
}

/** What a person at the screen wants to see of a call: its turns, what was cut short, what was refused. */
function tell(session: StandinSession, event: Readonly<Record<string, unknown>>): void {
  switch (event.type) {
    case 'input_audio_buffer.speech_started':
      say(session, 'the caller speaks')
      break
    case 'input_audio_buffer.committed':
      say(session, 'the caller has finished')
      break
    case 'response.done': {
      const { status = '?' } = event.response as { status?: string }
      say(session, `a reply has ended: ${status}`)
      break
    }
    case 'conversation.item.truncated':
      say(session, `${String(event.audio_end_ms)} ms of the reply were heard`)
      break
    case 'error': {
      const { code, message, param } = event.error as { code: string | null; message: string; param: string | null }
      say(session, `error ${[code, param].filter((part) => part !== null).join(' ')}: ${message}`)
      break
    }
  }
}

function say({ id, clock }: StandinSession, what: string): void {
  console.log(`${new Date(clock.wallNow()).toISOString().slice(11, 23)} ${id.slice(0, 12)} ${what}`)
}

if (import.meta.main) {
  try {
    await main()
  } catch (thrown) {
    const usage = thrown instanceof UsageError
    console.error(`error: ${messageOf(thrown)}${usage ? '\n\njust standin --help says more.' : ''}`)
    process.exitCode = usage ? 2 : 1
  }
}
