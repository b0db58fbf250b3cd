import { describe, expect, test } from 'bun:test'
import { crossChecks } from '#config/cross-checks.ts'
import { asNode, listKeys } from '#config/describe.ts'
import { advertised, isAllowedPeer, isLoopback, isWildcard } from '#config/hosts.ts'
import { loadConfiguration } from '#config/load.ts'
import { configurationSchema } from '#config/schema.ts'
import { vendors } from './vendors.ts'

function keysOf(text: string): { errors: string[]; warnings: string[] } {
  const loaded = loadConfiguration({ text, env: { ASTERISK_ARI_PASSWORD: 'x' }, vendors })
  if (!loaded.ok) return { errors: loaded.error.map(({ key }) => key), warnings: [] }
  return { errors: [], warnings: loaded.value.warnings.map(({ key }) => key) }
}

describe('values that are impossible together', () => {
  test.each([
    ['vad: { end_silence_ms: 192 }', 'vad.end_silence_ms'],
    ['vad: { max_turn_ms: 2000, end_silence_ms: 1990, min_speech_ms: 32 }', 'vad.max_turn_ms'],
    ['limits: { call_seconds: 20 }', 'limits.call_seconds'],
    ['barge_in: { min_ms: 95 }', 'barge_in.min_ms'],
    ['default_provider: robot', 'default_provider'],
    ['providers: { local: { enabled: false } }', 'default_provider'],
    ['prices: { providers: { deepgrm: { per_minute: 0.1 } } }', 'prices.providers'],
    ['limits: { machine_talk_turns: 3 }', 'limits.machine_talk_turns'],
    ['limits: { provider_minutes_per_day: 9, fallback_provider: locl }', 'limits.fallback_provider'],
    ['limits: { provider_minutes_per_day: 9, fallback_provider: local }', 'limits.fallback_provider'],
    [
      'limits: { provider_minutes_per_day: 9, fallback_provider: loopback }\nproviders: { loopback: { enabled: false } }',
      'limits.fallback_provider',
    ],
  ])('%s', (text, key) => {
    expect(keysOf(text)).toEqual({ errors: [key], warnings: [] })
  })

  test.each([
    ['vad: { end_silence_ms: 193 }'],
    ['barge_in: { min_ms: 96 }'],
    ['barge_in: { min_ms: 95, enabled: false }'],
    ['default_provider: loopback\nproviders: { local: { enabled: false } }'],
    ['prices: { currency: EUR, providers: { local: {}, loopback: { per_call: 0.5 } } }'],
    ['limits: { machine_talk_turns: 0 }'],
    ['limits: { machine_talk_turns: 4 }'],
    ['limits: { provider_minutes_per_day: 9, fallback_provider: loopback }'],
  ])('%s is possible', (text) => {
    expect(keysOf(text)).toEqual({ errors: [], warnings: [] })
  })

  test('an Asterisk elsewhere cannot reach an engine that listens on loopback: a warning', () => {
    expect(keysOf('asterisk: { host: pbx.example }').warnings).toEqual(['audiosocket.advertise_host'])
    expect(
      keysOf('asterisk: { host: pbx.example }\naudiosocket: { host: 0.0.0.0, advertise_host: 10.0.0.5 }').warnings,
    ).toEqual([])
  })

  test('somebody to fall back to, without a limit that would lead there: a warning', () => {
    expect(keysOf('limits: { fallback_provider: loopback }').warnings).toEqual(['limits.fallback_provider'])
  })

  test('every key that a check names is a key of the schema', () => {
    const known = new Set(listKeys(asNode(configurationSchema(vendors))).map(({ key }) => key))
    expect(crossChecks.flatMap(({ keys }) => keys).filter((key) => !known.has(key))).toEqual([])
  })
})

test('the address that Asterisk is told', () => {
  const told = (audiosocket: string) => {
    const loaded = loadConfiguration({ text: `audiosocket: {${audiosocket}}`, env: {}, vendors })
    return loaded.ok ? advertised(loaded.value.configuration.audiosocket) : 'refused'
  }
  expect(told('')).toBe('127.0.0.1')
  expect(told('host: 10.0.0.5')).toBe('10.0.0.5')
  expect(told('host: 0.0.0.0')).toBe('127.0.0.1')
  expect(told('host: "::"')).toBe('127.0.0.1')
  expect(told('host: 0.0.0.0, advertise_host: engine.example')).toBe('engine.example')
})

test('addresses', () => {
  expect(['0.0.0.0', '::', '0:0:0:0:0:0:0:0'].every(isWildcard)).toBe(true)
  expect(['10.0.0.0', '::1', 'localhost'].some(isWildcard)).toBe(false)
  expect(['127.0.0.1', '127.9.9.9', '::1', 'localhost'].every(isLoopback)).toBe(true)
  expect(['128.0.0.1', '127.example'].some(isLoopback)).toBe(false)
  expect(['loopback', 'asterisk', '10.0.0.1', '10.0.0.0/8', '::1', 'fd00::/8'].every(isAllowedPeer)).toBe(true)
  expect(
    ['', 'pbx.example', '10.0.0.0/33', '10.0.0/8', '::1/129', '10.0.0.0/8/8', '10.0.0.0/'].some(isAllowedPeer),
  ).toBe(false)
})
