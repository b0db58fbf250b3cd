import { expect, test } from 'bun:test'
import { loadConfiguration } from '#config/load.ts'
import { type Environment, readSecret } from '#config/secrets.ts'
import { choicesFor, refusalOf } from '#providers/choice.ts'
import { vendorSchemas } from '#providers/schemas.ts'
import { secretsNamed } from '#providers/secret-names.ts'

function refusal(name: string, env: Environment = {}, text = 'providers: {deepgram: {enabled: false}}') {
  const loaded = loadConfiguration({ text, env, vendors: vendorSchemas })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error))
  const { configuration } = loaded.value
  return refusalOf(
    name,
    configuration,
    secretsNamed(configuration, (secret) => readSecret(secret, env)),
  )
}

test.each([
  ['loopback', {}, null],
  ['local', {}, null],
  ['loopbak', {}, 'no provider is called "loopbak". Did you mean loopback?'],
  ['x', {}, 'no provider is called "x". There are local, openai_realtime, deepgram, loopback.'],
  ['constructor', {}, 'no provider is called "constructor". There are local, openai_realtime, deepgram, loopback.'],
  ['deepgram', { DEEPGRAM_API_KEY: 'k' }, 'provider deepgram is not enabled. Set providers.deepgram.enabled to true.'],
  ['openai_realtime', { OPENAI_API_KEY: 'canary' }, null],
])('%s with %p: %p', (name, env, expected) => {
  expect(
    refusal(name, env as Environment, 'providers: {deepgram: {enabled: false}, openai_realtime: {enabled: true}}'),
  ).toBe(expected)
})

test('one without its key is told which variable is missing, and where it was named', () => {
  const text = 'providers: {openai_realtime: {enabled: true, api_key_env: MY_KEY}}'
  const said = refusal('openai_realtime', {}, text)
  expect(said).toContain('the environment variable MY_KEY (providers.openai_realtime.api_key_env) is not set')
  expect(refusal('openai_realtime', { MY_KEY: 'k' }, text)).toBeNull()
  expect(refusal('openai_realtime', {}, text.replace('MY_KEY', '""'))).toBeNull()
})

test('the key may be in a file; one that cannot be read is said', () => {
  const text = 'providers: {openai_realtime: {enabled: true}}'
  expect(refusal('openai_realtime', { OPENAI_API_KEY_FILE: '/nowhere' }, text)).toContain('cannot be read')
})

test('a name of any length is said in a few words', () => {
  expect((refusal('x'.repeat(5000)) ?? '').length).toBeLessThan(200)
})

const pipelines = `pipelines:
  cloud: { stt: deepgram, llm: { provider: openai_compatible, base_url: "http://a.example/v1", api_key_env: LLM_KEY } }
  either: { stt: [deepgram, local] }
`

test.each([
  ['cloud', { DEEPGRAM_API_KEY: 'k', LLM_KEY: 'k' }, null],
  [
    'cloud',
    { DEEPGRAM_API_KEY: 'k' },
    'pipeline cloud lacks its key: the environment variable LLM_KEY (pipelines.cloud.llm.api_key_env) is not set.',
  ],
  [
    'cloud',
    { LLM_KEY: 'k' },
    'pipeline cloud lacks its key: the environment variable DEEPGRAM_API_KEY (providers.deepgram.api_key_env) is not set.',
  ],
  ['either', {}, null],
  ['clout', {}, 'no provider is called "clout". Did you mean cloud?'],
  ['openai_compatible', {}, 'no provider is called "openai_compatible".'],
])('the pipeline %s with %p: %p', (name, env, expected) => {
  const said = refusal(name, env as Environment, `providers: { deepgram: { enabled: true } }\n${pipelines}`)
  if (expected === null) expect(said).toBeNull()
  else expect(said).toStartWith(expected)
})

test('a pipeline is chosen by its own key, which a provider that is chosen empties', () => {
  const choices = (name: string, text: string) => {
    const loaded = loadConfiguration({
      text: `providers: { deepgram: { enabled: true } }\n${pipelines}${text}`,
      env: {},
      vendors: vendorSchemas,
    })
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.error))
    return choicesFor(name, loaded.value.configuration).map(({ key, value }) => `${key}: ${value}`)
  }
  expect(choices('either', '')).toEqual(['active_pipeline: either'])
  expect(choices('local', '')).toEqual(['default_provider: local'])
  expect(choices('loopback', 'active_pipeline: cloud\n')).toEqual(['default_provider: loopback', 'active_pipeline: '])
})
