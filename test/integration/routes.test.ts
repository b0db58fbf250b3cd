import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type Asterisk, startAsterisk } from '../bed/asterisk.ts'
import { engineCallFrom } from '../bed/conversation.ts'
import { BedEngine } from '../bed/engine.ts'
import { OpenAiCompatibleServer } from '../fakes/openai-compatible-server.ts'

// One engine behind several numbers: which agent answers, and what it is told, is decided by the dialplan and by YAML.

const dialplan = `[agent]
exten => 151,1,Set(PATCHCORD_DID=+4315550101)
 same => n,Goto(served,1)
exten => 152,1,Goto(lobby,152,1)
exten => 153,1,Set(PATCHCORD_PIPELINE=night)
 same => n,Set(PATCHCORD_GREETING=Good evening, dear (Mr) Smith: 100 % & more \${EXTEN}.)
 same => n,Goto(served,1)
exten => 154,1,Stasis(routes,agent=nobody)
 same => n,Log(NOTICE,back from nobody: PATCHCORD_RESULT=\${PATCHCORD_RESULT})
 same => n,Hangup()
exten => 155,1,Set(PATCHCORD_AGENT=echo)
 same => n,Stasis(routes,agent=shop,greeting=Welcome, dear guest)
 same => n,Hangup()
exten => served,1,Stasis(routes)
 same => n,Log(NOTICE,served: PATCHCORD_RESULT=\${PATCHCORD_RESULT})
 same => n,Hangup()
[lobby]
exten => _X.,1,Stasis(routes)
 same => n,Hangup()
`

let asterisk: Asterisk
let engine: BedEngine
let server: OpenAiCompatibleServer

beforeAll(async () => {
  asterisk = await startAsterisk({ configuration: { 'extensions.conf': dialplan } })
  server = new OpenAiCompatibleServer({ pieces: ['Yes.'] })
  const part = `{ provider: openai_compatible, base_url: "${server.baseUrl}", model: m }`
  const pipeline = `{ stt: ${part}, llm: ${part}, tts: ${part} }`
  engine = await BedEngine.start({
    asterisk: asterisk.ari,
    application: 'routes',
    provider: 'local',
    untilReady: false,
    yaml: `audio_transport: externalmedia
turn_taking: { stop: silence, start: vad }
pipelines:
  day: ${pipeline}
  night: ${pipeline}
agents:
  shop: { pipeline: day, greeting: This is the shop., voice: nova, tools: [terminate_call], dids: ["+43155501*"] }
  echo: { provider: loopback, contexts: [lobby] }
`,
  })
  const ready = async (name: string) => (await engine.health()).providers?.[name]?.ready === true
  await engine.until('ready', 30_000, async () => {
    const health = await engine.health()
    const detection = health.speech_detection as { ready: boolean } | undefined
    return health.ari_connected && detection?.ready === true && (await ready('day')) && (await ready('loopback'))
  })
}, 300_000)

afterAll(async () => {
  await engine?.stop()
  await server?.close()
  await asterisk?.stop()
})

/** A caller who says nothing and goes when told to; the record of their call. */
async function visit(extension: string, number: string, until: () => boolean) {
  const call = await asterisk.call({ extension, callerId: number, steps: [{ waitMs: 30_000 }] })
  const id = await engineCallFrom(engine, number)
  await engine.until('served', 10_000, () => engine.steps(id).includes('first_caller_audio') && until())
  await call.hangup()
  await call.ended
  const recordOf = () => engine.records().find((record) => record.call_id === id)
  await engine.until('recorded', 10_000, () => recordOf() !== undefined)
  return recordOf() ?? {}
}

async function givenBack(extension: string, words: string) {
  const call = await asterisk.call({ extension, callerId: '5550900', steps: [{ waitMs: 5000 }] })
  await engine.until(`back with ${words}`, 10_000, () => asterisk.logText().includes(words))
  await call.hangup()
  await call.ended
}

const greeted = (text: string) => () => server.speeches.some(({ input }) => input === text)

test('each number has its agent; the dialplan has the last word; the record says why', async () => {
  expect(await visit('151', '5550901', greeted('This is the shop.'))).toMatchObject({
    agent: 'shop',
    route: { rule: 'did', value: '+4315550101', pattern: '+43155501*' },
    provider: 'day',
    chosen_by: { provider: 'agent', greeting: 'agent', prompt: 'default', voice: 'agent' },
  })
  expect(await visit('152', '5550902', () => true)).toMatchObject({
    agent: 'echo',
    route: { rule: 'context', value: 'lobby', pattern: 'lobby' },
    provider: 'loopback',
  })
  // An argument wins over a variable, and a text may have commas.
  expect(await visit('155', '5550903', greeted('Welcome, dear guest'))).toMatchObject({
    agent: 'shop',
    route: { rule: 'argument', value: 'shop', pattern: null },
    chosen_by: { greeting: 'argument' },
  })
  expect(server.speeches.map(({ voice }) => voice)).toEqual(['nova', 'nova'])

  await givenBack('154', 'back from nobody: PATCHCORD_RESULT=unknown_agent')
  expect(engine.log.find(({ name }) => name === 'nobody')).toMatchObject({ known: 'shop, echo', origin: 'argument' })

  // A pipeline that no agent has is loaded by the first call that asks for it.
  expect((await engine.health()).providers?.night?.reason).toStartWith('not loaded')
  await givenBack('153', 'served: PATCHCORD_RESULT=not_ready')
  await engine.until('loaded', 10_000, async () => (await engine.health()).providers?.night?.ready === true)
  const greeting = 'Good evening, dear (Mr) Smith: 100 % & more 153.'
  expect(await visit('153', '5550904', greeted(greeting))).toMatchObject({
    agent: null,
    route: { rule: 'default', value: '', pattern: null },
    provider: 'night',
    chosen_by: { provider: 'variable', greeting: 'variable', language: 'default' },
  })
  expect(engine.log.filter(({ message }) => message.includes('variables of a call'))).toEqual([])
  await engine.untilIdle()
  await asterisk.untilQuiet()
}, 60_000)
