import { describe, expect, test } from 'bun:test'
import { wishMax } from '#asterisk/stasis-arguments.ts'
import {
  askedVariables,
  broughtVariables,
  isSettled,
  noVariables,
  readVariables,
  variablesQuestion,
} from '#asterisk/stasis-variables.ts'
import { noWish } from '#call/choice.ts'
import { ariChannel } from '../../fakes/ari.ts'

const answer = (...values: string[]) => readVariables(values.join('<>'), '<>')

describe('channel variables', () => {
  test('are asked for with one question', () => {
    expect(variablesQuestion('<>')).toBe(
      'EVAL(${PATCHCORD_AGENT}<>${PATCHCORD_PROVIDER}<>${PATCHCORD_PIPELINE}<>${PATCHCORD_GREETING}<>${PATCHCORD_PROMPT}<>${PATCHCORD_DID}<>${CALLERID(dnid)})',
    )
  })

  test('that are not set say nothing', () => {
    expect(answer('', '', '', '', '', '', '')).toEqual(noVariables)
  })

  test('each by its place', () => {
    expect(answer('a', 'b', 'c', ' Hi, you. ', 'Be kind.', '+431', '100')).toEqual({
      wish: { agent: 'a', provider: 'b', pipeline: 'c', greeting: 'Hi, you.', prompt: 'Be kind.' },
      did: '+431',
      tooLong: [],
    })
  })

  test('the number that was called, where nobody says it', () => {
    expect(answer('', '', '', '', '', '', '100')?.did).toBe('100')
  })

  test('a text without end is left out, and named', () => {
    expect(answer('', '', '', 'x'.repeat(wishMax + 1), 'Be kind.', '', '')).toEqual({
      wish: { ...noWish, prompt: 'Be kind.' },
      did: '',
      tooLong: ['PATCHCORD_GREETING'],
    })
  })

  test.each([[''], ['a'], ['<><><><><><><>']])('another answer is none: %s', (text) => {
    expect(readVariables(text, '<>')).toBeNull()
  })

  test('come with the event, where ari.conf names them all', () => {
    const empty = Object.fromEntries(askedVariables.map((name) => [name, '']))
    const brought = (channelvars: Record<string, string>) => broughtVariables(ariChannel({ channelvars }))
    expect(brought(empty)).toEqual(noVariables)
    expect(brought({ ...empty, PATCHCORD_AGENT: 'a', 'CALLERID(dnid)': '7' })).toEqual({
      wish: { ...noWish, agent: 'a' },
      did: '7',
      tooLong: [],
    })
    expect(brought({ PATCHCORD_AGENT: 'a' })).toBeNull()
    const { channelvars: _none, ...bare } = ariChannel()
    expect(broughtVariables(bare)).toBeNull()
  })

  test('are not needed where the arguments say it all', () => {
    const all = { agent: 'a', provider: '', pipeline: 'p', greeting: 'g', prompt: 'p' }
    expect([isSettled(all), isSettled({ ...all, pipeline: '' }), isSettled({ ...all, agent: '' })]).toEqual([
      true,
      false,
      false,
    ])
  })
})
