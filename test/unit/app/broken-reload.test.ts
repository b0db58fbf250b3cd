import { describe, expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { FakeGenerations } from '../../fakes/generations.ts'

/**
 * Files that a running engine must not take up: those of which `broken-files.test.ts` tells what a person would answer, and
 * those that are met while somebody works on one: saved too early, with a slip in a group of their own, with a name that
 * leads nowhere. Each is refused with its line and its cure, and the next call has what it would have had.
 */
const folder = join(import.meta.dir, '../../fixtures/config')
const before = 'default_provider: loopback\n'

/** What was written under it, where the problem is, and what must be said of it. */
const table: Readonly<Record<string, readonly [text: string, place: string, cure: RegExp]>> = {
  'saved in the middle of a quoted text': [
    'llm:\n  initial_greeting: "Hello',
    '3:21',
    /quote that opens here.*Close it/,
  ],
  'saved in the middle of a group in braces': ['llm: {initial_greeting: Hello', '2:30', /not closed.*Close it with }/],
  'saved in the middle of a list in brackets': [
    'audiosocket:\n  allow: [loopback,',
    '3:20',
    /not closed.*Close it with \]/,
  ],
  'saved in the middle of a key': ['vad:\n  thres', '3:3', /vad: expected a group of keys/],
  'saved in the middle of a key behind another': ['llm:\n  prompt: Be kind.\n  initial_gre', '4:3', /Is a colon/],
  'saved in the middle of a name': [
    'active_pipeline: fro\npipelines: {front: {}}',
    '2:1',
    /there are front\. Write it/,
  ],

  'a key twice': ['vad:\n  threshold: 0.5\n  threshold: 0.6', '4:3', /threshold: .*twice.*Keep one/],
  'a section twice': ['llm: {}\nvad: {}\nllm: {}', '4:1', /llm: .*twice.*Keep one/],
  'an agent twice': ['agents:\n  one: {}\n  one: {}', '4:3', /one: .*twice.*Keep one/],

  'an alias without an anchor': ['llm:\n  prompt: *nobody', '3:11', /anchor &nobody.*Write &nobody before/],
  'an alias before its anchor': ['llm:\n  apology: *words\n  prompt: &words Hm.', '3:12', /anchor &words/],
  'an anchor that holds itself': ['agents: &all\n  one: *all', '3:8', /\*all stands inside.*Write the value out/],

  'a key of a place that is misspelt': [
    'transfer:\n  destinations:\n    desk: {context: a, extension: b, prioritty: 2}',
    '4:38',
    /destinations\.desk\.prioritty.*Did you mean priority\?/,
  ],
  'a key of an agent that is misspelt': [
    'agents:\n  one:\n    greting: Hello.',
    '4:5',
    /agents\.one\.greting.*Did you mean greeting\?/,
  ],
  'an option of a pipeline that is misspelt': [
    'pipelines:\n  one:\n    options:\n      languag: de',
    '5:7',
    /options\.languag.*Did you mean language\?/,
  ],
  'a key of a part in place that is misspelt': [
    'pipelines:\n  one:\n    stt:\n      provider: deepgram\n      modle: nova-3',
    '6:7',
    /stt\.modle.*Did you mean model\?/,
  ],
  'a price that is misspelt': [
    'prices:\n  providers:\n    loopback: {per_minut: 1}',
    '4:16',
    /loopback\.per_minut.*Did you mean per_minute\?/,
  ],

  'a text where an option of a pipeline is a number': [
    'pipelines:\n  one:\n    options: {reply_timeout_ms: 2 s}',
    '4:33',
    /number alone, in ms: 2000/,
  ],
  'a number where a called number is a text': ['agents:\n  one: {dids: [4711]}', '3:16', /quotes.*"4711"/],
  'a text where the tools of an agent are a list': [
    'agents:\n  one: {pipeline: two, tools: transfer_call}\npipelines: {two: {}}',
    '3:31',
    /Write a list: \[transfer_call\]/,
  ],
  'a list where agents have names': ['agents:\n  - one', '2:1', /letters, digits/],

  'an unknown provider in a list': [
    'pipelines:\n  one:\n    stt: [deepgram, lokal]',
    '4:21',
    /stt\[2\].*Did you mean local\?/,
  ],
  'an unknown provider of a part in a list': [
    'pipelines:\n  one:\n    tts:\n      - deepgram\n      - provider: openai_compatble',
    '6:19',
    /tts\[2\]\.provider.*Did you mean openai_compatible\?/,
  ],
  'a provider twice in a list': ['pipelines:\n  one:\n    stt: [local, local]', '4:18', /twice.*Take one out/],
  'a list without anybody': ['pipelines:\n  one:\n    stt: []', '4:5', /empty.*Name at least one/],
  'a provider without the role': ['pipelines:\n  one:\n    llm: deepgram', '4:5', /no llm.*local, openai_compatible/],
  'an agent of a provider that there is not': ['agents:\n  one: {provider: lopback}', '3:9', /Did you mean loopback\?/],
  'an agent of a pipeline that there is not': [
    'agents:\n  one: {pipeline: front}\npipelines: {back: {}}',
    '3:9',
    /there are back\. Write it, or name another/,
  ],
  'an agent of both': [
    'agents:\n  one: {provider: loopback, pipeline: two}\npipelines: {two: {}}',
    '3:29',
    /one of them answers\. Keep one/,
  ],
  'a number that leads to two agents': [
    'agents:\n  one: {dids: ["4711"]}\n  two: {dids: ["4711"]}',
    '4:16',
    /agents\.two\.dids.*claimed by agents\.one.*Take it out/,
  ],
  'a fallback that there is not': [
    'limits: {provider_minutes_per_day: 1, fallback_provider: lopback}',
    '2:39',
    /Did you mean loopback\?/,
  ],
  'a price of nobody': ['prices: {providers: {loopbak: {per_call: 1}}}', '2:10', /loopbak.*Did you mean loopback\?/],
}

/** @returns what is said of it */
async function refused(text: string): Promise<readonly string[]> {
  const all = new FakeGenerations(before)
  const { current } = all
  const running = all.call()
  all.text = text
  const answer = await all.reloader.reload('file')
  expect(answer.outcome).toBe('refused')
  expect([all.current === current, all.agents.filter(({ starts }) => starts > 0).length]).toEqual([true, 1])
  expect([typeof running, typeof all.call()]).toEqual(['object', 'object'])
  const said = all.lines.filter(({ message }) => message === 'configuration refused').map(({ fields }) => fields.why)
  const problems = answer.outcome === 'refused' ? answer.problems : []
  expect(said).toEqual([...problems])
  return problems
}

describe('a reload of a file that is broken is refused with line and cure, and nothing of it is in force', () => {
  for (const [what, [text, place, cure]] of Object.entries(table)) {
    test(what, async () => {
      const problems = await refused(`${before}${text}`)
      expect(problems.length).toBe(1)
      expect(problems[0]).toStartWith(`a.yaml:${place}: `)
      expect(problems[0]).toMatch(cure)
    })
  }

  for (const file of readdirSync(folder)) {
    test(file, async () => {
      for (const problem of await refused(await Bun.file(join(folder, file)).text()))
        expect(problem).toMatch(/^a\.yaml:\d+:\d+: .+\. ?.*[.?]$/)
    })
  }
})
