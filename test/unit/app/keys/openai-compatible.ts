import { merged, type Tree } from '../../../fakes/key-world.ts'
import { type Asked, front, turnShows } from './conversation.ts'
import type { Probe, Probes } from './probe.ts'

/**
 * Servers with OpenAI-compatible HTTP, as the parts of a pipeline: what their requests hold. The same keys stand in the
 * vendor's own section, in parts that a pipeline defines in place, and, for a language model, under `providers.local`.
 */
type Rows = Readonly<Record<string, Probe>>

/** How long the request to this path has been waited for when it was given up. */
const givenUp = (path: string, maxMs: number) => async (asked: Asked) => {
  const { world, up } = asked
  world.outside.silent = (url) => url.endsWith(path)
  const { requests } = world.outside
  const before = requests.length
  const asks = () => requests.slice(before).find(({ url }) => url.endsWith(path))
  await up.pass(500, 1)
  await up.until(() => asks() !== undefined, 3000)
  const request = asks()
  const fromMs = up.nowMs
  await up.until(() => request?.aborted === true, maxMs)
  world.outside.silent = () => false
  return up.nowMs - fromMs
}

/** An answer of which nothing comes after its first word. */
const stalls = async (asked: Asked) => {
  const { world, up } = asked
  world.outside.answer = { pieces: ['Well, '], stall: true }
  const before = world.outside.openai.requests.length
  await up.pass(500, 1)
  await up.until(() => world.outside.openai.requests.length > before, 3000)
  const request = world.outside.requests.findLast(({ url }) => url.endsWith('/chat/completions'))
  const fromMs = up.nowMs
  await up.until(() => request?.aborted === true, 60_000)
  return up.nowMs - fromMs
}

const reaching = (path: string): Rows => ({
  base_url: front(['https://a.example/v1', 'https://b.example/v1'], ({ at }) => at(path).url.replace(path, '')),
  api_key_env: front(['OPENAI_API_KEY', 'OTHER_KEY'], ({ at }) => at(path).headers.get('authorization'), {
    shows: ['Bearer sk-one', 'Bearer key-two'],
  }),
})

const hearing: Rows = {
  model: front(['ear-one', 'ear-two'], ({ stt }) => stt.model),
  language: front(['de', 'fr'], ({ stt }) => stt.language),
  prompt: front(['Vienna.', 'Graz.'], ({ stt }) => stt.prompt),
  start_at_pause: front([true, false], async ({ world, up }) => {
    const before = world.outside.openai.transcriptions.length
    await up.pass(500, 1)
    await up.pass(400)
    return world.outside.openai.transcriptions.length > before
  }),
  timeout_ms: front([1000, 2000], givenUp('/audio/transcriptions', 5000)),
}

const answering: Rows = {
  model: front(['mind-one', 'mind-two'], ({ llm }) => llm.body.model),
  temperature: front([0.3, 0.9], ({ llm }) => llm.body.temperature),
  max_tokens: front([50, 90], ({ llm }) => llm.body.max_completion_tokens ?? llm.body.max_tokens),
  history_turns: front([1, 3], ({ llm }) => llm.body.messages.filter(({ role }) => role === 'user').length, {
    begin: turnShows(({ llm }) => llm.body.messages.filter(({ role }) => role === 'user').length, {}, 5),
    // Those before, and the one that is answered.
    shows: [2, 4],
  }),
  first_token_timeout_ms: front([1000, 2000], givenUp('/chat/completions', 5000)),
  total_timeout_ms: front([4000, 8000], stalls),
}

const speaking: Rows = {
  model: front(['mouth-one', 'mouth-two'], ({ tts }) => tts.model),
  voice: front(['coral', 'sage'], ({ tts }) => tts.voice),
  speed: front([1.1, 1.5], ({ tts }) => tts.speed),
  instructions: front(['Softly.', 'Loudly.'], ({ tts }) => tts.instructions),
  response_format: front(['pcm', 'wav'], ({ tts }) => tts.format),
  // The same bytes at another rate: half as many of them make a second.
  pcm_rate_hz: front(
    [24_000, 12_000],
    async ({ world, up }) => {
      world.outside.openai.speak = () => ({ samples: new Int16Array(12_000).fill(3000) })
      const before = up.levels.length
      await up.pass(500, 1)
      await up.pass(4000)
      return Math.round((up.levels.slice(before).filter((level) => level > 0).length * 20) / 100) * 100
    },
    { shows: [500, 1000] },
  ),
  timeout_ms: front([1000, 2000], givenUp('/audio/speech', 5000)),
}

/** These rows under another place, with what makes a call come to it. */
function under(place: string, rows: Rows, around: Tree = {}): Probes {
  return Object.fromEntries(
    Object.entries(rows).map(([name, probe]) => [
      `${place}.${name}`,
      { ...probe, around: { ...probe.around, ...around } } as Probe,
    ]),
  )
}

const part = 'openai_compatible'
const paths = { stt: '/audio/transcriptions', llm: '/chat/completions', tts: '/audio/speech' }
const pipeline = (more: object) => ({
  active_pipeline: 'one',
  pipelines: { one: { stt: part, llm: part, tts: part, ...more } },
})
/** Of a part in place, which must say where it is reached. */
const inPlace = (role: 'stt' | 'llm' | 'tts') => {
  const deadline = role === 'llm' ? { first_token_timeout_ms: 1000 } : {}
  return pipeline({ [role]: { provider: part, base_url: 'https://c.example/v1', model: 'm', ...deadline } })
}
const quick = { base_url: 'https://c.example/v1', model: 'm', first_token_timeout_ms: 1000 }

/** Another pipeline that has a part of it. */
const named: Probe = {
  values: [true, false],
  around: {
    active_pipeline: '',
    default_provider: 'loopback',
    pipelines: Object.fromEntries(
      ['stage', 'front'].map((name) => [name, { stt: 'local', llm: 'local', tts: 'local' }]),
    ),
  },
  shows: ['changed', 'refused'],
  seen: 'nearest',
  atOnce: true,
  begin: (world) => async () => (await world.reload(merged(world.tree, { pipelines: { two: { stt: part } } }))).outcome,
}

export const openAiCompatibleProbes: Probes = {
  'llm.prompt': front(['Be kind.', 'Be brief.'], ({ llm }) => llm.body.messages[0]?.content),
  'providers.openai_compatible.enabled': named,
  ...under('providers.openai_compatible', reaching(paths.llm)),
  ...under('providers.openai_compatible.stt', hearing),
  ...under('providers.openai_compatible.llm', answering, {
    providers: { openai_compatible: { llm: { first_token_timeout_ms: 1000 } } },
  }),
  ...under('providers.openai_compatible.tts', speaking),
  ...under('pipelines.*.stt{openai_compatible}', { ...reaching(paths.stt), ...hearing }, inPlace('stt')),
  ...under('pipelines.*.llm{openai_compatible}', { ...reaching(paths.llm), ...answering }, inPlace('llm')),
  ...under('pipelines.*.tts{openai_compatible}', { ...reaching(paths.tts), ...speaking }, inPlace('tts')),
  ...under(
    'providers.local.llm',
    { ...reaching(paths.llm), ...answering },
    { ...pipeline({ llm: 'local' }), providers: { local: { llm: quick } } },
  ),
}
