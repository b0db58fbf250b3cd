import { describe, expect, test } from 'bun:test'
import { type Change, changesBetween } from '#config/changes.ts'
import { asNode, listKeys } from '#config/describe.ts'
import { loadConfiguration } from '#config/load.ts'
import { configurationSchema } from '#config/schema.ts'
import { growth } from '../../fakes/growth.ts'
import { vendors } from './vendors.ts'

const schema = configurationSchema(vendors)

function load(text: string, env: Readonly<Record<string, string>> = {}) {
  const loaded = loadConfiguration({ text, env, vendors })
  if (!loaded.ok) throw new Error(loaded.error.map(({ message }) => message).join('; '))
  return loaded.value
}

const formatChange = ({ key, from, to }: Change) => `${key}: ${from} -> ${to}`

const changes = (before: string, after: string) => changesBetween(load(before), load(after), schema)

describe('what differs between two configurations', () => {
  test('nothing, where only comments, order and what is default anyway differ', () => {
    expect(changes('vad:\n  threshold: 0.5\nlanguage: de', '# a word\nlanguage: "de"')).toEqual([])
  })

  test('each key with its old and new value', () => {
    const found = changes('', 'language: de\nturn_taking: {check_ins: [Hello?]}\nlimits: {calls: 7}')
    expect(found.map(formatChange)).toEqual([
      'language: "en" -> "de"',
      'turn_taking.check_ins: ["Are you still there?","Hello? I am afraid I cannot hear you."] -> ["Hello?"]',
      'limits.calls: 20 -> 7',
    ])
    expect(found.map(({ restart }) => restart)).toEqual([false, false, false])
  })

  test('names that come and go, each with what is under it', () => {
    const before = 'transfer: {destinations: {sales: {context: a, extension: "1"}}}'
    const after =
      'transfer: {destinations: {sales: {context: b, extension: "1"}, help: {context: c, extension: "2", key: "0"}}}'
    expect(changes(before, after).map(formatChange)).toEqual([
      'transfer.destinations.sales.context: "a" -> "b"',
      'transfer.destinations.help.context: absent -> "c"',
      'transfer.destinations.help.extension: absent -> "2"',
      'transfer.destinations.help.priority: absent -> 1',
      'transfer.destinations.help.description: absent -> ""',
      'transfer.destinations.help.key: absent -> "0"',
    ])
  })

  test('a value that becomes a group, and one that is taken out of a group', () => {
    const before = { configuration: { a: 'x', b: { c: 1, d: [{ e: 2 }] } }, fromEnvironment: [] }
    const after = { configuration: { a: { f: 3 }, b: { d: [{ e: 2 }] } }, fromEnvironment: [] }
    expect(changesBetween(before, after, schema).map(formatChange)).toEqual([
      'a: "x" -> absent',
      'b.c: 1 -> absent',
      'a.f: absent -> 3',
    ])
  })

  test('a long text is shortened', () => {
    const [change] = changes('', `llm: {prompt: ${'word '.repeat(100)}}`)
    expect(change?.to).toHaveLength(81)
    expect(change?.to.endsWith('…')).toBe(true)
  })

  test('keys that only a start can change say so, their own or those of their section', () => {
    const found = changes('', 'health: {port: 1}\naudiosocket: {port: 2, uuid_timeout_ms: 200}')
    expect(found.map(({ key, restart }) => [key, restart])).toEqual([
      ['audiosocket.port', true],
      ['audiosocket.uuid_timeout_ms', false],
      ['health.port', true],
    ])
  })
})

describe('what a change never shows', () => {
  const canary = 'canary-4711'

  test('a secret; that it has come or gone stays visible', () => {
    const before = load('')
    const after = load('', { ASTERISK_ARI_PASSWORD: canary })
    expect(changesBetween(before, after, schema)).toEqual([
      { key: 'asterisk.password', from: '""', to: '********', restart: true },
    ])
    expect(changesBetween(load('', { ASTERISK_ARI_PASSWORD: 'other' }), after, schema).map(formatChange)).toEqual([
      'asterisk.password: ******** -> ********',
    ])
  })

  test('what came out of a variable, whatever the key, also in a part of a list', () => {
    const text = 'llm: {prompt: "The code is ${CODE}."}\nturn_taking: {check_ins: ["${CODE}?"]}'
    const found = changesBetween(load(''), load(text, { CODE: canary }), schema)
    expect(found.map(({ key }) => key)).toEqual(['turn_taking.check_ins', 'llm.prompt'])
    expect(JSON.stringify(found)).not.toContain(canary)
    // Also the way back: what is gone was as secret.
    expect(JSON.stringify(changesBetween(load(text, { CODE: canary }), load(''), schema))).not.toContain(canary)
  })
})

test('headers are shown as secrets, since they may hold one', () => {
  const found = changes('', 'providers: {openai_realtime: {headers: ["x-key: canary-4711"]}}')
  expect(found.map(formatChange)).toEqual(['providers.openai_realtime.headers: [] -> ********'])
})

test('listening addresses, what is bound and what is opened once need a restart; the rest does not', () => {
  const restart = listKeys(asNode(schema)).filter((info) => info.restart && !info.isSection)
  const outside = restart
    .map(({ key }) => key)
    .filter((key) => !/^(asterisk|file_playback|records|models|health)\./.test(key))
  expect(outside).toEqual([
    'audiosocket.host',
    'audiosocket.port',
    'audiosocket.advertise_host',
    'audiosocket.format',
    'external_media.host',
    'external_media.ports',
    'external_media.port_min',
    'external_media.port_max',
    'external_media.format',
    'media_websocket.direction',
    'media_websocket.format',
    'media_websocket.client',
    'media_websocket.host',
    'media_websocket.port',
    'media_websocket.username',
    'media_websocket.password',
  ])
})

test('as many variables as keys: the time grows with their number, not its square', () => {
  const run = (count: number) => {
    const names = Array.from({ length: count }, (_, index) => `agent_${index}`)
    const of = (word: string) => ({
      configuration: { agents: Object.fromEntries(names.map((name) => [name, { greeting: word }])) },
      fromEnvironment: names.map((name) => `agents.${name}.greeting`),
    })
    const [before, after] = [of('a'), of('b')]
    return () => {
      const found = changesBetween(before, after, schema)
      expect(found.length).toBe(count)
      expect(new Set(found.flatMap(({ from, to }) => [from, to]))).toEqual(new Set(['********']))
    }
  }
  // Each key beside each variable would take a hundred times as long.
  expect(growth(run, 1000, 10_000)).toBeLessThan(40)
})
