import { describe, expect, test } from 'bun:test'
import { readStasisArguments } from '#asterisk/stasis-arguments.ts'

describe('readStasisArguments', () => {
  const cases: [string, string[], string | null, string[]][] = [
    ['none', [], null, []],
    ['the transport', ['audio_transport=websocket'], 'websocket', []],
    ['with spaces, as a dialplan is written', [' audio_transport = websocket '], 'websocket', []],
    ['a name that nobody has is for the doors to judge', ['audio_transport=pigeon'], 'pigeon', []],
    ['without a value', ['audio_transport='], null, ['audio_transport=']],
    ['without a sign', ['audio_transport'], null, ['audio_transport']],
    ['in other letters', ['Audio_Transport=websocket'], null, ['Audio_Transport=websocket']],
    ['an older argument beside it', ['agent=7', 'audio_transport=auto'], 'auto', ['agent=7']],
    ['an empty one, from a comma too many', ['', ' ', 'audio_transport=auto'], 'auto', []],
    ['twice: the last one', ['audio_transport=audiosocket', 'audio_transport=websocket'], 'websocket', []],
  ]
  test.each(cases)('%s', (_name, args, audioTransport, unknown) => {
    expect(readStasisArguments(args)).toEqual({ audioTransport, unknown })
  })
})
