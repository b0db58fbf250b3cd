import { describe, expect, test } from 'bun:test'
import { silentLog } from '#base/log.ts'
import { seededRandom } from '#base/random.ts'
import { loadConfiguration } from '#config/load.ts'
import { planProviders } from '#providers/index.ts'
import { vendorSchemas } from '#providers/schemas.ts'
import { ManualClock } from '../../fakes/manual-clock.ts'

const plans = (text: string, env: Readonly<Record<string, string>> = {}) => {
  const loaded = loadConfiguration({ text, env, vendors: vendorSchemas })
  if (!loaded.ok) throw new Error(loaded.error.map(({ message }) => message).join('; '))
  const { configuration } = loaded.value
  return planProviders({
    configuration,
    env,
    secrets: env,
    log: silentLog,
    clock: new ManualClock(),
    random: seededRandom(1),
  })
}

/** The providers that are another after it than before. */
function changed(text: string, env: Readonly<Record<string, string>> = {}, before = ''): string[] {
  const old = plans(before)
  return Object.entries(plans(text, env)).flatMap(([name, plan]) =>
    plan.fingerprint === old[name]?.fingerprint ? [] : [name],
  )
}

describe('what makes a provider another one', () => {
  const cases: [string, string, string[]][] = [
    ['nothing', '', []],
    ['what calls are given', 'language: de\nlimits: {calls: 3}\nvad: {threshold: 0.6}', []],
    ['its own section', 'providers: {loopback: {delay_ms: 1}}', ['loopback']],
    ['the prompt, for the built-in model alone', 'llm: {prompt: Be brief.}', ['local']],
    ['phrases that are recorded', 'llm: {initial_greeting: Good day.}', ['local', 'openai_realtime', 'deepgram']],
    ['the local voice', 'providers: {local: {tts: {speed: 1.5}}}', ['local', 'openai_realtime', 'deepgram']],
    [
      'places to transfer to, for those that have tools',
      'transfer: {destinations: {a: {context: b, extension: "1"}}}',
      ['openai_realtime', 'deepgram'],
    ],
    ['who breaks a reply off', 'barge_in: {confirm: false}', ['openai_realtime']],
    ['the rates of legs', 'audiosocket: {format: slin16}', ['local', 'openai_realtime', 'deepgram']],
    ['where models lie', 'models: {dir: /nowhere}', ['local', 'openai_realtime', 'deepgram', 'loopback']],
  ]
  test.each(cases)('%s', (_name, text, expected) => {
    expect(changed(text)).toEqual(expected)
  })

  test('the prompt is none of a model elsewhere', () => {
    const elsewhere = 'providers: {local: {llm: {base_url: "http://127.0.0.1:1/v1"}}}'
    expect(changed(`${elsewhere}\nllm: {prompt: Be brief.}`, {}, elsewhere)).toEqual([])
  })

  const deepgramThink =
    'providers: {deepgram: {think: {endpoint_url: "https://llm.example", endpoint_headers: ["authorization: Bearer $LLM_KEY"]}}}'
  const secrets: [string, string, string, string[]][] = [
    ['OPENAI_API_KEY', '', 'one', ['openai_realtime']],
    ['DEEPGRAM_API_KEY', '', 'one', ['deepgram']],
    ['LLM_KEY', deepgramThink, 'one', ['deepgram']],
    ['AWS_ACCESS_KEY_ID', 'providers: {deepgram: {think: {aws_region: eu-west-1}}}', 'one', ['deepgram']],
    ['SOMETHING_ELSE', '', 'one', []],
  ]
  test.each(secrets)('the secret %s', (name, text, value, expected) => {
    expect(changed(text, { [name]: value }, text)).toEqual(expected)
    const fingerprints = Object.values(plans(text, { [name]: 'canary-4711' })).map(({ fingerprint }) => fingerprint)
    expect(fingerprints.join()).not.toContain('canary')
  })
})

test('a provider that is not enabled has no plan; the others are made under their names and have started nothing', async () => {
  const made = Object.entries(plans('providers: {deepgram: {enabled: false}}')).map(
    ([name, plan]) => [name, plan.make()] as const,
  )
  expect(made.map(([name, provider]) => [name, provider.name])).toEqual([
    ['local', 'local'],
    ['openai_realtime', 'openai_realtime'],
    ['loopback', 'loopback'],
  ])
  await Promise.all(made.map(([, provider]) => provider.close()))
})
