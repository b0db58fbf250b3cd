import { describe, expect, test } from 'bun:test'
import type { Departure } from '#agent/provider.ts'
import { settle } from '../../fakes/manual-clock.ts'
import { CascadeBench, type FakeFunction } from './cascade-bench.ts'

const goodbye: FakeFunction = () => ({ output: '{"ok":true}', departure: { kind: 'hang_up' }, failure: null })
const hours: FakeFunction = () => ({ output: '{"opens":"nine"}', departure: null, failure: null })
const place: Departure = { kind: 'transfer', to: { context: 'a', extension: 's', priority: 1 } }

describe('functions of a cascade’s model', () => {
  test('are offered, run once, and their results go back before it answers', async () => {
    const bench = await CascadeBench.open({ hours })
    bench.ask('When do you open?')
    expect(bench.offered).toEqual(['hours'])
    bench.events()
    bench.calls('hours', '{"day":"monday"}')
    bench.done()
    await settle()
    expect(bench.events()).toEqual(['tool', 'tool'])
    expect(bench.ran).toEqual(['hours {"day":"monday"}'])
    expect(bench.question).toEqual([
      'system: Be brief.',
      'user: When do you open?',
      'assistant: ',
      'tool: {"opens":"nine"}',
    ])
    bench.answer('We open at nine.', 400)
    expect(bench.events().slice(-2)).toEqual(['agent: We open at nine.', 'reply_done'])
    bench.ask('Thanks.')
    expect(bench.question.slice(2)).toEqual([
      'assistant: ',
      'tool: {"opens":"nine"}',
      'assistant: We open at nine.',
      'user: Thanks.',
    ])
    expect(bench.provider.events?.()).toEqual({ tool_done: 1 })
  })

  test('what is said with them is spoken at once, and is one reply with what follows', async () => {
    const bench = await CascadeBench.open({ hours })
    bench.ask('When do you open?')
    bench.text('Let me have a look.')
    bench.calls('hours', '')
    bench.done()
    expect(bench.spokenTexts()).toEqual(['Let me have a look.'])
    await settle()
    expect(bench.question.at(-2)).toBe('assistant: Let me have a look.')
    bench.audio(300)
    bench.spoken('Let me have a look.')
    bench.events()
    bench.answer('We open at nine.', 400)
    expect(bench.events()).toEqual(['audio 400', 'agent: Let me have a look. We open at nine.', 'reply_done'])
  })

  test('one that ends the call: the farewell said with it is made in full, then the agent leaves', async () => {
    const bench = await CascadeBench.open({ goodbye })
    bench.ask('Bye.')
    bench.text('Goodbye, and thank you.')
    bench.calls('goodbye', '{}')
    bench.done()
    await settle()
    bench.audio(500)
    expect(bench.events()).not.toContain('leave')
    bench.spoken('Goodbye, and thank you.')
    expect(bench.events()).toEqual(['agent: Goodbye, and thank you.', 'reply_done', 'leave'])
    expect(bench.llm.session.inputs.filter(({ type }) => type === 'generate')).toHaveLength(1)
  })

  test('without a word of farewell, one is asked for, and nothing else is offered', async () => {
    const bench = await CascadeBench.open({
      transfer: () => ({ output: '{"ok":true}', departure: place, failure: null }),
    })
    bench.ask('A person, please.')
    bench.calls('transfer', '{}')
    bench.done()
    await settle()
    expect(bench.offered).toEqual([])
    bench.answer('I put you through.', 300)
    expect(bench.events().slice(-2)).toEqual(['reply_done', 'leave'])
  })

  test('a farewell that fails does not keep the agent', async () => {
    const bench = await CascadeBench.open({ goodbye })
    bench.ask('Bye.')
    bench.calls('goodbye', '{}')
    bench.done()
    await settle()
    bench.events()
    bench.llm.session.emit({ type: 'fault', code: 'timeout', message: 'late', retryable: true })
    expect(bench.events()).toEqual(['incident', 'reply_done', 'leave'])
    expect(bench.clock.pending).toBe(0)
  })

  test('a caller who goes on stays, and the model is told', async () => {
    const bench = await CascadeBench.open({ goodbye })
    bench.ask('Bye.')
    bench.text('Goodbye, and thank you.')
    bench.calls('goodbye', '{}')
    bench.done()
    await settle()
    bench.audio(500)
    bench.events()
    bench.send({ type: 'interrupted', heardMs: 250 })
    expect(bench.events()).toEqual(['agent: Goodbye, and'])
    bench.ask('Wait!')
    expect(bench.question.find((line) => line.startsWith('tool: '))).toMatch(/the call was not ended, and goes on/)
    expect(bench.question.at(-2)).toBe('assistant: Goodbye, and')
    expect(bench.offered).toEqual(['goodbye'])
  })

  test('what was asked for before the caller went on is told, and nothing follows', async () => {
    const late = Promise.withResolvers<Awaited<ReturnType<FakeFunction>>>()
    const bench = await CascadeBench.open({ slow: () => late.promise })
    bench.ask('Look it up.')
    bench.calls('slow', '{}')
    bench.done()
    bench.send({ type: 'turn_resumed' })
    bench.ask('Or rather not.')
    late.resolve({ output: '{"found":1}', departure: { kind: 'hang_up' }, failure: null })
    await settle()
    expect(bench.llm.session.inputs.filter(({ type }) => type === 'generate')).toHaveLength(2)
    bench.answer('As you like.', 200)
    expect(bench.events()).not.toContain('leave')
    bench.ask('So?')
    expect(bench.question.find((line) => line.startsWith('tool: '))).toMatch(/goes on/)
  })

  test('a model that asks without end has failed', async () => {
    const bench = await CascadeBench.open({ hours })
    bench.ask('Hm?')
    for (let round = 0; round < 6; round += 1) {
      bench.calls('hours', '{}')
      bench.done()
      await settle()
    }
    expect(bench.events()).toContain('fault tool_loop')
    expect([bench.ran.length, bench.clock.pending]).toEqual([5, 0])
  })
})
