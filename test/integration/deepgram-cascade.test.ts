import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { SystemClock } from '#base/clock.ts'
import { seededRandom } from '#base/random.ts'
import { type Asterisk, startAsterisk } from '../bed/asterisk.ts'
import { engineCallFrom } from '../bed/conversation.ts'
import { heardExactly } from '../bed/deepgram.ts'
import { BedEngine } from '../bed/engine.ts'
import { Telephones } from '../bed/reactive-caller.ts'
import { readSpeech, type Utterance } from '../bed/speech.ts'
import { readWav } from '../bed/wav-file.ts'
import { OpenAiCompatibleServer } from '../fakes/openai-compatible-server.ts'
import { soundOf } from '../standin/deepgram/reply-audio.ts'
import { startStandin } from '../standin/deepgram/server.ts'

// Cascades of Deepgram's recognition, a language model and Deepgram's voice through a real Asterisk, over SIP and RTP, in
// each combination: nova and Flux, the voice over a socket and over HTTP, turns ended by the engine and by the recogniser.

interface Turn {
  readonly outcome: string
  readonly ended_by: string | null
  readonly caller_text: string
  readonly agent_text: string
}

const said = ['What time does it open?', 'And what does a ticket cost?', 'Thank you very much, that is all.']
const answers = ['It opens at nine.', 'A ticket costs twelve euros. Children pay half of that.', 'You are welcome.']

let asterisk: Asterisk
let telephones: Telephones
let sentences: Int16Array[]

beforeAll(async () => {
  const spoken = await readSpeech()
  // Short ones, without a pause in which a recogniser might find an end.
  sentences = await Promise.all(
    [1, 4, 5].map(async (index) => (await readWav((spoken[index] as Utterance).path)).samples),
  )
  asterisk = await startAsterisk({
    configuration: { 'extensions.conf': '[agent]\nexten => _14X,1,Stasis(cascade${EXTEN:2})\n same => n,Hangup()\n' },
  })
  telephones = new Telephones()
}, 300_000)

afterAll(async () => {
  telephones?.close()
  await asterisk?.stop()
})

describe('a cascade', () => {
  // Each recogniser with each way to the voice, and each of those with each judge of turns.
  const ways = [
    { place: 0, model: 'nova-3', transport: 'websocket', stop: 'silence' },
    { place: 1, model: 'nova-3', transport: 'rest', stop: 'provider' },
    { place: 2, model: 'flux-general-en', transport: 'websocket', stop: 'provider' },
    { place: 3, model: 'flux-general-en', transport: 'rest', stop: 'silence' },
  ] as const
  test.concurrent.each(ways)(
    'of $model and the voice over $transport, turns ended by: $stop',
    async ({ place, model, transport, stop }) => {
      const standin = startStandin({
        clock: new SystemClock(),
        random: seededRandom(1),
        callerTranscripts: said,
        turnSilenceMs: 300,
      })
      const llm = new OpenAiCompatibleServer((_request, index) => ({ pieces: [answers[index % answers.length] ?? ''] }))
      const engine = await BedEngine.start({
        asterisk: asterisk.ari,
        application: `cascade${place}`,
        pipeline: 'cascade',
        logLevel: 'debug',
        yaml: `audio_transport: externalmedia
llm: { initial_greeting: Hello. }
turn_taking: { stop: ${stop}, start: vad }
barge_in: { on_overlap: none }
providers:
  deepgram: { base_url: "${standin.baseUrl}", api_key_env: "" }
pipelines:
  cascade:
    stt: { provider: deepgram, model: ${model} }
    llm: { provider: openai_compatible, base_url: "${llm.baseUrl}" }
    tts: { provider: deepgram, transport: ${transport} }
`,
      })
      try {
        const number = `55540${place}`
        const line = await telephones.call(asterisk, { extension: `14${place}`, callerId: number })
        const id = await engineCallFrom(engine, number)
        const { caller } = line
        await caller.waitForSpeech(5000)
        await caller.waitForQuiet(900)
        for (const sentence of sentences) {
          await caller.say(sentence)
          await caller.waitForSpeech(8000)
          await caller.waitForQuiet(1200)
        }
        await caller.hangUp(100)
        await line.call.ended
        await engine.until('recorded', 15_000, () => engine.records().some((record) => record.call_id === id))
        const record = engine.records().find((each) => each.call_id === id) ?? {}
        const turns = record.turns as readonly Turn[]
        expect([record.cause, record.faults, turns.map(({ outcome }) => outcome)]).toEqual([
          'caller',
          0,
          ['answered', 'answered', 'answered'],
        ])
        // What the stand-in's script has, each word once, in whatever turn the caller's pauses have made of it.
        expect(turns.map(({ caller_text: text }) => text)).toEqual(said)
        expect(turns.map(({ agent_text: text }) => text)).toEqual(answers)
        if (stop === 'provider')
          expect(turns.map(({ ended_by: by }) => by)).toEqual(['provider', 'provider', 'provider'])
        for (const session of standin.sessions)
          expect([session.kind, session.record.errors]).toEqual([session.kind, []])
        const audit = engine.log.find((each) => each.message === 'audio path' && each.call === id)
        expect([audit?.conversions_to_spare, String(audit?.path).includes('resampled')]).toEqual([0, false])
        const { sent, heard } = heardExactly(caller.frames, soundOf({}, 1, 8000, answers[0] ?? ''))
        expect(sent - heard).toBeLessThanOrEqual(2)
        await engine.untilIdle()
        expect(await engine.metric('ai_agent_provider_sessions')).toBe(0)
      } finally {
        await engine.stop()
        await llm.close()
        await standin.close()
      }
    },
    90_000,
  )
})
