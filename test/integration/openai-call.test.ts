import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type Asterisk, startAsterisk } from '../bed/asterisk.ts'
import { engineCallFrom } from '../bed/conversation.ts'
import { type ReactiveCall, Telephones } from '../bed/reactive-caller.ts'
import { RealtimeBed, repliesIn } from '../bed/realtime.ts'
import { readSpeech, type Utterance } from '../bed/speech.ts'
import { readWav } from '../bed/wav-file.ts'
import type { ReplyRequest, StandinOptions } from '../standin/openai-realtime/options.ts'
import type { StandinSession } from '../standin/openai-realtime/session.ts'

// Whole calls with a realtime agent: a telephone, SIP, the real Asterisk, the engine as a process, and over a WebSocket
// the stand-in, which holds every message to the official types and refuses what the real server would refuse.

const turns = 5
/** The reply to this turn is long, and is interrupted. */
const interruptedTurn = 2
const [shortMs, longMs, farewellMs, greetingMs] = [1200, 6000, 1500, 1000]
const truncateOffMs = 40
/** Asterisk inserts a frame now and then, and a window at either end may count. */
const audibleOffMs = 120

/** Turn by turn; the last one asks to end the call with its farewell. */
function script({ index }: ReplyRequest) {
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

/** Longer than a pause within a sentence. */
const silence = '    turn_detection:\n      silence_duration_ms: 800\n'
const variants: readonly Variant[] = [
  { name: 'server VAD, µ-law', extension: '110', standin: {}, yaml: `    format: pcmu\n${silence}` },
  {
    name: 'turns by this engine',
    extension: '111',
    standin: {},
    // The same here: a sentence that is cut in two would be a turn more than the script has.
    yaml: '    turn_detection:\n      type: none\nturn_taking:\n  stop: silence\nvad:\n  end_silence_ms: 800\n',
  },
  // Barely faster than it is heard: the interruption finds the reply still being made, and pieces of it on their way.
  {
    name: 'a slow server',
    extension: '114',
    standin: { pace: 1.2, lateDeltas: 3, lateDeltasAfterDone: 2 },
    yaml: `    format: pcmu\n${silence}`,
  },
  { name: 'beta names', extension: '112', standin: { names: 'beta' }, yaml: `    format: pcmu\n${silence}` },
  { name: 'server VAD, PCM 24 kHz', extension: '113', standin: {}, yaml: `    format: pcm24\n${silence}` },
]

let asterisk: Asterisk
let telephones: Telephones
let sentences: Int16Array[]

beforeAll(async () => {
  const spoken = await readSpeech()
  // Short ones for the turns; the one that interrupts is long.
  sentences = await Promise.all(
    [1, 6, 7, 8, 5, 4].map(async (index) => (await readWav((spoken[index] as Utterance).path)).samples),
  )
  const extensions = variants.map(
    ({ extension }) => `exten => ${extension},1,Stasis(agent${extension})\n same => n,Hangup()\n`,
  )
  asterisk = await startAsterisk({ configuration: { 'extensions.conf': `[agent]\n${extensions.join('')}` } })
  telephones = new Telephones()
}, 300_000)

afterAll(async () => {
  telephones?.close()
  await asterisk?.stop()
})

async function wholeCall({ extension, standin: options, yaml }: Variant) {
  const bed = await RealtimeBed.start(
    asterisk.ari,
    `agent${extension}`,
    { replies: script, greeting: { text: 'Hello.', ms: greetingMs }, ...options },
    yaml,
  )
  const { engine, standin } = bed
  try {
    const number = `5559${extension}`
    const line = await telephones.call(asterisk, { extension, callerId: number })
    const id = await engineCallFrom(engine, number)
    const session = await standin.nextSession()
    await converse(line, session)
    await line.call.ended
    await engine.untilIdle()
    return {
      record: await bed.record(id),
      session,
      heard: repliesIn(line.caller.heard.all),
      gating: await engine.metric('ai_agent_tts_gating_active'),
      gatesClosed: (await engine.health()).conversation.gates_closed,
      sessionsOpen: await engine.metric('ai_agent_provider_sessions'),
      interruptions: await engine.metric('ai_agent_barge_in_events_total{verdict="interruption"}'),
    }
  } finally {
    await bed.stop()
  }
}

async function converse({ caller }: ReactiveCall, session: StandinSession): Promise<void> {
  await caller.waitForSpeech(10_000)
  await caller.waitForQuiet(500)
  for (let turn = 0; turn < turns - 1; turn += 1) {
    await caller.say(sentences[turn] ?? new Int16Array(0))
    if (turn === interruptedTurn) await caller.sayAfter(1500, sentences[turns] ?? new Int16Array(0), 10_000)
    // The greeting, and the reply to each turn so far, the interruption being one.
    await untilReplied(session, turn < interruptedTurn ? turn + 2 : turn + 3)
    await caller.waitForSpeech(5000)
    await caller.waitForQuiet(500)
  }
  await caller.say(sentences[turns - 1] ?? new Int16Array(0))
  await caller.gone
}

async function untilReplied(session: StandinSession, replies: number): Promise<void> {
  const said = () => new Set(session.record.deltas.map(({ responseId }) => responseId)).size
  for (let waited = 0; said() < replies && waited < 10_000; waited += 20) await Bun.sleep(20)
}

describe('a call with a realtime agent', () => {
  // keyed by: the variant's name
  const calls = new Map<string, Awaited<ReturnType<typeof wholeCall>>>()

  // Side by side, as calls are.
  beforeAll(async () => {
    const outcomes = await Promise.all(variants.map(wholeCall))
    for (const [index, outcome] of outcomes.entries()) calls.set(variants[index]?.name ?? '', outcome)
  }, 180_000)

  const callOf = (name: string) => {
    const call = calls.get(name)
    if (call === undefined) throw new Error(`no call of ${name}`)
    return call
  }

  describe.each(variants)('$name', ({ name }) => {
    test('greets, takes every turn, and answers each of them audibly', () => {
      const { record, heard } = callOf(name)
      const told = record.turns as readonly { readonly outcome: string; readonly caller_text: string }[]
      const after = Array<string>(turns - interruptedTurn).fill('answered')
      expect(told.map(({ outcome }) => outcome)).toEqual(['answered', 'answered', 'interrupted', ...after])
      expect(told.map(({ caller_text: text }) => text)).toEqual([1, 2, 3, 4, 5, 6].map((turn) => `caller turn ${turn}`))
      expect(heard.map(({ reply }) => reply)).toEqual([39, 0, 1, 2, 3, 4, 5])
      const whole = [greetingMs, shortMs, shortMs, null, shortMs, shortMs, farewellMs]
      for (const [index, ms] of whole.entries()) {
        if (ms === null) continue
        expect(Math.abs((heard[index]?.audibleMs ?? 0) - ms), `sound ${index}`).toBeLessThan(audibleOffMs)
      }
    })

    test('is interrupted in mid-reply, and the server is told what was heard', () => {
      const { session, interruptions, heard } = callOf(name)
      expect(interruptions).toBe(1)
      expect(session.record.truncates).toHaveLength(1)
      const [truncate] = session.record.truncates
      const heardMs = heard[1 + interruptedTurn]?.audibleMs ?? 0
      expect(Math.abs((truncate?.audioEndMs ?? 0) - heardMs)).toBeLessThanOrEqual(truncateOffMs)
    })

    test('ends by the tool, was refused nothing, and leaves nothing behind', () => {
      const { record, session, gating, gatesClosed, sessionsOpen } = callOf(name)
      expect([record.cause, record.faults, record.incidents]).toEqual(['agent', 0, []])
      expect(session.record.errors).toEqual([])
      expect([gating, gatesClosed, sessionsOpen]).toEqual([0, 0, 0])
    })
  })
})
