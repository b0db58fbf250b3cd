import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { SystemClock } from '#base/clock.ts'
import { systemRandom } from '#base/random.ts'
import { type Asterisk, startAsterisk } from '../bed/asterisk.ts'
import { engineCallFrom } from '../bed/conversation.ts'
import { BedEngine } from '../bed/engine.ts'
import { type ReactiveCall, Telephones } from '../bed/reactive-caller.ts'
import { readSpeech, type Utterance } from '../bed/speech.ts'
import { readWav } from '../bed/wav-file.ts'
import type { Refusal, Reply, ReplyRequest, StandinOptions } from '../standin/openai-realtime/options.ts'
import { type StandinServer, startStandin } from '../standin/openai-realtime/server.ts'

// The realtime agent through a real Asterisk, over SIP and RTP, against the stand-in for its server.

interface Turn {
  readonly outcome: string
  readonly caller_text: string
  readonly agent_text: string
}

const question: Reply = { text: 'What would you like to know?', ms: 900 }
const long: Reply = { text: 'It is a very long story, which began many years ago in a small town.', ms: 9000 }

/** Three short answers, a long one that is broken into, another, and then the end of the call. */
const story = (request: ReplyRequest): Reply => {
  const replies: readonly Reply[] = [
    { text: 'The first answer.', ms: 1200 },
    { text: 'The second answer.', ms: 1200 },
    { text: 'The third answer.', ms: 1200 },
    long,
    { text: 'You broke in.', ms: 1200 },
    { text: 'Goodbye then.', ms: 1500, calls: [{ name: 'terminate_call', arguments: {} }] },
  ]
  return replies[Math.min(request.index, replies.length - 1)] ?? question
}

let asterisk: Asterisk
let telephones: Telephones
let sentences: Int16Array[]

beforeAll(async () => {
  sentences = []
  for (const utterance of (await readSpeech()).slice(0, 4) as Utterance[])
    sentences.push((await readWav(utterance.path)).samples)
  asterisk = await startAsterisk({
    configuration: {
      'extensions.conf': [
        '[agent]',
        'exten => 100,1,Stasis(patchcord)',
        ' same => n,Hangup()',
        '[fallback]',
        // Two seconds of a tone: nobody else makes a sound so long.
        'exten => s,1,PlayTones(440)',
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

interface World extends AsyncDisposable {
  readonly server: StandinServer
  readonly engine: BedEngine
  call(number: string): Promise<{ line: ReactiveCall; id: string }>
  record(id: string): Promise<Record<string, unknown>>
}

async function world(standin: Partial<StandinOptions>, provider = '', further = ''): Promise<World> {
  const server = startStandin({
    clock: new SystemClock(),
    random: systemRandom,
    key: 'sk-test',
    greeting: question,
    ...standin,
  })
  const engine = await BedEngine.start({
    asterisk: asterisk.ari,
    provider: 'openai_realtime',
    logLevel: 'debug',
    env: { OPENAI_API_KEY: 'sk-test' },
    yaml: `llm:\n  initial_greeting: What would you like to know?\n${further}providers:\n  openai_realtime:\n    base_url: ${server.baseUrl}\n    tools: [terminate_call]\n${provider}`,
  })
  return {
    server,
    engine,
    async call(number) {
      const line = await telephones.call(asterisk, { extension: '100', callerId: number })
      return { line, id: await engineCallFrom(engine, number) }
    },
    async record(id) {
      await engine.until('recorded', 15_000, () => engine.records().some((record) => record.call_id === id))
      return engine.records().find((record) => record.call_id === id) ?? {}
    },
    async [Symbol.asyncDispose]() {
      await engine.stop()
      await server.close()
    },
  }
}

/** What sounds is what was heard: nothing is softened or paused meanwhile. */
const turnTaking = 'barge_in: { on_overlap: none }\nturn_taking: { start: vad, stop: silence }\n'

describe('a call', () => {
  const ways: readonly [string, Partial<StandinOptions>, string][] = [
    ['µ-law, the server finds the turns', {}, ''],
    ['the engine finds the turns', {}, '    turn_detection: { type: none }\n'],
    ['names of the beta, PCM', { names: 'beta' }, '    format: pcm24\n'],
  ]
  test.each(ways)(
    '%s: greeting, turns, an interruption that the server knows of, and a farewell that is heard in full',
    async (name, standin, provider) => {
      await using it = await world({ replies: story, pace: 3, ...standin }, provider, turnTaking)
      const number = `55520${ways.findIndex(([each]) => each === name)}`
      const { line, id } = await it.call(number)
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

      const record = await it.record(id)
      expect([record.cause, record.faults, record.incidents]).toEqual(['agent', 0, []])
      const turns = record.turns as readonly Turn[]
      expect(turns.map(({ outcome }) => outcome)).toEqual([
        'answered',
        'answered',
        'answered',
        'interrupted',
        'answered',
        'answered',
      ])
      expect(turns.map(({ caller_text }) => caller_text)).toEqual(
        [1, 2, 3, 4, 5, 6].map((turn) => `caller turn ${turn}`),
      )
      expect(turns[4]?.agent_text).toBe('You broke in.')
      const session = await it.server.nextSession()
      const codes = session.record.errors.map(({ error }) => error.code)
      expect(codes.filter((code) => code !== 'response_cancel_not_active')).toEqual([])

      // What the server was told to have been heard is what was: the tones of the reply, as they came to the caller.
      const [truncate] = session.record.truncates
      const heard = longestSound(caller.frames)
      expect(Math.abs((truncate?.audioEndMs ?? 0) - heard)).toBeLessThanOrEqual(40)

      // The farewell is the last that was heard, all of it.
      expect(Math.abs(lastSound(caller.frames) - 1500)).toBeLessThanOrEqual(60)
      await it.engine.untilIdle()
      expect((await it.engine.health()).conversation.gates_closed).toBe(0)
      expect(await it.engine.metric('ai_agent_tts_gating_active')).toBe(0)
      expect(await it.engine.metric('ai_agent_provider_sessions')).toBe(0)
    },
    120_000,
  )
})

describe('faults', () => {
  const quick = '    reply_timeout_ms: 1500\n    connect_timeout_ms: 1000\n'
  const fallback = 'on_failure: { context: fallback, extension: s }\n'

  test('a server that falls silent: filler, another try, the notice, and the dialplan', async () => {
    await using it = await world({ replies: [{ fault: { kind: 'silence' } }] }, quick, fallback)
    const { line, id } = await it.call('5552101')
    const { caller } = line
    await caller.waitForSpeech(5000)
    await caller.waitForQuiet(900)
    await caller.say(sentences[0] as Int16Array)
    const askedMs = performance.now()
    // The filler; the end of the turn is found 500 ms after the last word.
    await caller.waitForSpeech(3000)
    expect(performance.now() - askedMs).toBeLessThan(2600)
    const record = await it.record(id)
    expect(record.cause).toBe('provider_failed')
    expect((record.incidents as { code: string }[]).map(({ code }) => code)).toEqual(['reply_timeout', 'timeout'])
    await line.call.ended
    expect(lastSound(caller.frames)).toBeGreaterThan(1500)
  }, 60_000)

  test('a connection that breaks in mid-reply: the rest comes over another one', async () => {
    const replies = ({ session }: ReplyRequest): Reply =>
      session.options === undefined || broken > 0 ? { text: 'The rest of it.', ms: 1200 } : cut()
    let broken = 0
    const cut = (): Reply => {
      broken += 1
      return { text: 'A long answer that is cut.', ms: 4000, fault: { kind: 'cut', afterMs: 1500 } }
    }
    await using it = await world({ replies }, quick, fallback)
    const { line, id } = await it.call('5552102')
    const { caller } = line
    await caller.waitForSpeech(5000)
    await caller.waitForQuiet(900)
    await caller.say(sentences[0] as Int16Array)
    await caller.waitForSpeech(5000)
    await caller.waitForQuiet(1500)
    await caller.hangUp(100)
    const record = await it.record(id)
    expect((record.incidents as { code: string }[]).map(({ code }) => code)).toEqual(['connection_lost'])
    expect(it.server.sessions.length).toBe(2)
    expect(it.server.sessions[1]?.record.counts['conversation.item.create'] ?? 0).toBeGreaterThan(1)
  }, 60_000)

  const refusals: readonly [Refusal['kind'], string][] = [
    ['bad_key', 'bad_key'],
    ['insufficient_quota', 'no_quota'],
    ['rate_limited', 'rate_limited'],
    ['server_error', 'server_error'],
  ]
  test.each(refusals)(
    'a session that is refused, %s: something is heard, and the caller goes on in the dialplan',
    async (kind, code) => {
      await using it = await world({}, quick, fallback)
      it.server.refusal = { kind }
      const { line, id } = await it.call('5552103')
      await line.caller.waitForSpeech(4000)
      const record = await it.record(id)
      expect(record.cause).toBe('provider_failed')
      expect((record.incidents as { code: string }[]).map((incident) => incident.code)).toContain(code)
      await it.engine.until('not ready', 10_000, async () => {
        const state = (await it.engine.health()).providers?.openai_realtime
        return state?.ready === false
      })
      await line.call.ended
      expect(lastSound(line.caller.frames)).toBeGreaterThan(1500)
    },
    60_000,
  )
})

const sounds = (frame: Int16Array) => frame.some((sample) => Math.abs(sample) > 300)

/** A pause between two replies is longer than ten frames; a shorter one is a machine that was busy. */
const gapFramesMax = 10

/** Milliseconds of sound in the longest stretch of it. */
function longestSound(frames: readonly Int16Array[]): number {
  let [longest, current, quiet] = [0, 0, 0]
  for (const frame of frames) {
    quiet = sounds(frame) ? 0 : quiet + 1
    if (quiet === 0) current += 20
    if (quiet > gapFramesMax) current = 0
    longest = Math.max(longest, current)
  }
  return longest
}

/** And in the last. */
function lastSound(frames: readonly Int16Array[]): number {
  let [current, quiet] = [0, 0]
  for (const frame of frames) {
    if (sounds(frame)) {
      if (quiet > gapFramesMax) current = 0
      current += 20
      quiet = 0
    } else quiet += 1
  }
  return current
}
