import type { Reply, ReplyScript } from '../../../standin/openai-realtime/options.ts'
import type { StandinSession } from '../../../standin/openai-realtime/session.ts'
import type { Probes } from './probe.ts'
import { chosen, sharedProbes, type VendorCall, type VendorOptions, vendorProbe } from './vendor-call.ts'

/** OpenAI's Realtime API: what its server is told of a call, and when. */

const place = 'providers.openai_realtime'
const greeted: Reply = { text: 'Hello.', ms: 200 }

const vendor: VendorOptions<StandinSession, ReplyScript> = {
  name: 'openai_realtime',
  server: ({ outside }) => outside.realtime,
  session: ({ outside }) => outside.realtime.last,
  renew: ({ outside }, replies) => outside.renew(replies === undefined ? {} : { replies }),
  greetedMs: 1500,
  turns: ({ record }) => record.commits.length,
  fillerMaxMs: 10_000,
  mute: ({ index }) => (index === 0 ? greeted : { fault: { kind: 'silence' } }),
}
type Look = (call: VendorCall<StandinSession>) => unknown

const realtime = vendorProbe(vendor)

interface Update {
  readonly instructions: string
  readonly max_output_tokens?: number
  readonly tools: readonly { readonly name: string; readonly description: string }[]
  readonly audio: {
    readonly input: {
      readonly format: { readonly type: string }
      readonly turn_detection: Readonly<Record<string, unknown>> | null
      readonly transcription: { readonly model: string; readonly language: string }
      readonly noise_reduction?: { readonly type: string }
    }
    readonly output: { readonly voice: string; readonly speed?: number }
  }
}

/** What the session was agreed upon with. */
const told =
  (look: (update: Update) => unknown): Look =>
  ({ session }) => {
    const update = session.record.received.find(({ event }) => event.type === 'session.update')
    if (update === undefined) throw new Error('the session was told nothing')
    return look((update.event as unknown as { session: Update }).session)
  }

export const openAiRealtimeProbes: Probes = {
  ...sharedProbes(vendor),
  [`${place}.base_url`]: realtime(['https://a.example/v1', 'https://b.example/v1'], ({ url }) =>
    url.replace(/^wss/, 'https').replace(/\/realtime.*/, ''),
  ),
  [`${place}.model`]: realtime(['gpt-realtime', 'gpt-else'], ({ url }) => new URL(url).searchParams.get('model')),
  [`${place}.api_key_env`]: realtime(['OPENAI_API_KEY', 'OTHER_KEY'], ({ headers }) => headers.authorization, {
    shows: ['Bearer sk-one', 'Bearer key-two'],
  }),
  [`${place}.key_header`]: realtime(['authorization', 'api-key'], ({ headers }) => headers['api-key'] ?? 'none', {
    shows: ['none', 'sk-one'],
  }),
  [`${place}.headers`]: realtime([['x-a: one'], ['x-a: two']], ({ headers }) => [`x-a: ${headers['x-a']}`]),
  [`${place}.voice`]: realtime(
    ['marin', 'cedar'],
    told(({ audio }) => audio.output.voice),
  ),
  [`${place}.speed`]: realtime(
    [1.1, 1.2],
    told(({ audio }) => audio.output.speed),
  ),
  [`${place}.format`]: realtime(
    ['pcmu', 'pcm24'],
    told(({ audio }) => audio.input.format.type),
    {
      shows: ['audio/pcmu', 'audio/pcm'],
    },
  ),
  [`${place}.turn_detection.type`]: realtime(
    ['server_vad', 'semantic_vad'],
    told(({ audio }) => audio.input.turn_detection?.type),
  ),
  [`${place}.turn_detection.threshold`]: realtime(
    [0.5, 0.7],
    told(({ audio }) => audio.input.turn_detection?.threshold),
  ),
  [`${place}.turn_detection.prefix_padding_ms`]: realtime(
    [300, 400],
    told(({ audio }) => audio.input.turn_detection?.prefix_padding_ms),
  ),
  [`${place}.turn_detection.silence_duration_ms`]: realtime(
    [500, 600],
    told(({ audio }) => audio.input.turn_detection?.silence_duration_ms),
  ),
  [`${place}.turn_detection.eagerness`]: realtime(
    ['low', 'high'],
    told(({ audio }) => audio.input.turn_detection?.eagerness),
    { options: { turn_detection: { type: 'semantic_vad' } } },
  ),
  [`${place}.input_audio_transcription.model`]: realtime(
    ['whisper-1', 'gpt-4o-transcribe'],
    told(({ audio }) => audio.input.transcription.model),
  ),
  [`${place}.input_audio_transcription.language`]: realtime(
    ['de', 'fr'],
    told(({ audio }) => audio.input.transcription.language),
  ),
  [`${place}.noise_reduction`]: realtime(
    ['near_field', 'far_field'],
    told(({ audio }) => audio.input.noise_reduction?.type),
  ),
  [`${place}.max_output_tokens`]: realtime(
    [100, 200],
    told((update) => update.max_output_tokens),
  ),
  [`${place}.tools`]: realtime(
    [[], ['terminate_call']],
    told(({ tools }) => tools.map(({ name }) => name)),
  ),
  'transfer.destinations.*.description': {
    ...realtime(
      ['the desk', 'the night desk'],
      told(({ tools }) => /one \(([^)]*)/.exec(JSON.stringify(tools))?.[1]),
    ),
    around: {
      ...chosen('openai_realtime', { tools: ['transfer_call'] }),
      transfer: { destinations: { one: { context: 'a', extension: 'b' } } },
    },
  },
  [`${place}.append_ms`]: realtime([40, 100], async ({ up, session }) => {
    const { appends, appendedMs } = session.record
    await up.pass(2000)
    return Math.round((session.record.appendedMs - appendedMs) / (session.record.appends - appends))
  }),
  [`${place}.commit_threshold_ms`]: realtime(
    [1500, 2000],
    async ({ up, session }) => {
      await up.pass(1500)
      await up.pass(140, 1)
      await up.until(() => session.record.commits.length > 0, 4000)
      return session.record.commits.at(-1)?.audioMs
    },
    { options: { turn_detection: { type: 'none' } }, replies: () => greeted },
  ),
  [`${place}.greeting_audio`]: realtime(
    ['model', 'cached'],
    ({ session }) => session.record.counts['response.create'] ?? 0,
    {
      shows: [1, 0],
    },
  ),
}
