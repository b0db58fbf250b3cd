import { describe, expect, test } from 'bun:test'
import { effectiveValues } from '#config/effective.ts'
import { loadConfiguration } from '#config/load.ts'
import { originFinder } from '#config/origins.ts'
import { formatProblem } from '#config/problem.ts'
import { configurationSchema } from '#config/schema.ts'
import type { Environment } from '#config/secrets.ts'
import { vendorSchemas } from '#providers/schemas.ts'
import { growth } from '../../fakes/growth.ts'

function effective(text: string, env: Environment = {}, commandLine: Readonly<Record<string, string>> = {}) {
  const loaded = loadConfiguration({ text, env, vendors: vendorSchemas })
  if (!loaded.ok) throw new Error(loaded.error.map(formatProblem).join('\n'))
  const { value } = loaded
  const values = effectiveValues(value, value.origins, commandLine, configurationSchema(vendorSchemas))
  const of = (key: string) => values.find((each) => each.key === key)
  return { values, of }
}

describe('what is in force, and where each value comes from', () => {
  test('the default, the file with its line, a variable with its name', () => {
    const { of } = effective(
      [
        '# a comment',
        'asterisk: {app_name: "x${STAGE}"}',
        'language: de',
        'vad:',
        '  threshold: 0.4',
        'audiosocket:',
        '  allow: [loopback, "${NEIGHBOUR}"]',
        'barge_in:',
      ].join('\n'),
      { STAGE: 'canary', ASTERISK_HOST: 'pbx.canary', NEIGHBOUR: '10.0.0.1' },
    )
    expect(of('language')).toEqual({
      key: 'language',
      value: 'de',
      origin: { source: 'file', line: 3 },
      restart: false,
    })
    expect(of('vad.threshold')).toMatchObject({ value: 0.4, origin: { source: 'file', line: 5 } })
    expect(of('barge_in.enabled')).toMatchObject({ value: true, origin: { source: 'default' } })
    expect(of('asterisk.host')).toMatchObject({
      value: '********',
      origin: { source: 'environment', variables: ['ASTERISK_HOST'], line: null },
      restart: true,
    })
    expect(of('asterisk.app_name')?.origin).toEqual({ source: 'environment', variables: ['STAGE'], line: 2 })
    expect(of('audiosocket.allow')).toMatchObject({
      value: '********',
      origin: { source: 'environment', variables: ['NEIGHBOUR'], line: 7 },
    })
  })

  test('an option of the command line stands over the file', () => {
    const { of } = effective('default_provider: local', {}, { default_provider: '--provider' })
    expect(of('default_provider')?.origin).toEqual({ source: 'command_line', option: '--provider' })
  })

  test('an alias has its line, and a list is one value', () => {
    const { of } = effective(
      'llm:\n  prompt: &words Hello\n  initial_greeting: *words\nturn_taking: {check_ins: [a, b]}',
    )
    expect(of('llm.initial_greeting')).toMatchObject({ value: 'Hello', origin: { source: 'file', line: 3 } })
    expect(of('turn_taking.check_ins')).toMatchObject({ value: ['a', 'b'], origin: { source: 'file', line: 4 } })
  })

  test('every key of an annotated file comes from it, and of an empty one from the defaults', () => {
    const sources = new Set(effective('').values.map(({ origin }) => origin.source))
    expect([...sources]).toEqual(['default'])
  })

  test('no secret is in it: passwords, keys, tokens in headers and in addresses', () => {
    const { values, of } = effective(
      [
        'asterisk: {password: "${ARI}"}',
        'providers:',
        '  deepgram:',
        '    think:',
        '      endpoint_url: https://llm.example.com/v1',
        '      endpoint_headers: ["x-key: canary-in-file", "authorization: Bearer $LLM_KEY"]',
      ].join('\n'),
      {
        ARI: 'canary-ari',
        LLM_KEY: 'canary-llm',
        MEDIA_WEBSOCKET_PASSWORD: 'canary-media',
        DEEPGRAM_API_KEY: 'canary-dg',
      },
    )
    expect(JSON.stringify(values)).not.toContain('canary')
    expect(of('asterisk.password')?.value).toBe('********')
    expect(of('providers.deepgram.think.endpoint_headers')?.value).toBe('********')
    expect(of('providers.deepgram.speak.endpoint_headers')?.value).toEqual([])
  })
})

test('as many variables as keys: the time grows with their number, not its square; those of a list are the list’s', () => {
  const run = (count: number) => {
    const keys = Array.from({ length: count }, (_, index) => `agents.agent_${index}.tools`)
    const lines = Object.fromEntries(keys.map((key, index) => [key, index + 1]))
    const variables = Object.fromEntries(
      keys.flatMap((key) => [[`${key}[1]`, ['A', 'B']] as const, [`${key}[2]`, ['A']]]),
    )
    return () => {
      const originOf = originFinder({ lines, variables })
      expect(keys.map(originOf)[6]).toEqual({ source: 'environment', variables: ['A', 'B'], line: 7 })
      expect([originOf('agents.agent_1'), originOf('constructor')]).toEqual([
        { source: 'default' },
        { source: 'default' },
      ])
    }
  }
  // Each key beside each variable would take a hundred times as long.
  expect(growth(run, 1000, 10_000)).toBeLessThan(40)
})
