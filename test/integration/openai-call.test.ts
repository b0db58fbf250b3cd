import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { SystemClock } from '#base/clock.ts'
import { seededRandom } from '#base/random.ts'
import { type Asterisk, startAsterisk } from '../bed/asterisk.ts'
import { engineCallFrom } from '../bed/conversation.ts'
import { BedEngine } from '../bed/engine.ts'
import { type ReactiveCall, Telephones } from '../bed/reactive-caller.ts'
import { readSpeech, type Utterance } from '../bed/speech.ts'
import { audibleStretches, cut, toneShare } from '../bed/wav-analysis.ts'
import { readWav } from '../bed/wav-file.ts'
import type { ReplyFault, ReplyRequest, StandinOptions } from '../standin/openai-realtime/options.ts'
import { type StandinServer, startStandin } from '../standin/openai-realtime/server.ts'
import type { StandinSession } from '../standin/openai-realtime/session.ts'
import { toneCount, toneHz, toneStepMs } from '../standin/openai-realtime/tone-pattern.ts'

// Whole calls with a realtime agent: a telephone, SIP, the real Asterisk, the engine as a process, and over a WebSocket
// the stand-in, which holds every message to the official types and refuses what the real server would refuse.

const clock = new SystemClock()
const rateHz = 8000
const turns = 5
/** The reply to this turn is long, and is interrupted. */
const interruptedTurn = 2
const [shortMs, longMs, farewellMs, greetingMs] = [1200, 6000, 1500, 1000]
const truncateOffMs = 40

const samplesOf = async (utterance: Utterance) => (await readWav(utterance.path)).samples

/** Turn by turn; the last one asks to end the call with its farewell. */
function conversationScript({ index }: ReplyRequest) {
  if (index === interruptedTurn) return { text: 'A long story.', ms: longMs }
  // The interruption is a turn as well.
  if (index < turns) return { text: `Reply ${index}.`, ms: shortMs }
  return { text: 'Goodbye.', ms: farewellMs, calls: [{ name: 'terminate_call', arguments: {} }] }
}

interface Variant {
  readonly name: string
  readonly extension: string
  readonly standin: Partial<StandinOptions>
  readonly yaml: string
}

const variants: readonly Variant[] = [
  {
    name: 'server VAD, µ-law',
    extension: '110',
    standin: {},
    yaml: '    format: pcmu\n    turn_detection:\n      silence_duration_ms: 800\n',
  },
  {
    name: 'turns by this engine, µ-law',
    extension: '111',
    standin: {},
    yaml: '    turn_detection:\n      type: none\n',
  },
  {
    name: 'beta names of events, µ-law',
    extension: '112',
    standin: { names: 'beta' },
    yaml: '    format: pcmu\n    turn_detection:\n      silence_duration_ms: 800\n',
  },
  {
    name: 'server VAD, PCM 24 kHz',
    extension: '113',
    standin: {},
    yaml: '    format: pcm24\n    turn_detection:\n      silence_duration_ms: 800\n',
  },
]

const dialplan = variants
  .map(({ extension }) => `exten => ${extension},1,Stasis(agent${extension})\n same => n,Hangup()\n`)
  .join('')

let asterisk: Asterisk
let telephones: Telephones
let sentences: Int16Array[]

beforeAll(async () => {
  const spoken = await readSpeech()
  // Short ones for the turns; the one that interrupts is long.
  sentences = await Promise.all([1, 6, 7, 8, 5, 4].map((index) => samplesOf(spoken[index] as Utterance)))
  asterisk = await startAsterisk({
    configuration: {
      'extensions.conf': `[agent]\n${dialplan}exten => 120,1,Stasis(faults)\n same => n,Hangup()\n[elsewhere]\nexten => s,1,Log(NOTICE,elsewhere: \${PATCHCORD_RESULT})\n same => n,Playtones(620)\n same => n,Wait(1)\n same => n,Hangup()\n`,
    },
  })
  telephones = new Telephones()
}, 300_000)

afterAll(async () => {
  telephones?.close()
  await asterisk?.stop()
})

interface Place {
  readonly standin: StandinServer
  readonly engine: BedEngine
}

async function start(application: string, options: Partial<StandinOptions>, yaml: string): Promise<Place> {
  const standin = startStandin({ clock, random: seededRandom(1), key: 'sk-bed', keepAudio: false, ...options })
  const engine = await BedEngine.start({
    asterisk: asterisk.ari,
    application,
    provider: 'openai_realtime',
    env: { OPENAI_API_KEY: 'sk-bed' },
    yaml: `llm:
  initial_greeting: Hello.
on_failure:
  context: elsewhere
  extension: s
providers:
  openai_realtime:
    base_url: ${standin.baseUrl}
    tools: [terminate_call]
${yaml}`,
  })
  return { standin, engine }
}

async function stop({ standin, engine }: Place): Promise<void> {
  await engine.stop()
  await standin.close()
}

interface Heard {
  /** Which reply it is, by the tone it begins with. */
  readonly reply: number
  /** For how long it was audible, pauses not counted. */
  readonly audibleMs: number
}

/** A pause of a reply that is being talked over is shorter than this, and a caller's turn is longer. */
const withinReplyMs = 480

/** Each thing that was heard, in order. */
function heardIn(samples: Int16Array): Heard[] {
  const audible = (joinGapMs: number) => audibleStretches(samples, { sampleRateHz: rateHz, joinGapMs })
  const pieces = audible(20)
  return audible(withinReplyMs).map(({ startMs, endMs }) => {
    const first = cut(samples, rateHz, { startMs: startMs + 20, endMs: startMs + toneStepMs - 10 })
    const shares = Array.from({ length: toneCount }, (_, reply) => toneShare(first, rateHz, toneHz(reply, 0)))
    const own = pieces.filter((piece) => piece.startMs >= startMs && piece.endMs <= endMs)
    return {
      reply: shares.indexOf(Math.max(...shares)),
      audibleMs: own.reduce((sum, piece) => sum + piece.endMs - piece.startMs, 0),
    }
  })
}

async function record(engine: BedEngine, id: string): Promise<Record<string, unknown>> {
  await engine.until('recorded', 10_000, () => engine.records().some((one) => one.call_id === id))
  return engine.records().find((one) => one.call_id === id) ?? {}
}

describe('a call with a realtime agent', () => {
  const done = new Map<string, Awaited<ReturnType<typeof wholeCall>>>()

  // Side by side, as calls are.
  beforeAll(async () => {
    const outcomes = await Promise.all(variants.map(wholeCall))
    for (const [index, outcome] of outcomes.entries()) done.set(variants[index]?.name ?? '', outcome)
  }, 180_000)

  async function wholeCall({ extension, standin: options, yaml }: Variant) {
    const place = await start(
      `agent${extension}`,
      {
        replies: conversationScript,
        greeting: { text: 'Hello.', ms: greetingMs },
        ...options,
      },
      yaml,
    )
    const { engine, standin } = place
    try {
      const number = `5559${extension}`
      const line = await telephones.call(asterisk, { extension, callerId: number })
      const id = await engineCallFrom(engine, number)
      const session = await standin.nextSession()
      await converse(line, session)
      await line.call.ended
      await engine.untilIdle()
      const metrics = {
        gating: await engine.metric('ai_agent_tts_gating_active'),
        bargeIns: await engine.metric('ai_agent_barge_in_events_total{verdict="interruption"}'),
      }
      return {
        record: await record(engine, id),
        session,
        heard: heardIn(line.caller.heard.all),
        metrics,
        log: [...engine.log],
      }
    } finally {
      await stop(place)
    }
  }

  async function converse({ caller }: ReactiveCall, session: StandinSession): Promise<void> {
    await caller.waitForSpeech(10_000)
    await caller.waitForQuiet(500)
    for (let turn = 0; turn < turns - 1; turn += 1) {
      await caller.say(sentences[turn] ?? new Int16Array(0))
      if (turn === interruptedTurn) await caller.sayAfter(1500, sentences[turns] ?? new Int16Array(0), 10_000)
      const replies = turn < interruptedTurn ? turn + 1 : turn + 2
      await untilReplied(session, replies)
      await caller.waitForSpeech(5000)
      await caller.waitForQuiet(500)
    }
    await caller.say(sentences[turns - 1] ?? new Int16Array(0))
    await caller.gone
  }

  async function untilReplied(session: StandinSession, replies: number): Promise<void> {
    const said = () => new Set(session.record.deltas.map(({ responseId }) => responseId)).size
    for (let waited = 0; said() < replies + 1 && waited < 10_000; waited += 20) await Bun.sleep(20)
  }

  const outcomeOf = (name: string) => {
    const outcome = done.get(name)
    if (outcome === undefined) throw new Error(`no call of ${name}`)
    return outcome
  }

  describe.each(variants)('$name', ({ name }) => {
    test('greets, takes every turn, and answers each of them audibly', () => {
      const { record: facts, heard } = outcomeOf(name)
      const told = facts.turns as readonly { readonly outcome: string }[]
      expect(told.map(({ outcome }) => outcome)).toEqual([
        ...Array(interruptedTurn).fill('answered'),
        'interrupted',
        ...Array(turns - interruptedTurn).fill('answered'),
      ])
      // The greeting counts as the 40th reply.
      expect(heard.map(({ reply }) => reply)).toEqual([39, 0, 1, 2, 3, 4, 5])
      for (const [at, ms] of [
        [0, greetingMs],
        [1, shortMs],
        [2, shortMs],
        [4, shortMs],
        [5, shortMs],
      ] as const) {
        expect(Math.abs((heard[at]?.audibleMs ?? 0) - ms), `what was heard at ${at}`).toBeLessThan(120)
      }
    })

    test('is interrupted in mid-reply, and the server is told what was heard', () => {
      const { session, metrics, heard } = outcomeOf(name)
      expect(metrics.bargeIns).toBe(1)
      expect(session.record.truncates).toHaveLength(1)
      const [truncate] = session.record.truncates
      expect(Math.abs((truncate?.audioEndMs ?? 0) - (heard[3]?.audibleMs ?? 0))).toBeLessThanOrEqual(truncateOffMs)
    })

    test('ends by the tool, when its farewell has been heard in full', () => {
      const { record: facts, heard } = outcomeOf(name)
      expect(facts.cause).toBe('agent')
      expect(Math.abs((heard.at(-1)?.audibleMs ?? 0) - farewellMs)).toBeLessThan(120)
    })

    test('was refused nothing, and leaves no gate shut', () => {
      const { session, metrics, record: facts } = outcomeOf(name)
      expect(session.record.errors).toEqual([])
      expect(metrics.gating).toBe(0)
      expect(facts.incidents).toEqual([])
    })
  })
})

describe('when something goes wrong', () => {
  const replyTimeoutMs = 1500
  const yaml = `    reply_timeout_ms: ${replyTimeoutMs}\n    turn_detection:\n      silence_duration_ms: 800\n`
  let place: Place
  let made = 0

  beforeAll(async () => {
    place = await start(
      'faults',
      {
        greeting: { text: 'Hello.', ms: greetingMs },
        // The first reply of a session fails as that session is told to, the others don't.
        replies: ({ index, session }) => {
          const fault = faults.get(session)
          return index === 0 && fault !== undefined ? { ms: 3000, fault } : { text: 'Here it is.', ms: shortMs }
        },
      },
      yaml,
    )
  }, 60_000)

  afterAll(() => stop(place))

  const faults = new Map<StandinSession, ReplyFault>()

  /** A call whose session is known, greeted; what comes of it is for the caller to tell. */
  async function call() {
    made += 1
    const number = `555970${made}`
    const line = await telephones.call(asterisk, { extension: '120', callerId: number })
    return { ...line, id: await engineCallFrom(place.engine, number) }
  }

  async function greeted() {
    const line = await call()
    const session = await place.standin.nextSession()
    await line.caller.waitForSpeech(10_000)
    await line.caller.waitForQuiet(500)
    return { ...line, session }
  }

  async function ended({ caller, call: placed, id }: ReactiveCall & { readonly id: string }) {
    await caller.hangUp(300)
    await placed.ended
    const facts = await record(place.engine, id)
    const codes = (facts.incidents as readonly { readonly code: string }[]).map(({ code }) => code)
    return { facts, codes }
  }

  /** From the end of what the caller says to the first sound of the agent's. */
  async function answeredAfterMs({ caller }: ReactiveCall): Promise<number> {
    await caller.say(sentences[0] ?? new Int16Array(0))
    const saidMs = clock.now()
    await caller.waitForSpeech(10_000)
    return clock.now() - saidMs
  }

  const busyMachineMs = 1500

  test('an error in place of a reply: it is asked for again', async () => {
    const line = await greeted()
    faults.set(line.session, { kind: 'error' })
    expect(await answeredAfterMs(line)).toBeLessThan(800 + replyTimeoutMs + busyMachineMs)
    await line.caller.waitForQuiet(500)
    const { codes, facts } = await ended(line)
    expect(codes.length).toBeGreaterThan(0)
    expect((facts.turns as unknown[]).length).toBe(1)
    expect(heardIn(line.caller.heard.all).at(-1)).toMatchObject({ audibleMs: expect.closeTo(shortMs, -2) })
  }, 60_000)

  test('silence behind response.created: a filler, then the reply', async () => {
    const line = await greeted()
    faults.set(line.session, { kind: 'silence' })
    expect(await answeredAfterMs(line)).toBeLessThan(800 + replyTimeoutMs + busyMachineMs)
    await line.caller.waitForQuiet(1500)
    const { codes } = await ended(line)
    expect(codes).toContain('reply_timeout')
    // The greeting, the one that stayed silent, and the same again, heard to its end.
    expect(line.session.record.responses).toBe(3)
    expect(heardIn(line.caller.heard.all).at(-1)?.audibleMs).toBeGreaterThan(shortMs - 100)
  }, 60_000)

  test('the connection is cut in mid-reply: another session says the rest', async () => {
    const line = await greeted()
    faults.set(line.session, { kind: 'cut', afterMs: 900 })
    await answeredAfterMs(line)
    const next = await place.standin.nextSession()
    await line.caller.waitForQuiet(1500)
    const { codes } = await ended(line)
    expect(codes).toContain('connection_lost')
    // It is told what was said before it.
    expect(next.record.counts['conversation.item.create'] ?? 0).toBeGreaterThan(0)
    expect(next.record.errors).toEqual([])
    expect(next.record.responses).toBeGreaterThan(0)
  }, 60_000)

  test('the session expires between two turns: the next one is answered by another', async () => {
    const line = await greeted()
    line.session.expire()
    const next = await place.standin.nextSession()
    await answeredAfterMs(line)
    await line.caller.waitForQuiet(1000)
    const { codes, facts } = await ended(line)
    expect(codes).toEqual(['session_expired'])
    expect((facts.turns as readonly { outcome: string }[]).map(({ outcome }) => outcome)).toEqual(['answered'])
    expect(next.record.errors).toEqual([])
  }, 60_000)

  test('429: the call waits as long as the server says, and is then greeted', async () => {
    place.standin.refusal = { kind: 'rate_limited', retryAfterSeconds: 2 }
    const line = await call()
    for (let waited = 0; place.standin.refused === 0 && waited < 5000; waited += 20) await Bun.sleep(20)
    place.standin.refusal = null
    await line.caller.waitForSpeech(15_000)
    await place.standin.nextSession()
    await line.caller.waitForQuiet(500)
    const { codes } = await ended(line)
    expect(codes.length).toBeGreaterThan(0)
  }, 60_000)

  test('a key that is refused: the caller is told, and goes on where the dialplan says', async () => {
    place.standin.refusal = { kind: 'bad_key' }
    const line = await call()
    await line.caller.waitForSpeech(15_000)
    await line.call.ended
    const facts = await record(place.engine, line.id)
    expect(facts.cause).toBe('provider_failed')
    expect((facts.incidents as readonly { code: string }[]).map(({ code }) => code)).toContain('bad_key')
    // 620 Hz, as the place in the dialplan has it, is the last that is heard.
    const heard = line.caller.heard.all
    const last = audibleStretches(heard, { sampleRateHz: rateHz }).at(-1)
    if (last === undefined) throw new Error('nothing was heard')
    expect(
      toneShare(cut(heard, rateHz, { startMs: last.endMs - 500, endMs: last.endMs - 100 }), rateHz, 620),
    ).toBeGreaterThan(0.8)
    const health = await place.engine.health()
    expect(health.providers?.openai_realtime?.ready).toBe(false)
    expect(health.providers?.openai_realtime?.reason).toMatch(/key/)
  }, 60_000)
})
