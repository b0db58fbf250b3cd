import { describe, expect, test } from 'bun:test'
import { type AgentTerms, choose, defaultChoice, noWish, noWishes, type Wish } from '#call/choice.ts'
import { noFacts } from '#call/route.ts'
import { testOffer } from '../../fakes/calls.ts'

const nothing: AgentTerms = {
  greeting: null,
  prompt: null,
  voice: null,
  language: null,
  provider: null,
  tools: null,
  callers: [],
  dids: [],
  extensions: [],
  contexts: [],
}
const offer = testOffer({
  agents: {
    plain: { ...nothing, extensions: ['1'] },
    full: {
      ...nothing,
      greeting: '',
      prompt: 'Sell.',
      voice: 'nova',
      language: 'de',
      provider: 'front',
      tools: ['terminate_call'],
      extensions: ['2'],
    },
  },
  providers: ['fake', 'other'],
  pipelines: ['front', 'back'],
})

function chosen(argument: Partial<Wish>, variable: Partial<Wish> = {}, extension = '') {
  return choose(
    {
      argument: { ...noWish, ...argument },
      variable: { ...noWish, ...variable },
      facts: { ...noFacts, extension },
    },
    offer,
  )
}

function given(...wishes: Parameters<typeof chosen>) {
  const choice = chosen(...wishes)
  if (!choice.ok) throw new Error(`unknown ${choice.error.kind}`)
  return choice.value
}

describe('choose', () => {
  test('nothing is said: what all calls have', () => {
    expect(choose(noWishes, offer)).toEqual({
      ok: true,
      value: {
        facts: defaultChoice,
        provider: 'fake',
        greeting: 'Hello.',
        prompt: 'Be brief.',
        language: 'en',
        voice: null,
        tools: null,
      },
    })
  })

  test('an agent that says nothing is an agent all the same', () => {
    expect(given({}, {}, '1')).toMatchObject({
      facts: { agent: 'plain', route: { rule: 'extension' }, origins: defaultChoice.origins },
      provider: 'fake',
      greeting: 'Hello.',
    })
  })

  test('what an agent says wins over what is said for all, an empty greeting as well', () => {
    const { facts, ...values } = given({}, {}, '2')
    expect(values).toEqual({
      provider: 'front',
      greeting: '',
      prompt: 'Sell.',
      language: 'de',
      voice: 'nova',
      tools: ['terminate_call'],
    })
    expect(new Set(Object.values(facts.origins))).toEqual(new Set(['agent']))
  })

  test('an argument wins over a variable, and that over the extension', () => {
    expect(given({ agent: 'plain' }, { agent: 'full' }, '2').facts.route).toEqual({
      rule: 'argument',
      value: 'plain',
      pattern: null,
    })
    expect(given({}, { agent: 'full' }, '1').facts).toMatchObject({ agent: 'full', route: { rule: 'variable' } })
  })

  test('single values of the dialplan win over the agent’s, each by itself', () => {
    const { facts, greeting, prompt } = given({ greeting: 'Hi.' }, { greeting: 'No.', prompt: 'Ask.' }, '2')
    expect([greeting, prompt]).toEqual(['Hi.', 'Ask.'])
    expect(facts.origins).toMatchObject({ greeting: 'argument', prompt: 'variable', provider: 'agent' })
  })

  test('another provider leaves the voice and the tools that were chosen for the agent’s', () => {
    const { facts, provider, voice, tools, language } = given({ provider: 'other' }, {}, '2')
    expect([provider, voice, tools, language]).toEqual(['other', null, null, 'de'])
    expect(facts.origins).toMatchObject({ provider: 'argument', voice: 'default', tools: 'default' })
  })

  test('of both in one place the pipeline answers; of two places the nearer one', () => {
    expect(given({ provider: 'other', pipeline: 'back' }).provider).toBe('back')
    expect(given({ provider: 'other' }, { pipeline: 'back' }).provider).toBe('other')
  })

  const unknown: [string, Parameters<typeof chosen>, object][] = [
    ['agent', [{ agent: 'x' }], { kind: 'agent', name: 'x', origin: 'argument', known: ['plain', 'full'] }],
    ['provider', [{}, { provider: 'front' }], { kind: 'provider', origin: 'variable', known: ['fake', 'other'] }],
    ['pipeline', [{ pipeline: 'fake' }], { kind: 'pipeline', known: ['front', 'back'] }],
    ['agent before the others', [{ pipeline: 'x', agent: 'x' }], { kind: 'agent' }],
    ['a name of every object', [{ agent: 'constructor' }], { kind: 'agent' }],
  ]
  test.each(unknown)('an unknown %s is said with those that there are', (_name, wishes, expected) => {
    const choice = chosen(...wishes)
    expect(choice.ok ? null : choice.error).toMatchObject(expected)
  })
})
