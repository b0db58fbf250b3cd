import type { KeyCall } from '../../../fakes/key-call.ts'
import type { KeyWorld, Tree } from '../../../fakes/key-world.ts'
import { settled } from './conversation.ts'
import type { Probe, Probes } from './probe.ts'

/** Deepgram's recognition and voice as parts of a pipeline, from the vendor's own section or defined in place. */
type Rows = Readonly<Record<string, Probe>>

interface PartCall {
  readonly up: KeyCall
  readonly world: KeyWorld
}

/** A key that shows in a call over such a part. */
function part(
  values: readonly [unknown, unknown],
  look: (call: PartCall) => unknown,
  { standin = {}, ...rest }: Partial<Probe> & { standin?: Parameters<KeyWorld['outside']['renew']>[1] } = {},
): Probe {
  return {
    values,
    seen: 'wire',
    begin: async (world) => {
      world.outside.renew({}, standin)
      const up = await world.call()
      await settled(up)
      return () => look({ up, world })
    },
    ...rest,
  }
}

/** At its address, of a stream or of a request. */
const inUrl =
  (path: string, name: string) =>
  ({ world }: PartCall) => {
    const { urls } = world.outside.deepgram
    const found = [...world.outside.requests.map(({ url }) => url), ...urls].find((url) => url.includes(path))
    return new URL(found ?? 'wss://nowhere').searchParams.get(name)
  }
const heard = (name: string) => inUrl('/listen', name)

const flux = { around: { model: 'flux-general-multi' } }

/** Words that are never ready: how long after the caller's turn is over the answer to it is asked for, or given up. */
async function lateWords({ up, world }: PartCall): Promise<number> {
  await up.pass(600, 1)
  await up.pass(700)
  const fromMs = up.nowMs
  const { lines } = world
  const before = lines.length
  await up.until(() => lines.slice(before).some((line) => line.includes('turn finished')), 8000)
  return Math.floor((up.nowMs - fromMs) / 100) * 100
}

/** Somebody speaks over a reply: whether the words of it are asked for. */
async function asksForWords({ up, world }: PartCall): Promise<boolean> {
  world.outside.openai.speak = () => ({ samples: new Int16Array(24_000 * 10).fill(3000) })
  await up.pass(600, 1)
  await up.soundsAfter(4000)
  await up.pass(400)
  await up.pass(800, 1)
  return world.outside.requests.some(({ url, method }) => url.includes('/v1/listen') && method === 'POST')
}

const hearing: Rows = {
  model: part(['nova-3', 'nova-2'], heard('model')),
  language: part(['de', 'fr'], heard('language')),
  language_hints: part([['de'], ['fr']], heard('language_hint'), { ...flux, shows: ['de', 'fr'] }),
  keyterms: part([['Graz'], ['Wien']], heard('keyterm'), { shows: ['Graz', 'Wien'] }),
  smart_format: part([false, true], heard('smart_format'), { shows: [null, 'true'] }),
  eot_threshold: part([0.7, 0.8], heard('eot_threshold'), { ...flux, shows: ['0.7', '0.8'] }),
  eager_eot_threshold: part([0.4, 0.5], heard('eager_eot_threshold'), { ...flux, shows: ['0.4', '0.5'] }),
  eot_timeout_ms: part([5000, 6000], heard('eot_timeout_ms'), { ...flux, shows: ['5000', '6000'] }),
  endpointing_ms: part([200, 400], heard('endpointing'), { shows: ['200', '400'] }),
  utterance_end_ms: part([1000, 2000], heard('utterance_end_ms'), { shows: ['1000', '2000'] }),
  finalize_timeout_ms: part([1000, 2000], lateWords, { standin: { recognitionMs: 30_000 } }),
  judge_overlaps: part([false, true], asksForWords),
}

const speaking: Rows = {
  model: part(['aura-2-thalia-en', 'aura-2-apollo-en'], inUrl('/v1/speak', 'model')),
  speed: part([1.1, 1.2], inUrl('/v1/speak', 'speed'), { shows: ['1.1', '1.2'] }),
  transport: part(['websocket', 'rest'], ({ world }) =>
    world.outside.requests.some(({ url }) => url.includes('/v1/speak')) ? 'rest' : 'websocket',
  ),
}

const pipeline = (more: object): Tree => ({
  active_pipeline: 'one',
  turn_taking: { start: 'transcript' },
  pipelines: { one: { stt: 'openai_compatible', llm: 'openai_compatible', tts: 'openai_compatible', ...more } },
})

/** Rows say what is around a key in the same group. */
function rows(place: string, each: Rows, around: (group: Tree) => Tree): Probes {
  return Object.fromEntries(
    Object.entries(each).map(([name, probe]) => [`${place}.${name}`, { ...probe, around: around(probe.around ?? {}) }]),
  )
}

/** Those that only a pipeline has; the others of the section are seen at the agent. */
const only = (each: Rows, ...names: string[]): Rows =>
  Object.fromEntries(Object.entries(each).filter(([name]) => names.includes(name)))

export const deepgramPartProbes: Probes = {
  ...rows(
    'providers.deepgram.listen',
    only(hearing, 'endpointing_ms', 'utterance_end_ms', 'finalize_timeout_ms', 'judge_overlaps'),
    (listen) => ({ ...pipeline({ stt: 'deepgram' }), providers: { deepgram: { listen } } }),
  ),
  ...rows('providers.deepgram.speak', only(speaking, 'transport'), () => pipeline({ tts: 'deepgram' })),
  ...rows('pipelines.*.stt{deepgram}', hearing, (group) => pipeline({ stt: { provider: 'deepgram', ...group } })),
  ...rows('pipelines.*.tts{deepgram}', speaking, (group) => pipeline({ tts: { provider: 'deepgram', ...group } })),
}
