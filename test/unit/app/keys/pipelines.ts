import { expect } from 'bun:test'
import type { KeyCall } from '../../../fakes/key-call.ts'
import type { KeyWorld, Tree } from '../../../fakes/key-world.ts'
import { settled, spoken, turnShows } from './conversation.ts'
import type { Begin, Probe, Probes } from './probe.ts'

/** Pipelines: who has which role, what a list does, and the models of this machine. */
const part = 'openai_compatible'
const pipeline = (more: object = {}): Tree => ({
  active_pipeline: 'one',
  pipelines: { one: { stt: part, llm: part, tts: part, ...more } },
  providers: { local: { llm: { base_url: 'https://local.example/v1', model: 'own' } } },
})

/** The local voice was given the answer of a turn, which is no phrase that it has made before. */
const answeredLocally = ({ outside }: KeyWorld) => outside.spoken.findLast(({ text }) => text.startsWith('It is noon'))

/** Who was asked for a role in a turn. */
const askedFor = {
  stt: turnShows(({ llm }) => (JSON.stringify(llm.body).includes('heard by') ? 'local' : part)),
  llm: turnShows(({ llm }) => (llm.body.model === 'own' ? 'local' : part)),
  tts: turnShows(({ world }) => (answeredLocally(world) === undefined ? part : 'local')),
}

/** A list: the first fails at everything; who has answered in its place. */
function behindBroken(role: 'stt' | 'llm' | 'tts'): Begin {
  const broken = 'https://broken.example/v1'
  return async (world) => {
    world.outside.renew()
    world.outside.silent = (url) => url.startsWith(broken)
    const up = await world.call()
    await settled(up)
    return async () => {
      await spoken(up)
      await up.pass(8000)
      const asked = world.outside.requests.filter(({ url, method }) => method === 'POST' && url.includes(path[role]))
      return asked.some(({ url }) => !url.startsWith(broken)) ? 'another' : 'nobody'
    }
  }
}
const path = { stt: '/audio/transcriptions', llm: '/chat/completions', tts: '/audio/speech' }
const listed = (role: 'stt' | 'llm' | 'tts'): Probe => {
  const deadline = role === 'llm' ? { first_token_timeout_ms: 1000 } : { timeout_ms: 1000 }
  const first = { provider: part, base_url: 'https://broken.example/v1', model: 'm', ...deadline }
  return {
    values: [[first], [first, part]],
    around: pipeline(),
    shows: ['nobody', 'another'],
    seen: 'wire',
    begin: behindBroken(role),
  }
}

/** A model that never answers: how long until the caller hears an apology. */
const apologyAfter: Begin = async (world) => {
  world.outside.renew()
  const up = await world.call()
  await settled(up)
  return async () => {
    world.outside.silent = (url) => url.endsWith('/chat/completions')
    await up.pass(500, 1)
    const { requests } = world.outside
    const before = requests.length
    await up.until(() => requests.slice(before).some(({ url }) => url.endsWith('/chat/completions')), 3000)
    const fromMs = up.nowMs
    await up.until(() => world.outside.openai.speeches.at(-1)?.input.startsWith('Sorry') === true, 20_000)
    world.outside.silent = () => false
    return Math.floor((up.nowMs - fromMs) / 1000) * 1000
  }
}

/** The first of a list has failed once: how long until a call that begins asks it again. */
const askedAgainAfter: Begin = (world) => async () => {
  const isFirst = (url: string) => url.startsWith('https://first.example/v1/chat')
  world.outside.silent = isFirst
  const turn = async (up: KeyCall) => {
    const before = world.outside.requests.length
    await settled(up)
    await spoken(up)
    return world.outside.requests.slice(before).some(({ url }) => isFirst(url))
  }
  expect(await turn(await world.call())).toBe(true)
  world.outside.silent = () => false
  const failedMs = world.clock.now()
  for (let call = 0; call < 40; call += 1) {
    await world.hangUp()
    const sinceMs = world.clock.now() - failedMs
    if (await turn(await world.call())) return Math.floor(sinceMs / 10_000) * 10_000
  }
  return null
}
const withFirst = pipeline({
  llm: [{ provider: part, base_url: 'https://first.example/v1', model: 'm', first_token_timeout_ms: 1000 }, part],
})

/** The local voice speaks the greeting: for how long it is heard. */
const greetingMs: Begin = async (world) => {
  const up = await world.call()
  return async () => {
    await up.pass(2000)
    return up.levels.filter((level) => level > 0).length * 20
  }
}
const modelName = (file = '') => file.split('/').at(-2)
const greeting = { llm: { initial_greeting: 'Good day to you, dear caller.' } }

const voiceRows = (around: Tree) => ({
  voice: {
    values: ['piper-en-us-joe-medium', 'piper-en-us-hfc-female-medium'],
    around,
    seen: 'nearest',
    begin: turnShows(({ world }) => modelName(answeredLocally(world)?.model)),
  } as Probe,
  speed: {
    values: [1, 2],
    around: { ...around, ...greeting },
    shows: [580, 300],
    seen: 'nearest',
    begin: greetingMs,
  } as Probe,
})
const ear = (around: Tree): Probe => ({
  values: ['moonshine-tiny-en', 'moonshine-base-en'],
  around,
  seen: 'nearest',
  begin: turnShows(({ llm }) => /heard by ([\w-]+)/.exec(JSON.stringify(llm.body))?.[1]),
})
const place = (prefix: string, rows: Readonly<Record<string, Probe>>): Probes =>
  Object.fromEntries(Object.entries(rows).map(([name, probe]) => [`${prefix}.${name}`, probe]))

/** The caller's own words come back. */
const echoAfter: Begin = async (world) => {
  const up = await world.call()
  return async () => {
    await up.pass(200)
    const fromMs = up.nowMs
    await up.pass(100, 1)
    const before = up.leg.written.length
    await up.until(() => up.soundsSince(before), 5000)
    return Math.round((up.nowMs - fromMs) / 100) * 100
  }
}

export const pipelineProbes: Probes = {
  'pipelines.*.stt': { values: [part, 'local'], around: pipeline(), seen: 'wire', begin: askedFor.stt },
  'pipelines.*.llm': { values: [part, 'local'], around: pipeline(), seen: 'wire', begin: askedFor.llm },
  'pipelines.*.tts': { values: [part, 'local'], around: pipeline(), seen: 'wire', begin: askedFor.tts },
  'pipelines.*.stt[]': listed('stt'),
  'pipelines.*.llm[]': listed('llm'),
  'pipelines.*.tts[]': listed('tts'),
  'pipelines.*.options.language': {
    values: ['de', 'fr'],
    around: pipeline(),
    seen: 'wire',
    begin: turnShows(({ stt }) => stt.language),
  },
  'pipelines.*.options.reply_timeout_ms': {
    values: [2000, 4000],
    around: pipeline(),
    seen: 'call',
    begin: apologyAfter,
  },
  'pipelines.*.options.retry_after_ms': {
    values: [20_000, 60_000],
    around: withFirst,
    seen: 'wire',
    atOnce: true,
    begin: askedAgainAfter,
  },
  'pipelines.*.tools': {
    values: [[], ['terminate_call']],
    around: pipeline(),
    shows: [false, true],
    seen: 'wire',
    begin: turnShows(({ llm }) => JSON.stringify(llm.body).includes('terminate_call')),
  },
  'providers.local.enabled': {
    values: [true, false],
    around: { providers: { local: { llm: { base_url: 'https://local.example/v1', model: 'own' } } } },
    shows: ['not_ready', 'unknown_provider'],
    seen: 'call',
    atOnce: true,
    begin: (world) => () => world.outcome({ provider: 'local' }),
  },
  'providers.local.stt.model': ear(pipeline({ stt: 'local' })),
  'pipelines.*.stt{local}.model': ear(pipeline({ stt: { provider: 'local' } })),
  ...place('providers.local.tts', voiceRows(pipeline({ tts: 'local' }))),
  ...place('pipelines.*.tts{local}', voiceRows(pipeline({ tts: { provider: 'local' } }))),
  'providers.loopback.enabled': {
    values: [true, false],
    shows: ['admitted', 'unknown_provider'],
    seen: 'call',
    atOnce: true,
    begin: (world) => () => world.outcome({ provider: 'loopback' }),
  },
  'providers.loopback.delay_ms': {
    values: [500, 1000],
    around: { active_pipeline: '', default_provider: 'loopback' },
    seen: 'call',
    begin: echoAfter,
  },
}
