import { describe, expect, test } from 'bun:test'
import { History } from '#agent/history.ts'

const words = (history: History) => history.forModel().map(({ role, content }) => `${role}: ${content}`)

describe('History', () => {
  test('the prompt first, then who said what', () => {
    const history = new History('Be brief.')
    history.assistant('Hello.')
    history.user('What time is it?')
    history.assistant('Noon.')
    expect(words(history)).toEqual([
      'system: Be brief.',
      'assistant: Hello.',
      'user: What time is it?',
      'assistant: Noon.',
    ])
  })

  test('without a prompt there is no system message', () => {
    const history = new History('')
    history.user('Hi.')
    expect(words(history)).toEqual(['user: Hi.'])
  })

  test('two turns of the caller without an answer between them are one message', () => {
    const history = new History('')
    history.user('I would like')
    history.user('a table')
    expect(words(history)).toEqual(['user: I would like a table'])
  })

  test('words that nobody heard are no message', () => {
    const history = new History('')
    history.user('Hi.')
    history.assistant('')
    expect(words(history)).toEqual(['user: Hi.'])
  })

  test('takes back what is not finished, and only that', () => {
    const history = new History('')
    history.user('I would like')
    expect(history.takeBackUser()).toBe('I would like')
    expect(history.takeBackUser()).toBe('')
    history.user('Hi.')
    history.takeBackAssistant()
    history.assistant('Hello, how')
    expect(history.takeBackUser()).toBe('')
    history.takeBackAssistant()
    history.takeBackAssistant()
    expect(words(history)).toEqual(['user: Hi.'])
  })

  test('keeps the newest 24 messages and always the prompt', () => {
    const history = new History('P')
    for (let turn = 0; turn < 20; turn += 1) {
      history.user(`u${turn}`)
      history.assistant(`a${turn}`)
    }
    const kept = words(history)
    expect([kept.length, kept[0], kept[1], kept.at(-1)]).toEqual([25, 'system: P', 'user: u8', 'assistant: a19'])
  })

  test('keeps 12,000 characters, and the newest message however long it is', () => {
    const history = new History('')
    history.user('x'.repeat(7000))
    history.assistant('y'.repeat(5000))
    expect(words(history)).toHaveLength(2)
    history.user('z')
    expect(words(history).map((text) => text.slice(0, 7))).toEqual(['assista', 'user: z'])
    history.assistant('w'.repeat(20_000))
    expect(words(history).map((text) => text.length)).toEqual([20_011])
  })

  test('what the model is given is a copy: later words are not in it', () => {
    const history = new History('')
    history.user('Hi.')
    const given = history.forModel()
    history.assistant('Hello.')
    expect(given).toEqual([{ role: 'user', content: 'Hi.' }])
  })
})

describe('functions', () => {
  const call = (id: string) => ({ id, name: 'hours', text: '{}' })

  test('stand between the words that asked for them and the reply, each with its answer', () => {
    const history = new History('')
    history.user('Open?')
    history.functionsAsked('One moment.', [call('a'), call('b')], 'not yet')
    expect(words(history)).toEqual(['user: Open?', 'assistant: One moment.', 'tool: not yet', 'tool: not yet'])
    history.functionAnswered('b', 'nine')
    // The whole reply has what was said to them in it.
    history.assistant('One moment. At nine.')
    expect(words(history)).toEqual([
      'user: Open?',
      'assistant: ',
      'tool: not yet',
      'tool: nine',
      'assistant: One moment. At nine.',
    ])
    history.takeBackAssistant()
    history.takeBackAssistant()
    expect(words(history)).toHaveLength(4)
    expect(history.takeBackUser()).toBe('')
  })

  test('are forgotten with what asked for them', () => {
    const history = new History('')
    for (let turn = 0; turn < 40; turn += 1) {
      history.user(`q${turn}`)
      history.functionsAsked('', [call(`a${turn}`), call(`b${turn}`)], 'x'.repeat(200))
      history.assistant(`a${turn}`)
      const messages = history.forModel()
      expect(messages.length).toBeLessThanOrEqual(24)
      expect(messages[0]?.role).not.toBe('tool')
      const asked = messages.flatMap(({ calls = [] }) => calls.map(({ id }) => id))
      expect(messages.flatMap(({ callId }) => callId ?? [])).toEqual(asked)
    }
  })
})
