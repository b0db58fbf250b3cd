import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Asterisk, startAsterisk } from '../bed/asterisk.ts'
import { engineCallFrom } from '../bed/conversation.ts'
import { DeepgramBed, heardExactly } from '../bed/deepgram.ts'
import { Telephones } from '../bed/reactive-caller.ts'
import { readSpeech, type Utterance } from '../bed/speech.ts'
import { readWav } from '../bed/wav-file.ts'
import { greetingNumber, type Reply, type ReplyRequest } from '../standin/deepgram/options.ts'
import { soundOf } from '../standin/deepgram/reply-audio.ts'

// Deepgram's agent through a real Asterisk, over SIP and RTP, against the stand-in for its server: greeting, five turns, an
// interruption, a function that ends the call or sends it elsewhere. What travels to and from the server is what the wire
// to Asterisk has, and what the caller hears is what was sent, sample for sample after G.711.

interface Turn {
  readonly outcome: string
  readonly caller_text: string
  readonly agent_text: string
  readonly response_ms: number
}

const greeting: Reply = { ms: 1200 }
const replies: readonly Reply[] = [
  { text: 'The first answer.', ms: 1200 },
  { text: 'The second answer.', ms: 1200 },
  { text: 'The third answer.', ms: 1200 },
  { text: 'It is a very long story. It began many years ago in a small town.', ms: 9000 },
  { text: 'You broke in.', ms: 1200 },
]

let asterisk: Asterisk
let telephones: Telephones
let sentences: Int16Array[]

beforeAll(async () => {
  const spoken = await readSpeech()
  // Short ones; what is said first also interrupts.
  sentences = await Promise.all(
    [4, 1, 5, 1].map(async (index) => (await readWav((spoken[index] as Utterance).path)).samples),
  )
  asterisk = await startAsterisk({
    configuration: {
      'extensions.conf': [
        '[agent]',
        'exten => 130,1,Stasis(dgslin)',
        ' same => n,Hangup()',
        'exten => 131,1,Stasis(dgulaw)',
        ' same => n,Hangup()',
        '[sales]',
        'exten => 200,1,Playtones(620)',
        ' same => n,Wait(2)',
        ' same => n,Hangup()',
        '',
      ].join('\n'),
    },
  })
  telephones = new Telephones()
}, 300_000)

afterAll(async () => {
  telephones?.close()
  await asterisk?.stop()
})

describe('a call', () => {
  const ways = [
    {
      name: 'slin over AudioSocket, ended by the agent',
      extension: '130',
      application: 'dgslin',
      further: 'audio_transport: audiosocket\n',
      encoding: 'linear16',
      path: 'wire slin',
      tool: { name: 'terminate_call', arguments: {} },
      cause: 'agent',
    },
    {
      name: 'µ-law over RTP, sent on by the agent',
      extension: '131',
      application: 'dgulaw',
      further: 'audio_transport: externalmedia\n',
      encoding: 'mulaw',
      path: 'wire ulaw',
      tool: { name: 'transfer_call', arguments: { destination: 'sales' } },
      cause: 'transferred',
    },
  ] as const
  test.concurrent.each(ways)(
    '$name',
    async ({ extension, application, further, encoding, path, tool, cause }) => {
      const farewell: Reply = { text: 'Goodbye then.', ms: 1500, calls: [tool] }
      const script = ({ index, afterFunctionResponse }: ReplyRequest) =>
        afterFunctionResponse ? { text: 'Nobody hears this.', ms: 400 } : (replies[index] ?? farewell)
      const bed = await DeepgramBed.start(
        asterisk.ari,
        application,
        { greeting, replies: script },
        '    tools: [terminate_call, transfer_call]\n',
        // What sounds is what was heard: nothing is softened or paused meanwhile.
        `${further}barge_in: { on_overlap: none }
turn_taking: { start: vad, stop: silence }
transfer:
  destinations:
    sales: { context: sales, extension: "200", description: the sales desk }
`,
      )
      try {
        const number = `5553${extension}`
        const line = await telephones.call(asterisk, { extension, callerId: number })
        const id = await engineCallFrom(bed.engine, number)
        const { caller } = line
        await caller.waitForSpeech(5000)
        await caller.waitForQuiet(900)
        for (const sentence of sentences.slice(0, 3)) {
          await caller.say(sentence)
          await caller.waitForSpeech(8000)
          await caller.waitForQuiet(900)
        }
        await caller.say(sentences[3] as Int16Array)
        await caller.sayAfter(1500, sentences[0] as Int16Array, 10_000)
        await caller.waitForSpeech(8000)
        await caller.waitForQuiet(900)
        await caller.say(sentences[1] as Int16Array)
        await line.call.ended

        const record = await bed.record(id)
        expect([record.cause, record.faults, record.incidents]).toEqual([cause, 0, []])
        const turns = record.turns as readonly Turn[]
        expect(turns.map(({ outcome }) => outcome)).toEqual([
          'answered',
          'answered',
          'answered',
          'interrupted',
          'answered',
          'answered',
        ])
        expect(turns.map(({ caller_text: text }) => text)).toEqual(
          [1, 2, 3, 4, 5, 6].map((turn) => `caller turn ${turn}`),
        )
        expect(turns[0]?.agent_text).toBe('The first answer.')
        // Of the long reply only what was heard before the caller broke in.
        expect('It is a very long story.'.startsWith(turns[3]?.agent_text ?? '?')).toBeTrue()
        // Counted from the caller's last sound, and not from when the server said that the turn was over.
        expect(turns[0]?.response_ms).toBeWithin(450, 1200)

        const session = await bed.standin.nextSession('agent')
        expect([session.record.errors, bed.standin.agents.length]).toEqual([[], 1])
        const [settings] = session.record.received
        const format = { encoding, sample_rate: 8000 }
        expect(settings?.message).toMatchObject({
          audio: { input: format, output: { ...format, container: 'none' } },
          agent: { greeting: 'Hello.' },
        })
        const types = session.record.received.map(({ message }) => message.type)
        expect(types.filter((type) => type !== 'KeepAlive')).toEqual(['Settings', 'FunctionCallResponse'])

        const audit = bed.engine.log.find((each) => each.message === 'audio path' && each.call === id)
        expect([audit?.conversions_to_spare, String(audit?.path).includes(path)]).toEqual([0, true])
        expect(String(audit?.path)).not.toContain('resampled')
        if (encoding === 'mulaw') expect(String(audit?.path)).not.toContain('converted')

        // The greeting, the first answers, and the farewell in full, with the very samples that G.711 makes of them.
        const sounds = [
          soundOf(greeting, greetingNumber, 8000, 'Hello.'),
          ...[0, 1, 2].map((index) => soundOf(replies[index] as Reply, index, 8000, '')),
          soundOf(farewell, 5, 8000, ''),
        ]
        for (const sound of sounds) {
          const { sent, heard } = heardExactly(caller.frames, sound)
          expect(sent).toBeGreaterThan(50)
          expect(sent - heard).toBeLessThanOrEqual(2)
        }
        await bed.engine.untilIdle()
        expect((await bed.engine.health()).conversation.gates_closed).toBe(0)
        expect(await bed.engine.metric('ai_agent_tts_gating_active')).toBe(0)
        expect(await bed.engine.metric('ai_agent_provider_sessions')).toBe(0)
      } finally {
        await bed.stop()
      }
    },
    120_000,
  )
})
