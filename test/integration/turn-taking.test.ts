import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Asterisk, startAsterisk } from '../bed/asterisk.ts'
import { engineCallFrom } from '../bed/conversation.ts'
import { BedEngine } from '../bed/engine.ts'
import { type ReactiveCall, type ReactiveCallOptions, Telephones } from '../bed/reactive-caller.ts'
import { startScriptedEngine } from '../bed/scripted-engine.ts'
import { murmurSound } from '../bed/sounds.ts'
import { readSpeech, spokenDigits, synthetic, type Utterance } from '../bed/speech.ts'
import { toneSteps } from '../bed/tone-steps.ts'
import { readWav, writeWav } from '../bed/wav-file.ts'
import { wordErrors } from '../bed/word-error-rate.ts'
import { OpenAiCompatibleServer } from '../fakes/openai-compatible-server.ts'
import { pacedReply, type ReplyScript } from '../fakes/scripted-agent.ts'

// Turns through a real Asterisk, over SIP and RTP, by the built-in models: echoes, quick answers, quiet and noisy lines,
// and interruptions of agents of every pace. The figures are those of `just bench turns`; here it is yes or no.

const samplesOf = async (utterance: Utterance) => (await readWav(utterance.path)).samples

interface Turn {
  readonly outcome: string
  readonly caller_text?: string
  readonly ended_by: string | null
}

describe('turns by the built-in models', () => {
  const replies = [
    'The museum opens at nine and closes at six.',
    'You can pay by card at the counter near the door.',
    'The next train leaves from platform four.',
    'Lunch is served in the garden until two.',
    'Our shop sells postcards, maps and umbrellas.',
  ]
  /** Said in place of these, where it is not empty. */
  let longReply = ''
  let asterisk: Asterisk
  let engine: BedEngine
  let server: OpenAiCompatibleServer
  let telephones: Telephones
  let sentences: Utterance[]

  beforeAll(async () => {
    server = new OpenAiCompatibleServer((_request, index) => ({
      pieces: [longReply === '' ? (replies[index % replies.length] ?? '') : longReply],
    }))
    sentences = (await readSpeech()).slice(0, 5)
    asterisk = await startAsterisk({
      configuration: {
        'extensions.conf':
          '[agent]\nexten => 102,1,Stasis(silence)\n same => n,Hangup()\nexten => 103,1,Stasis(filed)\n same => n,Hangup()\n',
      },
    })
    telephones = new Telephones()
    engine = await BedEngine.start({
      asterisk: asterisk.ari,
      yaml: `llm:\n  initial_greeting: Hello.\nproviders:\n  local:\n    llm:\n      base_url: ${server.baseUrl}\n`,
    })
  }, 300_000)

  afterEach(() => {
    longReply = ''
  })

  afterAll(async () => {
    telephones?.close()
    await engine?.stop()
    await asterisk?.stop()
    await server?.close()
  })

  async function call(number: string, options: Partial<ReactiveCallOptions> = {}) {
    const line = await telephones.call(asterisk, { extension: '100', callerId: number, ...options })
    return { ...line, id: await engineCallFrom(engine, number) }
  }

  async function recordOf({ caller, call: placed }: ReactiveCall, id: string) {
    await caller.hangUp(300)
    await placed.ended
    await engine.until('recorded', 10_000, () => engine.records().some((record) => record.call_id === id))
    const record = engine.records().find((one) => one.call_id === id) ?? {}
    return { record, turns: record.turns as readonly Turn[] }
  }

  test('an echo of −15 dB after 120 ms: five turns, none of them the agent’s own', async () => {
    const line = await call('5551001')
    const { caller } = line
    caller.echo({ gainDb: -15, delayMs: 120 })
    await caller.waitForSpeech(5000)
    const asked = server.requests.length
    for (const sentence of sentences) {
      await caller.waitForQuiet(1500)
      await caller.say(await samplesOf(sentence))
      await caller.waitForSpeech(10_000)
    }
    await caller.waitForQuiet(3000)
    const { record, turns } = await recordOf(line, line.id)
    // What was heard stands in the message of a failure.
    const heard = turns.map(({ outcome, caller_text: text = '' }, index) => {
      const { rate } = wordErrors(sentences[index]?.words ?? '', text)
      return { outcome, words: rate <= 0.3 ? 'right' : `${rate} wrong: ${text}` }
    })
    expect(heard).toEqual(Array(5).fill({ outcome: 'answered', words: 'right' }))
    expect(server.requests.length - asked).toBe(5)
    expect(record.barge_ins).toBe(0)
  }, 120_000)

  test('and on such a line the caller can still interrupt', async () => {
    const line = await call('5551002')
    const { caller } = line
    caller.echo({ gainDb: -15, delayMs: 120 })
    await caller.waitForSpeech(5000)
    await caller.waitForQuiet(1500)
    await caller.say(await samplesOf(sentences[0] as Utterance))
    await caller.sayAfter(900, await samplesOf(await spokenDigits('4217')), 10_000)
    await caller.waitForSpeech(10_000)
    await caller.waitForQuiet(1500)
    const { record, turns } = await recordOf(line, line.id)
    expect(record.barge_ins).toBe(1)
    expect(turns.map(({ outcome }) => outcome)).toEqual(['interrupted', 'answered'])
    expect(turns[1]?.caller_text?.toLowerCase()).toMatch(/two.*one.*seven|2.*1.*7/)
  }, 60_000)

  test('an answer that begins 50 ms after the agent’s last word is heard whole', async () => {
    const line = await call('5551003')
    const { caller } = line
    await caller.waitForSpeech(5000)
    // A single word has no pause in it: what is quiet for so long behind it is its end.
    await caller.waitForQuiet(60)
    const sentence = sentences[1] as Utterance
    await caller.say(await samplesOf(sentence))
    await caller.waitForSpeech(10_000)
    const { turns } = await recordOf(line, line.id)
    expect(wordErrors(sentence.words, turns[0]?.caller_text ?? '').rate).toBeLessThanOrEqual(0.3)
    expect((turns[0]?.caller_text ?? '').toLowerCase().split(' ')[0]).toBe(sentence.words.split(' ')[0] ?? '')
  }, 60_000)

  test.concurrent.each([
    ['digital silence', null],
    ['the noise of a line', -48],
  ] as const)(
    'a first word spoken into %s is heard',
    async (_what, noiseDbfs) => {
      const line = await call(noiseDbfs === null ? '5551004' : '5551005', { noiseDbfs })
      const { caller } = line
      await caller.waitForSpeech(5000)
      await caller.waitForQuiet(3000)
      // One whose first word the recogniser writes as it is.
      const sentence = sentences[3] as Utterance
      await caller.say(await samplesOf(sentence))
      await caller.waitForSpeech(10_000)
      const { turns } = await recordOf(line, line.id)
      const heard = (turns[0]?.caller_text ?? '').toLowerCase()
      expect(heard.split(' ')[0]).toBe(sentence.words.split(' ')[0] ?? '')
      expect(wordErrors(sentence.words, heard).rate).toBeLessThanOrEqual(0.3)
    },
    60_000,
  )

  // The second telephone's network hangs within the murmur, and brings the rest of it all at once.
  test.each([
    ['a murmur', '5551006', 0],
    ['a murmur of which half is late', '5551007', 1300],
  ] as const)(
    '%s over a reply does not break it off',
    async (_what, number, hangsMs) => {
      // What is said into the last words of a reply would be an answer.
      longReply = hangsMs === 0 ? '' : replies.slice(0, 2).join(' ')
      const murmur = murmurSound(-22, 8000)
      const cut = 160 * 8
      const line = await call(number)
      const { caller } = line
      await caller.waitForSpeech(5000)
      await caller.waitForQuiet(1500)
      await caller.say(await samplesOf(sentences[0] as Utterance))
      await caller.sayAfter(700, murmur.subarray(0, cut), 10_000)
      if (hangsMs > 0) line.hang(hangsMs)
      await caller.say(murmur.subarray(cut))
      await caller.waitForQuiet(1500)
      const { record, turns } = await recordOf(line, line.id)
      const overlaps = record.overlaps as readonly { readonly verdict: string }[]
      // What was heard stands in the message of a failure.
      expect([
        record.barge_ins,
        turns.map(({ outcome, caller_text: text }) => `${outcome}: ${text}`),
        overlaps,
      ]).toEqual([
        0,
        [expect.stringMatching(/^answered: /)],
        [expect.objectContaining({ verdict: expect.stringMatching(/^(backchannel|noise)$/) })],
      ])
    },
    60_000,
  )

  test('a telephone that sends no pauses: its caller is answered, murmurs, and interrupts', async () => {
    longReply = replies.join(' ')
    const line = await call('5551008', { noiseDbfs: null, suppressesSilence: true })
    const { caller } = line
    await caller.waitForSpeech(5000)
    await caller.waitForQuiet(1500)
    await caller.say(await samplesOf(sentences[0] as Utterance))
    await caller.sayAfter(700, murmurSound(-22, 8000), 10_000)
    await caller.silence(2500)
    const sentence = sentences[1] as Utterance
    await caller.say(await samplesOf(sentence))
    longReply = ''
    await caller.waitForQuiet(600)
    await caller.waitForSpeech(10_000)
    await caller.waitForQuiet(1500)
    const { record, turns } = await recordOf(line, line.id)
    const overlaps = (record.overlaps as readonly { readonly verdict: string }[]).map(({ verdict }) => verdict)
    expect([turns.map(({ outcome }) => outcome), overlaps]).toEqual([
      ['interrupted', 'answered'],
      [expect.stringMatching(/^(backchannel|noise)$/), 'interruption'],
    ])
    const heard = turns[1]?.caller_text ?? ''
    const { rate } = wordErrors(sentence.words, heard)
    expect(rate <= 0.3 ? 'right' : `${rate} wrong: ${heard}`).toBe('right')
  }, 60_000)

  test.concurrent.each([
    { line: 'a clean line', extension: '102', application: 'silence', mode: 'stream', echo: null },
    // What is played from files comes back as well, and is no answer of the caller's.
    {
      line: 'a line that echoes files',
      extension: '103',
      application: 'filed',
      mode: 'file',
      echo: { gainDb: -15, delayMs: 120 },
    },
  ] as const)(
    'on $line, who says nothing is asked, told goodbye, and let go',
    async ({ extension, application, mode, echo }) => {
      const quick = await BedEngine.start({
        asterisk: asterisk.ari,
        application,
        yaml: `llm:\n  initial_greeting: Hello, and welcome to the museum.\nturn_taking:\n  check_in_after_ms: 1500\n  check_ins: [Are you there? Please say something.]\ndownstream_mode: ${mode}\n`,
      })
      try {
        const number = `55510${extension}`
        const line = await telephones.call(asterisk, { extension, callerId: number })
        line.caller.echo(echo)
        const id = await engineCallFrom(quick, number)
        await line.call.ended
        await quick.until('recorded', 10_000, () => quick.records().some((record) => record.call_id === id))
        const record = quick.records().find((one) => one.call_id === id)
        expect([record?.cause, record?.turns, record?.barge_ins]).toEqual(['no_input', [], 0])
        // The greeting, one check-in, the farewell.
        expect(stretches(line.caller.frames)).toBe(3)
      } finally {
        await quick.stop()
      }
    },
    60_000,
  )
})

/** How often the agent spoke: stretches of sound with at least a second of quiet between them. */
function stretches(frames: readonly Int16Array[]): number {
  let count = 0
  let quiet = 50
  for (const frame of frames) {
    const sounds = frame.some((sample) => Math.abs(sample) > 300)
    if (sounds && quiet >= 50) count += 1
    quiet = sounds ? 0 : quiet + 1
  }
  return count
}

describe('an interruption', () => {
  const paces = { real_time: 1.2, quick: 3, burst: 60 } as const
  const intoReplyMs = [300, 3000] as const
  let asterisk: Asterisk
  let engine: BedEngine
  let telephones: Telephones
  let folder: string
  let question: Int16Array
  let cut: Int16Array
  const scripts: ReplyScript[][] = Object.values(paces).map((speed) => [
    pacedReply({ replyMs: 400, sampleRateHz: 8000, chunkMs: 100, speed: 20 }),
    pacedReply({ replyMs: 12_000, sampleRateHz: 8000, chunkMs: 100, speed }),
  ])

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'patchcord-turns-'))
    const sound = join(folder, 'tones.wav')
    await writeWav(sound, { sampleRateHz: 8000, samples: toneSteps(24) })
    question = await samplesOf(await synthetic('What is on the menu today?'))
    cut = await samplesOf((await readSpeech())[2] as Utterance)
    asterisk = await startAsterisk()
    telephones = new Telephones()
    engine = await startScriptedEngine({ sound, calls: scripts }, { asterisk: asterisk.ari, logLevel: 'debug' })
  }, 300_000)

  afterAll(async () => {
    telephones?.close()
    await engine?.stop()
    await asterisk?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  // The scripts go by the order of the calls.
  let placed = Promise.resolve()
  function placeNext(number: string) {
    const line = placed.then(async () => {
      const { caller, call } = await telephones.call(asterisk, { extension: '100', callerId: number })
      return { caller, call, id: await engineCallFrom(engine, number) }
    })
    placed = line.then(() => {})
    return line
  }

  test.concurrent.each(Object.keys(paces).map((name, index) => [name, index] as const))(
    'stops an agent of this pace (%s) 0.3 s into a reply as well as 3 s in',
    async (_name, index) => {
      const { caller, call, id } = await placeNext(`555110${index}`)
      await caller.waitForSpeech(5000)
      await caller.waitForQuiet(1000)
      await caller.say(question)
      for (const [count, intoMs] of intoReplyMs.entries()) {
        // The turn of the one before has its own reply.
        await caller.sayAfter(intoMs, cut, 10_000)
        await engine.until('interrupted', 5000, () => interruptions(id) > count)
      }
      await caller.hangUp(200)
      await call.ended
      expect(interruptions(id)).toBe(2)
      const heardMs = engine.log
        .filter((one) => one.call === id && one.message === 'interrupted by the caller')
        .map((one) => Number(one.heard_ms))
      for (const [count, intoMs] of intoReplyMs.entries()) {
        // From where the caller began to speak to where the agent fell silent, and what the way there and back takes.
        expect((heardMs[count] ?? 0) - intoMs).toBeLessThan(1000)
      }
    },
    60_000,
  )

  const interruptions = (id: string) =>
    engine.log.filter((line) => line.call === id && line.message === 'interrupted by the caller').length
})
