import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { SystemClock } from '#base/clock.ts'
import { type Asterisk, startAsterisk } from '../bed/asterisk.ts'
import { engineCallFrom } from '../bed/conversation.ts'
import { type ReactiveCall, Telephones } from '../bed/reactive-caller.ts'
import { RealtimeBed, repliesIn } from '../bed/realtime.ts'
import { readSpeech, type Utterance } from '../bed/speech.ts'
import { audibleStretches, cut, toneShare } from '../bed/wav-analysis.ts'
import { readWav } from '../bed/wav-file.ts'
import type { ReplyFault } from '../standin/openai-realtime/options.ts'
import type { StandinSession } from '../standin/openai-realtime/session.ts'

// What a caller hears of a realtime agent in trouble, over SIP and the real Asterisk, and what the call's record says.

const clock = new SystemClock()
const shortMs = 1200
const replyTimeoutMs = 1500
const endOfTurnMs = 800
/** What a machine that runs other tests may add to a deadline. */
const busyMs = 1500
/** The tone of the place in the dialplan to which failed calls go. */
const elsewhereHz = 620

let asterisk: Asterisk
let telephones: Telephones
let bed: RealtimeBed
let sentence: Int16Array
let made = 0
// keyed by: session; which of its first replies fail, and how
const faults = new Map<StandinSession, { readonly fault: ReplyFault; readonly replies: number }>()

beforeAll(async () => {
  sentence = (await readWav(((await readSpeech())[7] as Utterance).path)).samples
  asterisk = await startAsterisk({
    configuration: {
      'extensions.conf': [
        '[agent]',
        'exten => 120,1,Stasis(faults)',
        ' same => n,Hangup()',
        '[elsewhere]',
        'exten => s,1,Playtones(620)',
        ' same => n,Wait(1)',
        ' same => n,Hangup()',
        '',
      ].join('\n'),
    },
  })
  telephones = new Telephones()
  bed = await RealtimeBed.start(
    asterisk.ari,
    'faults',
    {
      greeting: { text: 'Hello.', ms: 1000 },
      replies: ({ index, session }) => {
        const planned = faults.get(session)
        return planned !== undefined && index < planned.replies
          ? { ms: 3000, fault: planned.fault }
          : { text: 'Here it is.', ms: shortMs }
      },
    },
    `    reply_timeout_ms: ${replyTimeoutMs}\n    turn_detection:\n      silence_duration_ms: ${endOfTurnMs}\n`,
  )
}, 300_000)

afterAll(async () => {
  await bed?.stop()
  telephones?.close()
  await asterisk?.stop()
})

type Call = ReactiveCall & { readonly id: string }

async function call(): Promise<Call> {
  made += 1
  const number = `555970${made}`
  const line = await telephones.call(asterisk, { extension: '120', callerId: number })
  return { ...line, id: await engineCallFrom(bed.engine, number) }
}

/** A call that has been greeted, and whose session is known. */
async function greeted(plan?: { readonly fault: ReplyFault; readonly replies?: number }) {
  const line = await call()
  const session = await bed.standin.nextSession()
  if (plan !== undefined) faults.set(session, { replies: 1, ...plan })
  await line.caller.waitForSpeech(10_000)
  await line.caller.waitForQuiet(500)
  return { ...line, session }
}

/** From the end of what the caller says to the first sound of the agent's. */
async function answeredAfterMs({ caller }: ReactiveCall): Promise<number> {
  await caller.say(sentence)
  const saidMs = clock.now()
  await caller.waitForSpeech(10_000)
  return clock.now() - saidMs
}

async function recordOf({ call: placed, id }: Call) {
  await placed.ended
  const record = await bed.record(id)
  const codes = (record.incidents as readonly { readonly code: string }[]).map(({ code }) => code)
  const outcomes = (record.turns as readonly { readonly outcome: string }[]).map(({ outcome }) => outcome)
  return { record, codes, outcomes }
}

async function hungUp(line: Call) {
  await line.caller.hangUp(300)
  return await recordOf(line)
}

/** The caller went on in the dialplan, which has the last word. */
function expectElsewhere({ caller }: ReactiveCall): void {
  const heard = caller.heard.all
  const last = audibleStretches(heard, { sampleRateHz: 8000 }).at(-1)
  if (last === undefined) throw new Error('nothing was heard')
  const tone = cut(heard, 8000, { startMs: last.endMs - 500, endMs: last.endMs - 100 })
  expect(toneShare(tone, 8000, elsewhereHz)).toBeGreaterThan(0.8)
}

describe('a reply', () => {
  test('in whose place an error comes is asked for again', async () => {
    const line = await greeted({ fault: { kind: 'error' } })
    expect(await answeredAfterMs(line)).toBeLessThan(endOfTurnMs + replyTimeoutMs + busyMs)
    await line.caller.waitForQuiet(500)
    const { codes, outcomes } = await hungUp(line)
    expect(codes).toEqual(['server_error', 'response_failed'])
    expect(outcomes).toEqual(['answered'])
    expect(Math.abs((repliesIn(line.caller.heard.all).at(-1)?.audibleMs ?? 0) - shortMs)).toBeLessThan(120)
  }, 60_000)

  test('that does not come is asked for again behind a filler', async () => {
    const line = await greeted({ fault: { kind: 'silence' } })
    expect(await answeredAfterMs(line)).toBeLessThan(endOfTurnMs + replyTimeoutMs + busyMs)
    await line.caller.waitForQuiet(1500)
    const { codes } = await hungUp(line)
    expect(codes).toEqual(['reply_timeout'])
    // The greeting, the one that stayed silent, and the same again, heard to its end.
    expect(line.session.record.responses).toBe(3)
    expect(repliesIn(line.caller.heard.all).at(-1)?.audibleMs).toBeGreaterThan(shortMs - 100)
  }, 60_000)

  test('that never comes: filler, another try, the notice, and the dialplan', async () => {
    const line = await greeted({ fault: { kind: 'silence' }, replies: 9 })
    expect(await answeredAfterMs(line)).toBeLessThan(endOfTurnMs + replyTimeoutMs + busyMs)
    const { codes, record } = await recordOf(line)
    expect(record.cause).toBe('provider_failed')
    expect(codes).toEqual(['reply_timeout', 'timeout'])
    expectElsewhere(line)
  }, 60_000)

  test('whose connection is cut in the middle is finished by another session', async () => {
    const line = await greeted({ fault: { kind: 'cut', afterMs: 900 } })
    await answeredAfterMs(line)
    const next = await bed.standin.nextSession()
    await line.caller.waitForQuiet(1500)
    const { codes } = await hungUp(line)
    expect(codes).toEqual(['connection_lost'])
    // It is told what was said before it.
    expect(next.record.counts['conversation.item.create'] ?? 0).toBeGreaterThan(0)
    expect(next.record.errors).toEqual([])
    expect(next.record.responses).toBeGreaterThan(0)
  }, 60_000)
})

describe('a session', () => {
  test('that expires between two turns is followed by another', async () => {
    const line = await greeted()
    line.session.expire()
    const next = await bed.standin.nextSession()
    await answeredAfterMs(line)
    await line.caller.waitForQuiet(1000)
    const { codes, outcomes } = await hungUp(line)
    expect(codes).toEqual(['session_expired'])
    expect(outcomes).toEqual(['answered'])
    expect(next.record.errors).toEqual([])
  }, 60_000)

  test('that is refused with 429 waits as long as the server says, and the next call is taken', async () => {
    const { modelRequests } = bed.standin
    bed.standin.refusal = { kind: 'rate_limited', retryAfterSeconds: 2 }
    const line = await call()
    // The upgrade tells no reason: the account is asked for it, and for how long to wait.
    for (let waited = 0; bed.standin.modelRequests === modelRequests && waited < 5000; waited += 20) await Bun.sleep(20)
    const toldMs = clock.now()
    bed.standin.refusal = null
    await line.caller.waitForSpeech(15_000)
    await bed.standin.nextSession()
    expect(clock.now() - toldMs).toBeGreaterThan(1900)
    await line.caller.waitForQuiet(500)
    const { codes } = await hungUp(line)
    expect(codes).toContain('rate_limited')
    expect((await bed.engine.health()).providers?.openai_realtime).toMatchObject({ ready: true })
  }, 60_000)

  // Last: a key that was refused is refused to the next call at its door.
  test('that is refused for its key: the caller is told, and goes on in the dialplan', async () => {
    bed.standin.refusal = { kind: 'bad_key' }
    const line = await call()
    await line.caller.waitForSpeech(15_000)
    const { codes, record } = await recordOf(line)
    expect(record.cause).toBe('provider_failed')
    expect(codes).toContain('bad_key')
    expectElsewhere(line)
    const { openai_realtime: provider } = (await bed.engine.health()).providers ?? {}
    expect(provider).toMatchObject({ ready: false, reason: expect.stringMatching(/key/) })
  }, 60_000)
})
