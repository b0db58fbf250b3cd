import { describe, expect, test } from 'bun:test'
import { loadConfiguration } from '#config/load.ts'
import { namesInUse, offerOf } from '#config/offer.ts'
import { formatProblem } from '#config/problem.ts'
import { vendors } from './vendors.ts'

const env = { ASTERISK_ARI_PASSWORD: 'x' }
const load = (text: string) => loadConfiguration({ file: 'x.yaml', text, env, vendors })
const problems = (text: string) => {
  const loaded = load(text)
  return (loaded.ok ? loaded.value.warnings : loaded.error).map(formatProblem)
}
const agent = (...lines: string[]) => `agents:\n  a:\n    ${lines.join('\n    ')}\n`
const pipelines = `pipelines:
  cloud: { tts: openai_compatible }
  mixed: { tts: [openai_compatible, local] }
  two: { tts: [openai_compatible, deepgram] }
  german: { options: { language: de } }
`

describe('agents', () => {
  test('say what they are given, and which calls are theirs; all of it may be left out', () => {
    const loaded = load(`${pipelines}${agent('pipeline: cloud', 'voice: nova', 'dids: ["+43*"]')}  b: {}\n`)
    if (!loaded.ok) throw new Error(loaded.error.map(formatProblem).join('\n'))
    const { configuration } = loaded.value
    const offer = offerOf(configuration, vendors)
    const nothing = { greeting: null, prompt: null, voice: null, language: null, provider: null, tools: null }
    const nobody = { callers: [], dids: [], extensions: [], contexts: [] }
    expect(offer).toMatchObject({
      agents: {
        a: { ...nothing, ...nobody, provider: 'cloud', voice: 'nova', dids: ['+43*'] },
        b: { ...nothing, ...nobody },
      },
      providers: ['local', 'openai_realtime', 'deepgram', 'loopback'],
      pipelines: ['cloud', 'mixed', 'two', 'german'],
      provider: 'local',
      language: 'en',
    })
    expect(namesInUse(configuration)).toEqual(['local', 'cloud'])
  })

  test('a provider that is not enabled is not on offer', () => {
    const loaded = load('providers: { deepgram: { enabled: false } }\n')
    expect(loaded.ok && offerOf(loaded.value.configuration, vendors).providers).not.toContain('deepgram')
  })

  test.each([['provider: openai_realtime'], ['pipeline: cloud']])('%s takes a voice per call', (speaker) => {
    expect(problems(agent(speaker, 'voice: nova') + pipelines)).toEqual([])
  })

  const wrong: [string, string, string][] = [
    [
      'a provider that there is not',
      agent('provider: lokal'),
      'x.yaml:3:5: agents.a.provider: expected one of local, openai_realtime, deepgram, loopback, found the text "lokal". Did you mean local?',
    ],
    [
      'a provider of parts only',
      agent('provider: openai_compatible'),
      'x.yaml:3:5: agents.a.provider: expected one of local, openai_realtime, deepgram, loopback, found the text "openai_compatible". Name a provider that this version has.',
    ],
    [
      'a pipeline as a provider',
      agent('provider: cloud') + pipelines,
      'x.yaml:3:5: agents.a.provider: expected one of local, openai_realtime, deepgram, loopback, found the text "cloud". cloud is a pipeline: write pipeline: cloud.',
    ],
    [
      'a provider that is not enabled',
      `${agent('provider: deepgram')}providers: { deepgram: { enabled: false } }\n`,
      'x.yaml:3:5: agents.a.provider: deepgram answers here, but providers.deepgram.enabled is false. Enable it.',
    ],
    [
      'a pipeline that there is not',
      agent('pipeline: clowd') + pipelines,
      'x.yaml:3:5: agents.a.pipeline: no such pipeline is written under pipelines; there are cloud, mixed, two, german. Did you mean cloud?',
    ],
    [
      'both',
      agent('provider: local', 'pipeline: cloud') + pipelines,
      'x.yaml:4:5: agents.a.pipeline: provider and pipeline are both named, and one of them answers. Keep one.',
    ],
    [
      'tools of a provider that has its own',
      agent('provider: deepgram', 'tools: [terminate_call]'),
      'x.yaml:4:5: agents.a.tools: deepgram takes no tools per call: only a pipeline does. Name them in its section of providers, or let a pipeline answer.',
    ],
    [
      'a voice of a provider that has its own',
      agent('voice: nova'),
      'x.yaml:3:5: agents.a.voice: local takes no voice per call: only openai_realtime does, and a pipeline whose tts is deepgram or openai_compatible alone. Set its voice in its section of providers, or let another answer.',
    ],
    [
      'a voice of a pipeline of which one part has its own',
      agent('pipeline: mixed', 'voice: nova') + pipelines,
      'x.yaml:4:5: agents.a.voice: mixed takes no voice per call: only openai_realtime does, and a pipeline whose tts is deepgram or openai_compatible alone. Set the voice in its tts, or write another pipeline.',
    ],
    [
      'a voice of a pipeline whose parts have other voices each',
      agent('pipeline: two', 'voice: nova') + pipelines,
      'x.yaml:4:5: agents.a.voice: two takes no voice per call: only openai_realtime does, and a pipeline whose tts is deepgram or openai_compatible alone. Set the voice in its tts, or write another pipeline.',
    ],
    [
      'a language that the pipeline does not listen to',
      agent('pipeline: german', 'language: en') + pipelines,
      'x.yaml:4:5: agents.a.language: pipelines.german.options.language (de) is told to its parts instead. Take one of the two out.',
    ],
    [
      'a call that another has as well',
      `${agent('dids: ["+431", "+432"]')}  b:\n    dids: ["+432"]\n    extensions: ["+431"]\n`,
      'x.yaml:5:12: agents.b.dids[1]: +432 is claimed by agents.a as well. Take it out in one place.',
    ],
    [
      'a caller twice',
      agent('callers: ["1*", "2", "1*"]'),
      'x.yaml:3:26: agents.a.callers[3]: 1* stands twice in this list. Take it out in one place.',
    ],
    [
      'a star that is not at the end',
      agent('callers: ["1*2"]'),
      'x.yaml:3:15: agents.a.callers[1]: expected a value of at most 79 characters without spaces, or its beginning with * at the end, found the text "1*2".',
    ],
    [
      'a place to send callers to that is nowhere',
      agent('pipeline: cloud', 'tools: [transfer_call]') + pipelines,
      'x.yaml:4:5: agents.a.tools: transfer_call is among the tools, and transfer.destinations names no place. Name one, or take transfer_call out: without one the model is not told of it.',
    ],
  ]
  test.each(wrong)('%s', (_name, text, expected) => {
    expect(problems(text)).toContain(expected)
  })
})
