import { expect, test } from 'bun:test'
import { editDistance, nearest } from '#config/suggest.ts'

test('edit distance, by hand', () => {
  expect(editDistance('', 'abc')).toBe(3)
  expect(editDistance('port', 'port')).toBe(0)
  expect(editDistance('prot', 'port')).toBe(1)
  expect(editDistance('kitten', 'sitting')).toBe(3)
})

test('a word near enough is meant, another is not', () => {
  const keys = ['min_ms', 'enabled', 'cooldown_ms', 'api_key_env']
  expect(nearest('enabeld', keys)).toBe('enabled')
  expect(nearest('cooldownMs', keys)).toBe('cooldown_ms')
  expect(nearest('Cooldown-ms', keys)).toBe('cooldown_ms')
  expect(nearest('api_key', keys)).toBe('api_key_env')
  expect(nearest('volume', keys)).toBeUndefined()
})
