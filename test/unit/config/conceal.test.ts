import { describe, expect, test } from 'bun:test'
import { concealing, withoutVariables } from '#config/conceal.ts'
import { loadConfiguration } from '#config/load.ts'
import { formatProblem } from '#config/problem.ts'
import { vendors } from './vendors.ts'

const canary = 'CANARY4711'

function problems(text: string): string {
  const env = { ASTERISK_ARI_PASSWORD: 'x', HELD: canary }
  const loaded = loadConfiguration({ file: 'x.yaml', text, env, vendors })
  return (loaded.ok ? loaded.value.warnings : loaded.error).map(formatProblem).join('\n')
}

describe('no message shows what may be a secret', () => {
  test.each<[what: string, text: string, said: RegExp]>([
    [
      'a header that is none',
      `providers: { openai_realtime: { headers: ["OpenAI-Project ${canary}"] } }`,
      /headers\[1\]: expected a header.*not shown/,
    ],
    [
      'a header in place of a list',
      `providers: { deepgram: { think: { endpoint_headers: "authorization: ${canary}" } } }`,
      /endpoint_headers: expected a list.*not shown.*Write a list/,
    ],
    [
      'the user of an address',
      `file_playback: { advertise_url: "http://user:${canary}@h:1/x" }`,
      /advertise_url: expected .*not shown/,
    ],
    ['the user of a host', `asterisk: { host: "user:${canary}@h" }`, /asterisk\.host: expected .*not shown/],
    [
      'an entry of a list out of a variable',
      `agents: { a: { dids: ["\${HELD}", "\${HELD}"] } }`,
      /a\.dids\[2\]: \*{8} stands twice/,
    ],
  ])('%s', (_, text, said) => {
    expect(problems(text)).toMatch(said)
    expect(problems(text)).not.toContain(canary)
  })
})

test('values are found by their paths, also in lists, and hidden as whole words', () => {
  const given = { a: { b: 'x', list: ['one', 'two'] }, c: 7 }
  const conceal = concealing(given, ['a.list[2]', 'a.b', 'c', 'nowhere[1].d'])
  expect(conceal('two and twofold, x and 7')).toBe('******** and twofold, ******** and 7')
  expect(withoutVariables(given, ['a.list[1]', 'a.b', 'c', 'nowhere'])).toEqual({
    a: { b: '********', list: ['********', 'two'] },
    c: 7,
  })
  expect(given.a.list).toEqual(['one', 'two'])
})
