import type { Wish } from '#call/choice.ts'
import type { RouteFacts } from '#call/route.ts'
import type { KeyWorld } from '../../../fakes/key-world.ts'
import { turnShows } from './conversation.ts'
import { type Begin, call, type Probe, type Probes } from './probe.ts'

/** Who answers a call, and what this call is given instead of what all are. */

/** Whose server meets a call. */
const answeredBy =
  (asked: Partial<Wish> = {}): Begin =>
  async (world) => {
    world.outside.renew()
    await world.call(asked)
    await world.turn()
    const { realtime, deepgram, openai } = world.outside
    const met = {
      openai_realtime: realtime.sessions.length,
      deepgram: deepgram.sessions.length,
      front: openai.speeches.length,
    }
    return () => Object.entries(met).find(([, count]) => count > 0)?.[0] ?? 'stage'
  }

/** What the probe's own agent is told in a call that asks for the agent `one`. */
const ofOne = (look: (context: { greeting: string; prompt: string; language: string }) => unknown): Begin => {
  return async (world) => {
    const up = await world.call({ agent: 'one' })
    return () => look(up.session.context)
  }
}
const one = (more: object = {}) => ({ agents: { one: more } })

/** The greeting of a call of these facts, which asks for nobody. */
const routed = (facts: Partial<RouteFacts>): Begin => {
  return async (world: KeyWorld) => {
    const up = await world.call({}, facts)
    return () => up.session.context.greeting
  }
}
const route = (fact: keyof RouteFacts): Probe => ({
  values: [['9'], ['4711', '0*']],
  around: one({ greeting: 'One.' }),
  shows: ['Hello.', 'One.'],
  seen: 'call',
  begin: routed({ [fact]: '4711' }),
})

export const choiceProbes: Probes = {
  default_provider: {
    values: ['openai_realtime', 'deepgram'],
    around: { active_pipeline: '' },
    seen: 'wire',
    begin: answeredBy(),
  },
  active_pipeline: { values: ['stage', 'front'], seen: 'wire', begin: answeredBy() },
  language: call(['en', 'de'], (up) => up.session.context.language),
  'agents.*.greeting': { values: ['One.', 'Two.'], seen: 'call', begin: ofOne(({ greeting }) => greeting) },
  'agents.*.prompt': {
    values: ['Be kind.', 'Be brief.'],
    around: one({ pipeline: 'front' }),
    seen: 'wire',
    begin: turnShows(({ llm }) => llm.body.messages[0]?.content, { agent: 'one' }),
  },
  'agents.*.language': {
    values: ['de', 'fr-CA'],
    around: one({ pipeline: 'front' }),
    shows: ['de', 'fr'],
    seen: 'wire',
    begin: turnShows(({ stt }) => stt.language, { agent: 'one' }),
  },
  'agents.*.voice': {
    values: ['alloy', 'coral'],
    around: one({ pipeline: 'front' }),
    seen: 'wire',
    begin: turnShows(({ tts }) => tts.voice, { agent: 'one' }),
  },
  'agents.*.tools': {
    values: [[], ['terminate_call']],
    around: one({ pipeline: 'front' }),
    shows: [false, true],
    seen: 'wire',
    begin: turnShows(({ llm }) => JSON.stringify(llm.body).includes('terminate_call'), { agent: 'one' }),
  },
  'agents.*.provider': {
    values: ['openai_realtime', 'deepgram'],
    seen: 'wire',
    begin: answeredBy({ agent: 'one' }),
  },
  'agents.*.pipeline': { values: ['stage', 'front'], seen: 'wire', begin: answeredBy({ agent: 'one' }) },
  'agents.*.dids': route('did'),
  'agents.*.extensions': route('extension'),
  'agents.*.contexts': route('context'),
  'agents.*.callers': route('caller'),
}
