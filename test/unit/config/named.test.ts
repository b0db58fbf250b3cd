import { describe, expect, test } from 'bun:test'
import { loadConfiguration } from '#config/load.ts'
import { formatProblem } from '#config/problem.ts'
import { vendors } from './vendors.ts'

const load = (text: string) => loadConfiguration({ file: 'x.yaml', text, env: {}, vendors })
const problems = (text: string) => {
  const loaded = load(text)
  return loaded.ok ? [] : loaded.error.map(formatProblem)
}

describe('groups under names that the user chooses', () => {
  test('are read, with the defaults of each', () => {
    const loaded = load(
      'transfer:\n  destinations:\n    sales: { context: internal, extension: "200", priority: 2, description: the desk }\n    night: { context: internal, extension: night, key: "0" }\n',
    )
    expect(loaded.ok && loaded.value.configuration.transfer.destinations).toEqual({
      sales: { context: 'internal', extension: '200', priority: 2, description: 'the desk', key: '' },
      night: { context: 'internal', extension: 'night', priority: 1, description: '', key: '0' },
    })
  })

  test.each([
    [
      'an unknown key in one of them',
      'sales: { context: a, extension: b, prio: 2 }',
      /x\.yaml:3:\d+: transfer\.destinations\.sales\.prio: unknown key/,
    ],
    [
      'a number for a text',
      'sales: { context: a, extension: 200 }',
      /x\.yaml:3:\d+: transfer\.destinations\.sales\.extension: .*Put it in quotes.*"200"/,
    ],
    [
      'a key of the telephone without quotes',
      'sales: { context: a, extension: b, key: 0 }',
      /sales\.key: .*Put it in quotes.*"0"/,
    ],
    ['two keys', 'sales: { context: a, extension: b, key: "12" }', /sales\.key: expected one key of a telephone/],
    ['a key that is missing', 'sales: { context: a }', /transfer\.destinations\.sales.*found nothing/],
    [
      'a context with a comma',
      'sales: { context: "a,b", extension: s }',
      /transfer\.destinations\.sales\.context: expected a word of the dialplan/,
    ],
    [
      'a name with a blank',
      '"the desk": { context: a, extension: s }',
      /transfer\.destinations\.the desk: expected letters, digits.*, found "the desk"\. Choose another name/,
    ],
  ])('%s: where, and what to do', (_what, entry, expected) => {
    const found = problems(`transfer:\n  destinations:\n    ${entry}\n`)
    expect(found.join('\n')).toMatch(expected)
    expect(found.length).toBe(1)
  })

  test.each(['__proto__', 'constructor', 'prototype'])('are not called %s, which would be dropped', (name) => {
    const cure = 'this name belongs to the language that the engine is written in. Choose another name.'
    for (const group of ['pipelines', 'agents']) {
      expect(problems(`${group}:\n  a: {}\n  ${name}: {}\n`)).toEqual([`x.yaml:3:3: ${group}.${name}: ${cure}`])
    }
    for (const [group, inner] of [
      ['prices', 'providers'],
      ['transfer', 'destinations'],
    ]) {
      expect(problems(`${group}:\n  ${inner}:\n    "${name}": { nonsense: 1 }\n`)).toEqual([
        `x.yaml:3:5: ${group}.${inner}.${name}: ${cure}`,
      ])
    }
  })

  test('are so many at most: more agents than places', () => {
    const names = (count: number, entry: string) =>
      Array.from({ length: count }, (_, index) => `  a${index}: ${entry}\n`).join('')
    const places = (count: number) => `transfer:\n destinations:\n${names(count, '{ context: a, extension: s }')}`
    expect(problems(`agents:\n${names(256, '{}')}`)).toEqual([])
    expect(problems(`agents:\n${names(257, '{}')}`)).toEqual([
      'x.yaml:1:1: agents: more than 256 names stand here, and no more are taken.',
    ])
    expect(problems(places(64))).toEqual([])
    expect(problems(places(65)).join()).toMatch(/:2:2: transfer\.destinations: more than 64 names stand here/)
  })

  test('no names, or no group', () => {
    expect(problems('transfer:\n  destinations: [a]\n').join('\n')).toMatch(/destinations\.0: expected a group of keys/)
    expect(problems('transfer:\n  destinations: a\n').join('\n')).toMatch(/expected names, each with a group of keys/)
  })
})

test('a place in the dialplan is whole or not there', () => {
  expect(problems('on_failure: { context: a }\n').join('\n')).toMatch(/context and extension belong together/)
  expect(problems('on_failure: { context: a, extension: s }\n')).toEqual([])
})

test('a transfer without somewhere to go is a warning', () => {
  const loaded = load('providers: { openai_realtime: { tools: [transfer_call] } }\n')
  expect(loaded.ok && loaded.value.warnings.map(formatProblem).join('\n')).toMatch(
    /transfer\.destinations names no place/,
  )
})

test('a key of the telephone leads to one place', () => {
  const place = (name: string) => `    ${name}: { context: a, extension: b, key: "5" }\n`
  expect(problems(`transfer:\n  destinations:\n${place('one')}`)).toEqual([])
  expect(problems(`transfer:\n  destinations:\n${place('one')}${place('two')}`).join('\n')).toMatch(
    /x\.yaml:2:3: transfer\.destinations: two of transfer\.destinations have the key 5/,
  )
})
