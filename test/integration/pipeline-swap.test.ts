import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Asterisk, startAsterisk } from '../bed/asterisk.ts'
import { engineCallFrom } from '../bed/conversation.ts'
import { BedEngine } from '../bed/engine.ts'
import { type ReactiveCall, Telephones } from '../bed/reactive-caller.ts'
import { readSpeech, type Utterance } from '../bed/speech.ts'
import { readWav } from '../bed/wav-file.ts'
import { OpenAiCompatibleServer } from '../fakes/openai-compatible-server.ts'

// What a call that runs keeps, and what the next one has, while pipelines, servers, models, voices, greetings and the level
// of the log are changed in the file: as the servers see it that are asked, through a real Asterisk.

let asterisk: Asterisk
let telephones: Telephones
let engine: BedEngine
let sentence: Int16Array
const servers = ['one', 'two', 'three'].map((name) => new OpenAiCompatibleServer({ pieces: [`Here is ${name}.`] }))
const [first, second, third] = servers as [OpenAiCompatibleServer, OpenAiCompatibleServer, OpenAiCompatibleServer]

const pipeline = ({ baseUrl }: OpenAiCompatibleServer, model: string, voice: string) => {
  const where = `provider: openai_compatible, base_url: "${baseUrl}", api_key_env: ""`
  return `{ stt: { ${where} }, llm: { ${where}, model: ${model} }, tts: { ${where}, model: ${model}, voice: ${voice} } }`
}

beforeAll(async () => {
  sentence = (await readWav(((await readSpeech())[1] as Utterance).path)).samples
  asterisk = await startAsterisk({
    configuration: { 'extensions.conf': '[agent]\nexten => 160,1,Stasis(swap)\n same => n,Hangup()\n' },
  })
  telephones = new Telephones()
  engine = await BedEngine.start({
    asterisk: asterisk.ari,
    application: 'swap',
    pipeline: 'front',
    logLevel: 'info',
    yaml: `llm: { initial_greeting: Hello. }
turn_taking: { stop: silence, start: vad, check_in_after_ms: 0 }
pipelines:
  front: ${pipeline(first, 'small', 'alloy')}
  back: ${pipeline(second, 'small', 'alloy')}
`,
  })
}, 300_000)

afterAll(async () => {
  telephones?.close()
  await engine?.stop()
  await asterisk?.stop()
  for (const server of servers) await server.close()
})

const configuration = () => readFileSync(engine.configurationFile, 'utf8')

/** Saved as editors do it, and taken up: whether it was noticed or asked for. */
async function save(text: string, inForce: () => Promise<boolean>): Promise<void> {
  const draft = join(engine.folder, '.engine.yaml.swp')
  writeFileSync(draft, text)
  renameSync(draft, engine.configurationFile)
  const answer = await fetch(`${engine.httpUrl}/api/reload`, { method: 'POST' })
  expect(await answer.json()).toMatchObject({ problems: [] })
  await engine.until('in force', 10_000, inForce)
}

/** A caller who has been greeted. */
async function greeted(number: string): Promise<ReactiveCall & { readonly id: string }> {
  const line = await telephones.call(asterisk, { extension: '160', callerId: number })
  const id = await engineCallFrom(engine, number)
  await line.caller.waitForSpeech(8000)
  await line.caller.waitForQuiet(900)
  return { ...line, id }
}

async function asks({ caller }: ReactiveCall): Promise<void> {
  await caller.say(sentence)
  await caller.waitForSpeech(8000)
  await caller.waitForQuiet(600)
}

const asked = () => servers.map(({ requests }) => requests.length)
const spoken = ({ speeches }: OpenAiCompatibleServer) =>
  speeches.map(({ input, model, voice }) => `${model}, ${voice}: ${input}`)
const debugLines = () => engine.log.filter(({ level }) => level === 'debug').length

test('a call keeps its pipeline, server, model, voice and greeting to its end; the next has those of the file', async () => {
  const one = await greeted('5556001')
  await save(
    configuration().replace('active_pipeline: front', 'active_pipeline: back'),
    async () => (await engine.health()).default_provider === 'back',
  )
  const two = await greeted('5556002')
  await Promise.all([asks(two), asks(one)])
  expect(asked()).toEqual([1, 1, 0])
  expect(spoken(first)).toEqual(['small, alloy: Hello.', 'small, alloy: Here is one.'])
  expect(spoken(second)).toEqual(['small, alloy: Hello.', 'small, alloy: Here is two.'])

  expect(debugLines()).toBe(0)
  const changed = configuration()
    .replace(pipeline(second, 'small', 'alloy'), pipeline(third, 'large', 'verse'))
    .replace('initial_greeting: Hello.', 'initial_greeting: Good evening.')
    .replace('level: info', 'level: debug')
  await save(changed, async () => engine.log.some(({ key }) => key === 'logging.level'))
  const three = await greeted('5556003')
  await Promise.all([asks(three), asks(two), asks(one)])
  expect(asked()).toEqual([2, 2, 1])
  expect(spoken(third)).toEqual(['large, verse: Good evening.', 'large, verse: Here is three.'])
  expect(third.requests[0]?.body.model).toBe('large')
  expect(second.requests.every(({ body }) => body.model === 'small')).toBeTrue()
  // The log is the engine's: what is written of any call has the new level at once.
  expect(debugLines()).toBeGreaterThan(0)

  for (const { call } of [three, two, one]) {
    await call.hangup()
    await call.ended
  }
  await engine.untilIdle()
  const records = engine.records()
  const providerOf = (id: string) => records.find((record) => record.call_id === id)?.provider
  expect([one, two, three].map(({ id }) => providerOf(id))).toEqual(['front', 'back', 'back'])
  expect(records.map(({ cause, faults }) => [cause, faults])).toEqual(Array(3).fill(['caller', 0]))
  expect(servers.flatMap(({ problems }) => problems)).toEqual([])
  expect(await engine.metric('ai_agent_provider_sessions')).toBe(0)
}, 90_000)
