import { describe, expect, test } from 'bun:test'
import { loadConfiguration } from '#config/load.ts'
import { formatProblem } from '#config/problem.ts'
import { answeringName } from '#config/schema.ts'
import { vendors } from './vendors.ts'

const load = (text: string) => loadConfiguration({ file: 'x.yaml', text, env: { PART: 'deepgram' }, vendors })
const problems = (text: string) => {
  const loaded = load(text)
  return loaded.ok ? [] : loaded.error.map(formatProblem)
}
const warnings = (text: string) => {
  const loaded = load(text)
  return loaded.ok ? loaded.value.warnings.map(formatProblem).join('\n') : 'not loaded'
}
const inline = '{ provider: openai_compatible, base_url: http://127.0.0.1:9/v1 }'

describe('pipelines', () => {
  test('each role by a name, a list, or in place; what is left out is local', () => {
    const loaded = load(`active_pipeline: front
pipelines:
  front:
    stt: [deepgram, ${inline}, { provider: local, model: moonshine-base-en }]
    tts: { provider: deepgram, model: aura-2-orion-en }
    options: { language: de }
    tools: [terminate_call]
`)
    if (!loaded.ok) throw new Error(loaded.error.map(formatProblem).join('\n'))
    const { configuration } = loaded.value
    expect(answeringName(configuration)).toBe('front')
    const { front } = configuration.pipelines
    expect(front?.stt).toMatchObject([
      'deepgram',
      {
        provider: 'openai_compatible',
        base_url: 'http://127.0.0.1:9/v1',
        model: 'gpt-4o-mini-transcribe',
        timeout_ms: 6000,
      },
      { provider: 'local', model: 'moonshine-base-en' },
    ])
    expect(front).toMatchObject({
      llm: 'local',
      tts: { provider: 'deepgram', model: 'aura-2-orion-en', speed: 1, transport: 'websocket' },
      options: { language: 'de', reply_timeout_ms: 20_000, retry_after_ms: 30_000 },
      tools: ['terminate_call'],
    })
    expect(Object.isFrozen(front?.options)).toBeTrue()
  })

  test('values out of the environment are taken as anywhere else', () => {
    expect(problems('pipelines: { a: { stt: "${PART}", tts: ["${PART}", local] } }\n')).toEqual([])
  })

  test('without active_pipeline default_provider answers', () => {
    const loaded = load('')
    expect(loaded.ok && answeringName(loaded.value.configuration)).toBe('local')
  })

  const front = (role: string) => `pipelines:\n  front:\n    ${role}\n`
  test.each([
    [
      'a role that there is not',
      front('sst: local'),
      /x\.yaml:3:5: pipelines\.front\.sst: unknown key. Did you mean stt\?/,
    ],
    [
      'a vendor without that role',
      front('llm: deepgram'),
      /x\.yaml:3:5: pipelines\.front\.llm: deepgram has no llm: expected one of local, openai_compatible/,
    ],
    [
      'an agent',
      front('stt: openai_realtime'),
      /openai_realtime has no stt: expected one of local, deepgram, openai_comp/,
    ],
    ['a vendor that there is not', front('tts: depgram'), /3:5: pipelines\.front\.tts: .*Did you mean deepgram\?/],
    [
      'one in a list',
      front('tts: [local, nobody]'),
      /3:18: pipelines\.front\.tts\[2\]: expected one of local.*"nobody"/,
    ],
    ['one twice', front('tts: [local, local]'), /pipelines\.front\.tts\[2\]: local stands twice/],
    ['an empty list', front('stt: []'), /x\.yaml:3:5: pipelines\.front\.stt: the list is empty.*Name at least one/],
    ['a number', front('stt: 5'), /x\.yaml:3:10: pipelines\.front\.stt: .*found the number 5.*"5"/],
    ['nothing', front('stt:'), /pipelines\.front\.stt: .*found nothing/],
    [
      'a group without provider',
      front('stt: { model: x }'),
      /x\.yaml:3:\d+: pipelines\.front\.stt\.provider: .*local, deepgram/,
    ],
    [
      'a group with an agent',
      front('stt: { provider: loopback }'),
      /3:22: pipelines\.front\.stt\.provider: expected one of local, deepgram, openai_compatible, found the text "loopback"/,
    ],
    [
      'a group with a slip in it',
      front('stt: [local, { provider: deepgram, modle: nova-3 }]'),
      /x\.yaml:3:\d+: pipelines\.front\.stt\[2\]\.modle: unknown key. Did you mean model\?/,
    ],
    [
      'a value out of its bounds',
      front('tts: { provider: deepgram, speed: 9 }'),
      /pipelines\.front\.tts\.speed: expected a number from 0.7 to 1.5, found the number 9/,
    ],
    [
      'values that do not fit each other',
      front('stt: { provider: deepgram, eager_eot_threshold: 0.9 }'),
      /pipelines\.front\.stt: eager_eot_threshold must be 0/,
    ],
    [
      'a server without an address',
      front('stt: { provider: openai_compatible }'),
      /pipelines\.front\.stt.*found nothing/,
    ],
    [
      'a key in the place of its variable, which is not shown',
      front(`stt: ${inline.replace(' }', ', api_key_env: sk-12 }')}`),
      /api_key_env: expected the name of an environment variable, not the key itself, found another text \(not shown\)/,
    ],
    [
      'a key of a local model',
      front('llm: { provider: local, temperature: 1 }'),
      /llm\.temperature: unknown key. Known here: provider/,
    ],
    ['a tool that there is not', front('tools: [fly]'), /pipelines\.front\.tools\[1\]: expected one of terminate_call/],
    ['a name with a blank', 'pipelines: { "my own": {} }\n', /pipelines.*small letters, digits/],
    [
      'a name of a provider',
      'pipelines:\n  deepgram: { stt: local }\n',
      /x\.yaml:2:3: pipelines\.deepgram: deepgram is the name of a provider. Give the pipeline another name/,
    ],
    [
      'a provider that is switched off',
      'providers: { deepgram: { enabled: false } }\npipelines:\n  front: { tts: [deepgram, local] }\n',
      /x\.yaml:3:18: pipelines\.front\.tts\[1\]: it takes deepgram, but providers\.deepgram\.enabled is false/,
    ],
    [
      'an active pipeline that there is not',
      'active_pipeline: frnt\npipelines: { front: {} }\n',
      /x\.yaml:1:1: active_pipeline: no such pipeline.*there are front. Did you mean front\?/,
    ],
    ['one where there are none', 'active_pipeline: front\n', /active_pipeline: no such pipeline.*there are none/],
    [
      'a provider that is no agent',
      'default_provider: openai_compatible\n',
      /x\.yaml:1:1: default_provider: openai_compatible answers no calls by itself.*active_pipeline/,
    ],
  ])('%s: where, and what to do', (_what, text, expected) => {
    const found = problems(text)
    expect(found.join('\n')).toMatch(expected)
    expect(found.join('\n')).not.toMatch(/sk-12/)
    expect(found).toHaveLength(1)
  })

  test('several at once are told at once', () => {
    const text = `active_pipeline: frnt
pipelines:
  front:
    stt: [local, { provider: openai_compatible, model: x }, 5]
    llm: deepgram
    tts: []
    sst: local
  back:
    tts: depgram
`
    expect(problems(text).map((line) => line.split(': ').slice(0, 2).join(' '))).toEqual([
      'x.yaml:1:1 active_pipeline',
      'x.yaml:4:18 pipelines.front.stt[2].base_url',
      'x.yaml:4:61 pipelines.front.stt[3]',
      'x.yaml:5:5 pipelines.front.llm',
      'x.yaml:6:5 pipelines.front.tts',
      'x.yaml:7:5 pipelines.front.sst',
      'x.yaml:9:5 pipelines.back.tts',
    ])
  })

  test('tools that nobody can call, and a transfer without somewhere to go, are warnings', () => {
    expect(warnings('pipelines: { front: { tools: [terminate_call] } }\n')).toMatch(
      /built-in language model calls no tools/,
    )
    expect(warnings(`pipelines: { front: { llm: ${inline}, tools: [transfer_call] } }\n`)).toMatch(
      /transfer\.destinations names no place/,
    )
    expect(warnings(`pipelines: { front: { llm: ${inline}, tools: [terminate_call] } }\n`)).not.toMatch(/tools/)
  })
})
