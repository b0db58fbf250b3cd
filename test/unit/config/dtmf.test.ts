import { describe, expect, test } from 'bun:test'
import { loadConfiguration } from '#config/load.ts'
import { formatProblem } from '#config/problem.ts'
import { callSettings } from '../../../src/app/call-settings.ts'
import { testOffer } from '../../fakes/calls.ts'
import { vendors } from './vendors.ts'

const load = (text: string) => loadConfiguration({ file: 'x.yaml', text, env: { ASTERISK_ARI_PASSWORD: 'x' }, vendors })
const desk = 'transfer: { destinations: { desk: { context: internal, extension: "200" } } }\n'
const said = (keys: string, around = desk) => {
  const loaded = load(`${around}dtmf:\n  keys:\n    ${keys}\n`)
  return (loaded.ok ? loaded.value.warnings : loaded.error).map(formatProblem)
}

test('each key has its action, beside the short form at a destination', () => {
  const loaded = load(`
transfer: { destinations: { desk: { context: internal, extension: "200" }, night: { context: n, extension: s, key: "9" } } }
turn_taking: { farewell: So long. }
dtmf:
  keys:
    "0": { action: transfer, destination: desk }
    1: { action: hang_up }
    2: { action: hang_up, text: Bye. }
    3: { action: hang_up, text: "" }
    "*": { action: repeat }
    "#": { action: interrupt }
    A: { action: say, text: We open at nine. }
`)
  if (!loaded.ok) throw new Error(loaded.error.map(formatProblem).join())
  expect(loaded.value.warnings).toEqual([])
  expect(callSettings(loaded.value.configuration, testOffer()).keys).toEqual({
    '0': { do: 'transfer', place: { context: 'internal', extension: '200', priority: 1 } },
    '1': { do: 'hang_up', say: 'So long.' },
    '2': { do: 'hang_up', say: 'Bye.' },
    '3': { do: 'hang_up', say: '' },
    '9': { do: 'transfer', place: { context: 'n', extension: 's', priority: 1 } },
    '*': { do: 'repeat' },
    '#': { do: 'interrupt' },
    A: { do: 'say', text: 'We open at nine.' },
  })
})

describe('what makes no sense is refused with its line', () => {
  const rows: [what: string, keys: string, expected: RegExp][] = [
    ['an action that there is not', '1: { action: dance }', /dtmf\.keys\.1\.action: expected one of transfer, hang_up/],
    ['no action', '1: { text: a }', /dtmf\.keys\.1.*found nothing/],
    ['no key of a telephone', 'E: { action: repeat }', /dtmf\.keys.*one key of a telephone/],
    [
      'two keys at once',
      '"12": { action: repeat }',
      /dtmf\.keys\.12: expected one key of a telephone.*, found "12"\. Choose/,
    ],
    [
      'a star without quotes',
      '*: { action: repeat }',
      /begins with \* is an alias.*the key "\*" of a telephone needs quotes/,
    ],
    ['a transfer to nowhere', '1: { action: transfer }', /transfer needs a name.*there are desk/],
    ['one misspelt', '1: { action: transfer, destination: dsk }', /keys\.1\.destination:.*Did you mean desk\?/],
    ['a destination of another', '1: { action: repeat, destination: desk }', /repeat leads nowhere/],
    ['nothing to say', '1: { action: say }', /say needs a text/],
    ['a text that nobody says', '1: { action: interrupt, text: a }', /interrupt says no text/],
  ]
  test.each(rows)('%s', (_what, keys, expected) => {
    const found = said(keys)
    expect(found).toEqual([expect.stringMatching(/^x\.yaml:\d+:\d+: /)])
    expect(found.join()).toMatch(expected)
  })

  test('a key that two places claim', () => {
    const around = 'transfer: { destinations: { desk: { context: a, extension: b, key: "1" } } }\n'
    expect(said('1: { action: repeat }', around).join()).toMatch(
      /x\.yaml:4:5: dtmf\.keys\.1: transfer\.destinations\.desk\.key is 1/,
    )
  })
})

describe('an echo test says nothing that it is told to say', () => {
  test.each(['repeat', 'interrupt', 'say, text: a'])('%s: a warning', (action) => {
    const found = said(`1: { action: ${action} }`, 'default_provider: loopback\n')
    expect(found.join()).toMatch(/^x\.yaml:4:5: dtmf\.keys\.1: loopback says nothing.*without effect/)
  })

  test('also where an agent has it; a transfer and a hang-up are done all the same', () => {
    expect(said('1: { action: repeat }', 'agents: { echo: { provider: loopback } }\n')).toHaveLength(1)
    expect(said('1: { action: transfer, destination: desk }', `${desk}default_provider: loopback\n`)).toEqual([])
    expect(said('1: { action: hang_up }', 'default_provider: loopback\n')).toEqual([])
  })
})
