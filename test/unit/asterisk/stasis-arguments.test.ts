import { describe, expect, test } from 'bun:test'
import { readStasisArguments, type StasisArguments, wishMax } from '#asterisk/stasis-arguments.ts'
import { noWish } from '#call/choice.ts'

const nothing: StasisArguments = { audioTransport: null, wish: noWish, unknown: [], tooLong: [] }

describe('readStasisArguments', () => {
  const cases: [string, string[], Partial<StasisArguments>][] = [
    ['none', [], {}],
    ['the transport', ['audio_transport=websocket'], { audioTransport: 'websocket' }],
    ['with spaces, as a dialplan is written', [' audio_transport = websocket '], { audioTransport: 'websocket' }],
    ['a name that nobody has is for the doors to judge', ['audio_transport=pigeon'], { audioTransport: 'pigeon' }],
    ['without a value', ['audio_transport='], { unknown: ['audio_transport='] }],
    ['without a sign', ['audio_transport'], { unknown: ['audio_transport'] }],
    ['in other letters', ['Audio_Transport=websocket'], { unknown: ['Audio_Transport=websocket'] }],
    [
      'one that means nothing beside it',
      ['queue=7', 'audio_transport=auto'],
      { audioTransport: 'auto', unknown: ['queue=7'] },
    ],
    ['an empty one, from a comma too many', ['', ' ', 'audio_transport=auto'], { audioTransport: 'auto' }],
    [
      'twice: the last one',
      ['audio_transport=audiosocket', 'audio_transport=websocket'],
      { audioTransport: 'websocket' },
    ],
    ['an agent', ['agent=sales'], { wish: { ...noWish, agent: 'sales' } }],
    [
      'all there is',
      ['agent=a', 'provider=b', 'pipeline=c', 'greeting=Hi!', 'prompt=Be kind.', 'audio_transport=auto'],
      {
        audioTransport: 'auto',
        wish: { agent: 'a', provider: 'b', pipeline: 'c', greeting: 'Hi!', prompt: 'Be kind.' },
      },
    ],
    [
      'a text with commas, which the dialplan has cut',
      ['greeting=Hello', ' Mr. Smith', ' x=1', 'agent=sales'],
      { wish: { ...noWish, greeting: 'Hello, Mr. Smith, x=1', agent: 'sales' } },
    ],
    [
      'what follows another than a text',
      ['agent=sales', ' please'],
      {
        wish: { ...noWish, agent: 'sales' },
        unknown: [' please'],
      },
    ],
    ['a text without end', [`prompt=${'x'.repeat(wishMax + 1)}`], { tooLong: ['prompt'] }],
    [
      'one just as long as may be',
      [`prompt=${'x'.repeat(wishMax)}`],
      { wish: { ...noWish, prompt: 'x'.repeat(wishMax) } },
    ],
  ]
  test.each(cases)('%s', (_name, args, expected) => {
    expect(readStasisArguments(args)).toEqual({ ...nothing, ...expected })
  })
})
