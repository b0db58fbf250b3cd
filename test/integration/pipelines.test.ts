import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Asterisk, startAsterisk } from '../bed/asterisk.ts'
import { engineCallFrom } from '../bed/conversation.ts'
import { BedEngine } from '../bed/engine.ts'
import { Telephones } from '../bed/reactive-caller.ts'
import { readSpeech, type Utterance } from '../bed/speech.ts'
import { audibleStretches } from '../bed/wav-analysis.ts'
import { readWav } from '../bed/wav-file.ts'
import { voiceOf } from '../fakes/openai-compatible-audio.ts'
import { OpenAiCompatibleServer, type Script } from '../fakes/openai-compatible-server.ts'

// Pipelines that are written in YAML and nowhere else, through a real Asterisk, over SIP and RTP: all three roles are servers
// with OpenAI-compatible HTTP.

interface Turn {
  readonly outcome: string
  readonly caller_text: string
  readonly agent_text: string
}

const said = ['What time does it open?', 'Thank you, goodbye.']
const farewell = 'You are welcome. Have a very pleasant day, and goodbye.'

/** Answers the first turn, and ends the call with the second. */
const clerk: Script = (_request, index) =>
  index === 0
    ? { pieces: ['It opens ', 'at nine.'] }
    : { pieces: [farewell], calls: [{ name: 'terminate_call', arguments: '{"reason":"done"}' }] }

let asterisk: Asterisk
let telephones: Telephones
let sentences: Int16Array[]

beforeAll(async () => {
  const spoken = await readSpeech()
  sentences = await Promise.all([1, 5].map(async (index) => (await readWav((spoken[index] as Utterance).path)).samples))
  asterisk = await startAsterisk({
    configuration: { 'extensions.conf': '[agent]\nexten => 150,1,Stasis(pipelines)\n same => n,Hangup()\n' },
  })
  telephones = new Telephones()
}, 300_000)

afterAll(async () => {
  telephones?.close()
  await asterisk?.stop()
})

interface Part {
  readonly role: 'stt' | 'llm' | 'tts'
  readonly servers: readonly OpenAiCompatibleServer[]
}

/** A pipeline in YAML; each role one server, or a list of them. */
function pipelineYaml(parts: readonly Part[]): string {
  const entry = ({ baseUrl }: OpenAiCompatibleServer) =>
    `{ provider: openai_compatible, base_url: "${baseUrl}", model: m, api_key_env: BED_KEY }`
  const roles = parts.map(({ role, servers }) => {
    const entries = servers.map(entry)
    return `    ${role}: ${entries.length === 1 ? entries[0] : `[${entries.join(', ')}]`}\n`
  })
  return `audio_transport: externalmedia
llm: { initial_greeting: Hello. }
turn_taking: { stop: silence, start: vad }
pipelines:
  front:
${roles.join('')}    tools: [terminate_call]
`
}

function startEngine(parts: readonly Part[]): Promise<BedEngine> {
  return BedEngine.start({
    asterisk: asterisk.ari,
    application: 'pipelines',
    pipeline: 'front',
    logLevel: 'debug',
    env: { BED_KEY: 'sk-of-the-bed' },
    yaml: pipelineYaml(parts),
  })
}

/** Two turns, the second of which ends the call. */
async function visit(engine: BedEngine, number: string) {
  const line = await telephones.call(asterisk, { extension: '150', callerId: number })
  const id = await engineCallFrom(engine, number)
  const { caller } = line
  await caller.waitForSpeech(8000)
  await caller.waitForQuiet(900)
  await caller.say(sentences[0] as Int16Array)
  await caller.waitForSpeech(8000)
  await caller.waitForQuiet(1200)
  const frames = caller.frames.length
  await caller.say(sentences[1] as Int16Array)
  await line.call.ended
  const recordOf = () => engine.records().find((record) => record.call_id === id)
  await engine.until('recorded', 15_000, () => recordOf() !== undefined)
  const lastHeard = Int16Array.from(caller.frames.slice(frames).flatMap((frame) => [...frame]))
  return { id, record: recordOf() ?? {}, lastHeard }
}

describe('a pipeline in YAML only', () => {
  test('hears, answers and speaks; its model ends the call, and the farewell is heard in full', async () => {
    const server = new OpenAiCompatibleServer(clerk)
    const all = (['stt', 'llm', 'tts'] as const).map((role) => ({ role, servers: [server] }))
    const engine = await startEngine(all)
    const words: string[] = []
    server.transcribe = ({ samples, sampleRateHz }) => {
      const stretches = audibleStretches(samples, { sampleRateHz })
      words.push(stretches.length > 0 ? 'sound' : 'silence')
      return { text: server.requests.length === 0 ? (said[0] ?? '') : (said[1] ?? '') }
    }
    try {
      const { record, lastHeard } = await visit(engine, '555500')
      const turns = record.turns as readonly Turn[]
      expect([record.provider, record.cause, record.faults]).toEqual(['front', 'agent', 0])
      expect(turns.map(({ caller_text: text }) => text)).toEqual(said)
      expect(turns.map(({ agent_text: text }) => text)).toEqual(['It opens at nine.', farewell])
      expect(new Set(words)).toEqual(new Set(['sound']))
      // What was asked of the servers was in order, and nothing of it was refused.
      expect(server.problems).toEqual([])
      expect(server.speeches.map(({ input }) => input).slice(0, 2)).toEqual(['Hello.', 'It opens at nine.'])
      for (const { authorization } of [...server.requests, ...server.speeches, ...server.transcriptions])
        expect(authorization).toBe('Bearer sk-of-the-bed')
      expect(server.requests[0]?.body.tools).toMatchObject([{ function: { name: 'terminate_call' } }])
      // The farewell in full: two sentences, and at the end of each what the voice makes of it.
      const wantedMs = server.speeches
        .filter(({ input }) => farewell.includes(input))
        .reduce((sum, { input }) => sum + voiceOf(input, 8000).length / 8, 0)
      const heardMs = audibleStretches(lastHeard, { sampleRateHz: 8000 })
        .map(({ startMs, endMs }) => endMs - startMs)
        .reduce((sum, ms) => sum + ms, 0)
      expect(heardMs).toBeGreaterThan(wantedMs - 100)
      expect(await engine.metric('ai_agent_provider_events_total{event="front_tool_done"}')).toBe(1)
      expect(engine.output).not.toContain('sk-of-the-bed')
      await engine.untilIdle()
      expect(await engine.metric('ai_agent_provider_sessions')).toBe(0)
    } finally {
      await engine.stop()
      await server.close()
    }
  }, 60_000)

  test('takes its reply up again, from the sentence that was cut, where what broke it off held no word or a listener’s', async () => {
    const hours = 'On weekdays the office is open from nine in the morning until five in the evening.'
    const sundays = 'On Sundays it is closed.'
    const server = new OpenAiCompatibleServer({ pieces: [`${hours} ${sundays}`] })
    const heard = [said[0] ?? '', '', 'Okay.']
    let turnsHeard = 0
    server.transcribe = () => ({ text: heard[turnsHeard++] ?? '' })
    const engine = await startEngine((['stt', 'llm', 'tts'] as const).map((role) => ({ role, servers: [server] })))
    try {
      const line = await telephones.call(asterisk, { extension: '150', callerId: '555502' })
      const id = await engineCallFrom(engine, '555502')
      const { caller } = line
      await caller.waitForSpeech(8000)
      await caller.waitForQuiet(900)
      await caller.say(sentences[0] as Int16Array)
      await caller.waitForSpeech(8000)
      await caller.say(sentences[1] as Int16Array)
      const frames = caller.frames.length
      // A listener has heard a sentence.
      await caller.waitForSpeech(8000)
      await Bun.sleep(voiceOf(hours, 8000).length / 8)
      await caller.say(sentences[1] as Int16Array)
      await caller.waitForSpeech(8000)
      await caller.waitForQuiet(1500)
      await line.call.hangup()
      await line.call.ended
      const recordOf = () => engine.records().find((record) => record.call_id === id)
      await engine.until('recorded', 15_000, () => recordOf() !== undefined)
      const turns = (recordOf()?.turns ?? []) as readonly Turn[]
      expect(turns.map(({ outcome }) => outcome)).toEqual(['interrupted', 'interrupted', 'answered'])
      expect(turns.map(({ caller_text: text }) => text)).toEqual(heard)
      expect(turns[2]?.agent_text).toBe(sundays)
      // The whole of the two sentences was heard after all, and the model was asked once.
      const wantedMs = [hours, sundays].reduce((sum, text) => sum + voiceOf(text, 8000).length / 8, 0)
      const after = Int16Array.from(caller.frames.slice(frames).flatMap((frame) => [...frame]))
      const heardMs = audibleStretches(after, { sampleRateHz: 8000 })
        .map(({ startMs, endMs }) => endMs - startMs)
        .reduce((sum, ms) => sum + ms, 0)
      expect(heardMs).toBeGreaterThan(wantedMs - 100)
      expect(server.requests).toHaveLength(1)
      expect(await engine.metric('ai_agent_replies_taken_up_total')).toBe(2)
      expect(server.problems).toEqual([])
    } finally {
      await engine.stop()
      await server.close()
    }
  }, 60_000)

  test('goes on with the next of a list where one fails: no turn is lost, and nobody apologises', async () => {
    const server = new OpenAiCompatibleServer(clerk)
    server.transcribe = () => ({ text: server.requests.length === 0 ? (said[0] ?? '') : (said[1] ?? '') })
    // Each of them is ready, and fails when it is asked.
    const failing = new OpenAiCompatibleServer({ status: 500, body: { error: { message: 'out of order' } } })
    failing.transcribe = () => ({ status: 500 })
    failing.speak = () => ({ status: 500 })
    const engine = await startEngine(
      (['stt', 'llm', 'tts'] as const).map((role) => ({ role, servers: [failing, server] })),
    )
    try {
      const { record } = await visit(engine, '555501')
      const turns = record.turns as readonly Turn[]
      expect([record.cause, record.faults]).toEqual(['agent', 0])
      expect(turns.map(({ caller_text: text }) => text)).toEqual(said)
      expect(turns.map(({ agent_text: text }) => text)).toEqual(['It opens at nine.', farewell])
      for (const role of ['stt', 'llm', 'tts']) {
        const count = await engine.metric(`ai_agent_provider_events_total{event="front_${role}_fallback_replaced"}`)
        expect([role, count]).toEqual([role, 1])
      }
      const incidents = record.incidents as readonly { readonly code: string }[]
      expect(incidents.map(({ code }) => code)).toEqual(['tts_replaced', 'stt_replaced', 'llm_replaced'])
      expect(failing.speeches.map(({ input }) => input)).toEqual(['Hello.'])
      expect(server.speeches[0]?.input).toBe('Hello.')
      expect(server.problems).toEqual([])
    } finally {
      await engine.stop()
      await server.close()
      await failing.close()
    }
  }, 60_000)
})
