import type { KeyCall } from '../../../fakes/key-call.ts'
import type { KeyWorld, Tree } from '../../../fakes/key-world.ts'
import type { Reply, ReplyScript } from '../../../standin/openai-realtime/options.ts'
import type { StandinSession } from '../../../standin/openai-realtime/session.ts'
import type { Probe, Probes } from './probe.ts'

/** OpenAI's Realtime API: what its server is told of a call, and when. */

const place = 'providers.openai_realtime'
const own = (options: Tree = {}): Tree => ({
  active_pipeline: '',
  default_provider: 'openai_realtime',
  providers: { openai_realtime: options },
})

interface RealtimeCall {
  readonly up: KeyCall
  readonly world: KeyWorld
  readonly session: StandinSession
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

type Look = (call: RealtimeCall) => unknown

/** A key that the session of a call shows. @param replies what the server says, where it is not at its ease */
function realtime(
  values: readonly [unknown, unknown],
  look: Look,
  { options = {}, replies, ...rest }: Partial<Probe> & { options?: Tree; replies?: ReplyScript } = {},
): Probe {
  return {
    values,
    around: own(options),
    seen: 'wire',
    begin: async (world) => {
      world.outside.renew(replies === undefined ? {} : { replies })
      const up = await world.call()
      await world.turn()
      const { last: session, urls, headers } = world.outside.realtime
      const seen = { up, world, session, url: urls.at(-1) ?? '', headers: headers.at(-1) ?? {} }
      return () => look(seen)
    },
    ...rest,
  }
}

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

/** How long after the caller's turn something is heard that is not the server's. */
async function fillerAfter({ up, session }: RealtimeCall): Promise<number> {
  await up.pass(1500)
  await up.pass(800, 1)
  const turns = session.record.commits.length
  await up.until(() => session.record.commits.length > turns, 3000)
  return Math.floor(((await up.soundsAfter(10_000)) ?? Number.NaN) / 100) * 100
}

/** How long a sound lasts that has begun. */
async function soundMs(up: KeyCall): Promise<number> {
  const before = up.levels.length
  await up.until(() => up.levels.length > before + 1 && up.levels.at(-1) === 0, 10_000)
  return up.levels.slice(before).filter((level) => level > 0).length * 20
}

/** From one attempt to open a session to the next. */
const attempts: Probe['begin'] = async (world) => {
  world.outside.renew()
  world.outside.realtime.silent = true
  const { realtime: server } = world.outside
  const up = await world.call()
  return async () => {
    const fromMs = up.nowMs
    const { length } = server.urls
    await up.until(() => server.urls.length > length, 30_000)
    // The pause between two attempts is chance, and below a second.
    return Math.floor((up.nowMs - fromMs) / 1000) * 1000
  }
}

const greeted: Reply = { text: 'Hello.', ms: 200 }
const mute: ReplyScript = ({ index }) => (index === 0 ? greeted : { fault: { kind: 'silence' } })

export const openAiRealtimeProbes: Probes = {
  [`${place}.enabled`]: {
    values: [true, false],
    shows: ['not_ready', 'unknown_provider'],
    seen: 'call',
    atOnce: true,
    begin: (world) => () => world.outcome({ provider: 'openai_realtime' }),
  },
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
      ...own({ tools: ['transfer_call'] }),
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
  [`${place}.connect_timeout_ms`]: { values: [2000, 4000], around: own(), seen: 'wire', begin: attempts },
  [`${place}.reply_timeout_ms`]: realtime([2000, 3000], fillerAfter, { replies: mute }),
  // As long as the local voice needs for its words.
  [`${place}.filler`]: realtime(
    ['One moment.', 'One moment, please, I am looking it up.'],
    async (call) => {
      await fillerAfter(call)
      return await soundMs(call.up)
    },
    { replies: mute, shows: [200, 760] },
  ),
  [`${place}.renew_after_ms`]: realtime([10_000, 20_000], async ({ up, world }) => {
    const server = world.outside.realtime
    const { length } = server.sessions
    const fromMs = up.nowMs
    await up.until(() => server.sessions.length > length, 40_000)
    return Math.round((up.nowMs - fromMs) / 10_000) * 10_000
  }),
}
