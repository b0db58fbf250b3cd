import { describe, expect, test } from 'bun:test'
import { Conversation } from '#providers/openai-realtime/conversation.ts'
import { Sounding } from '#providers/openai-realtime/sounding.ts'
import { ManualClock } from '../../../fakes/manual-clock.ts'

function setUp(transcribes = true) {
  const clock = new ManualClock()
  const told: string[] = []
  const conversation = new Conversation(clock, transcribes, (side, text, _spokenAtMs, corrects) =>
    told.push(`${side}: ${text}${corrects === undefined ? '' : `, instead of: ${corrects}`}`),
  )
  return { clock, told, conversation }
}

describe('words of both sides', () => {
  test('are told in the order of the conversation, whoever’s come first', () => {
    const { conversation, told, clock } = setUp()
    conversation.add('u1', 'user', null, clock.now())
    conversation.add('a1', 'assistant', null, clock.now())
    conversation.agentSaid('a1', false, 'Good ')
    conversation.agentSaid('a1', true, 'Good morning.')
    expect(told).toEqual([])
    expect(conversation.callerSaid('u1', false, 'Hel')).toBe('Hel')
    expect(conversation.callerSaid('u1', false, 'lo')).toBe('Hello')
    conversation.callerSaid('u1', true, 'Hello?')
    expect(told).toEqual(['caller: Hello?', 'agent: Good morning.'])
    expect(clock.pending).toBe(0)
  })

  test('an item that is told late has its place behind the one that it follows', () => {
    const { conversation, told, clock } = setUp()
    conversation.add('u1', 'user', null, clock.now())
    conversation.add('a1', 'assistant', null, clock.now())
    conversation.add('u2', 'user', 'u1', clock.now())
    conversation.agentSaid('a1', true, 'Three.')
    conversation.callerSaid('u2', true, 'Two.')
    conversation.callerSaid('u1', true, 'One.')
    expect(told).toEqual(['caller: One.', 'caller: Two.', 'agent: Three.'])
  })

  test('those that fail, or do not come in four seconds, hold nothing up; late ones are told when they come', () => {
    const { conversation, told, clock } = setUp()
    conversation.add('u1', 'user', null, clock.now())
    conversation.add('a1', 'assistant', null, clock.now())
    conversation.agentSaid('a1', true, 'One.')
    conversation.callerFailed('u1')
    expect(told).toEqual(['agent: One.'])
    conversation.add('u2', 'user', null, clock.now())
    conversation.add('a2', 'assistant', null, clock.now())
    conversation.agentSaid('a2', true, 'Two.')
    clock.advance(3999)
    expect(told).toEqual(['agent: One.'])
    clock.advance(1)
    expect(told).toEqual(['agent: One.', 'agent: Two.'])
    conversation.callerSaid('u2', true, 'And?')
    expect(told).toEqual(['agent: One.', 'agent: Two.', 'caller: And?'])
  })

  test('where nothing is written down nobody is waited for', () => {
    const { conversation, told, clock } = setUp(false)
    conversation.add('u1', 'user', null, clock.now())
    conversation.add('a1', 'assistant', null, clock.now())
    conversation.agentSaid('a1', true, 'One.')
    expect(told).toEqual(['agent: One.'])
  })

  test('what was removed does not come back, whatever the server still tells of it', () => {
    const { conversation, told, clock } = setUp()
    conversation.add('u1', 'user', null, clock.now())
    conversation.remove('u1')
    conversation.add('u1', 'user', null, clock.now())
    conversation.callerSaid('u1', true, 'cough')
    expect([told, conversation.carryOver()]).toEqual([[], []])
  })

  test('what was not heard was not said, also where more of it comes', () => {
    const { conversation, told, clock } = setUp()
    conversation.add('a1', 'assistant', null, clock.now())
    conversation.agentSaid('a1', true, 'One two three four.')
    conversation.cut('a1', 500, 1000)
    conversation.agentSaid('a1', true, 'One two three four.')
    expect(told).toEqual(['agent: One two three four.', 'agent: One two, instead of: One two three four.'])
    expect(conversation.carryOver().map(({ text }) => text)).toEqual(['One two'])
  })

  test('a new session is told the newest of it, under new ids, and what has not come by then will not', () => {
    const { conversation, clock } = setUp()
    for (let index = 0; index < 60; index += 1) {
      conversation.add(`u${index}`, 'user', null, clock.now())
      conversation.callerSaid(`u${index}`, true, `word ${index}`)
    }
    conversation.add('u60', 'user', null, clock.now())
    const carried = conversation.carryOver()
    expect([carried.length, carried[0]?.text, carried.at(-1)?.text]).toEqual([40, 'word 20', 'word 59'])
    expect(new Set(carried.map(({ id }) => id)).size).toBe(40)
    expect(carried.every(({ id }) => id.length <= 32 && id.startsWith('pc_'))).toBe(true)
    expect(conversation.callerIsKnown).toBe(false)
  })

  test('is not longer than a prompt may be', () => {
    const { conversation, clock } = setUp()
    for (let index = 0; index < 10; index += 1) {
      conversation.add(`u${index}`, 'user', null, clock.now())
      conversation.callerSaid(`u${index}`, true, 'x'.repeat(3000))
    }
    expect(conversation.carryOver().length).toBe(4)
  })

  test('closed, all that is known has been told, and no timer is left', () => {
    const { conversation, told, clock } = setUp()
    conversation.add('u1', 'user', null, clock.now())
    conversation.add('a1', 'assistant', null, clock.now())
    conversation.agentSaid('a1', false, 'Goodb')
    conversation.close()
    expect([told, clock.pending]).toEqual([['agent: Goodb'], 0])
  })
})

describe('what of a reply was heard', () => {
  test.each([
    [
      0,
      [
        ['a', 0],
        ['b', 0],
      ],
    ],
    [
      400,
      [
        ['a', 400],
        ['b', 0],
      ],
    ],
    [
      500.9,
      [
        ['a', 500],
        ['b', 0],
      ],
    ],
    [1000, [['b', 0]]],
    [1300.7, [['b', 300]]],
    [1799, [['b', 700]]],
    [5000, []],
  ])('%f ms: %j', (heardMs, expected) => {
    const sounding = new Sounding()
    sounding.add('a', 600, 600)
    sounding.add('a', 400, 400)
    // Our filter has lengthened it.
    sounding.add('b', 800, 700)
    sounding.complete('a')
    sounding.complete('b')
    expect(sounding.cut(heardMs).map(({ itemId, heardMs: ms }) => [itemId, ms])).toEqual(expected as [string, number][])
    expect(sounding.active).toBe(false)
  })

  test('a recording of ours before it counts as well, and is no item', () => {
    const sounding = new Sounding()
    sounding.add(null, 700, 0)
    sounding.add('a', 1000, 1000)
    sounding.complete('a')
    expect(sounding.cut(900)).toEqual([{ itemId: 'a', heardMs: 200, totalMs: 1000, unfinished: false, asText: false }])
  })

  test('all that has come of one that is still being made: the server has more of it', () => {
    const sounding = new Sounding()
    sounding.add('a', 1003.5, 1000)
    expect(sounding.cut(5000)).toEqual([
      { itemId: 'a', heardMs: 1000, totalMs: 1003.5, unfinished: true, asText: false },
    ])
  })
})
