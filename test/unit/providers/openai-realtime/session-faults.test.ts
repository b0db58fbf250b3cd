import { describe, expect, test } from 'bun:test'
import { createTerminateCall } from '#tools/terminate-call.ts'
import type { Tool } from '#tools/tool.ts'
import { RealtimeBench, type RealtimeBenchOptions } from '../../../fakes/realtime-standin.ts'
import type { ReplyFault } from '../../../standin/openai-realtime/options.ts'

// What goes wrong, and what the caller hears then.

const recorded = { 'One moment, please.': 700, 'Something is wrong.': 1200, 'Hello.': 400 }

async function open(options: RealtimeBenchOptions = {}) {
  return await new RealtimeBench({ recorded, ...options }).open()
}

/** Greeted by a server that then has this fault, once or always. */
async function greeted(fault: ReplyFault, options: RealtimeBenchOptions & { readonly always?: boolean } = {}) {
  let asked = 0
  const bench = await open({
    ...options,
    standin: {
      greeting: { text: 'Hello.', ms: 400 },
      replies: () =>
        asked++ === 0 || options.always === true
          ? { text: 'Yes and no and so on.', ms: 3000, fault }
          : { text: 'Yes.', ms: 900 },
      ...options.standin,
    },
  })
  bench.send({ type: 'say', text: 'Hello.' })
  await bench.pass(1100)
  bench.send({ type: 'reply_heard' })
  bench.taken()
  return bench
}

async function turn(bench: RealtimeBench): Promise<void> {
  await bench.pass(800, 'hum')
  await bench.pass(520, 'quiet')
}

/** What the sessions were asked with; empty: nothing beside the conversation. */
const asks = (bench: RealtimeBench) =>
  bench.server.sessions
    .flatMap(({ record }) => record.received)
    .flatMap(({ event }) => (event.type === 'response.create' ? [event.response?.instructions ?? ''] : []))

interface Inside {
  active: { finish(status: string, details: object): void; stop(): void } | null
}
const inside = (bench: RealtimeBench) => bench.server.last as unknown as Inside
const failNow = (bench: RealtimeBench) => inside(bench).active?.finish('failed', { error: { code: 'server_error' } })
/** The response is over, and nobody is told. */
function forgetNow(bench: RealtimeBench): void {
  inside(bench).active?.stop()
  inside(bench).active = null
}

const incidents = (bench: RealtimeBench) => bench.of('incident').map(({ code }) => code)
const faults = (bench: RealtimeBench) => bench.of('fault').map(({ code, final }) => `${code} ${final === true}`)

describe('never mute', () => {
  test('no audio in time: the filler, then the reply that was asked for again', async () => {
    const bench = await greeted({ kind: 'silence' })
    await turn(bench)
    await bench.pass(3900)
    expect(bench.of('audio')).toEqual([])
    await bench.pass(100)
    expect([incidents(bench), (bench.of('audio')[0]?.frame.samples.length ?? 0) / 8]).toEqual([['reply_timeout'], 700])
    bench.send({ type: 'reply_heard' })
    await bench.pass(500)
    expect([bench.audioMs, faults(bench), bench.server.errors]).toEqual([1600, [], []])
    expect(bench.received().slice(2)).toEqual(['response.cancel', 'response.create'])
  })

  test('nor then: the session has failed for good, within twice the deadline', async () => {
    const bench = await greeted({ kind: 'silence' }, { always: true })
    await turn(bench)
    await bench.pass(8100)
    expect([incidents(bench), faults(bench)]).toEqual([['reply_timeout'], ['timeout true']])
    bench.send({ type: 'say', text: 'Something is wrong.' })
    await bench.pass(20)
    expect(bench.audioMs).toBe(1900)
  })

  test('without a voice of our own the filler is two tones', async () => {
    const bench = await greeted({ kind: 'silence' }, { recorded: {} })
    await turn(bench)
    await bench.pass(4100)
    expect((bench.of('audio')[0]?.frame.samples.length ?? 0) / 8).toBe(440)
  })

  test('the caller speaks again meanwhile: nobody is told to wait', async () => {
    const bench = await greeted({ kind: 'silence' })
    await turn(bench)
    await bench.pass(3000)
    await bench.pass(2000, 'hum')
    expect([incidents(bench), bench.audioMs]).toEqual([[], 0])
  })

  test('a response that failed is asked for again at once', async () => {
    const bench = await greeted({ kind: 'failed', code: 'server_error' })
    await turn(bench)
    await bench.pass(400)
    expect([incidents(bench), bench.audioMs, faults(bench)]).toEqual([['response_failed'], 900, []])
  })

  test('one that failed twice is a fault; the call goes on', async () => {
    const bench = await greeted({ kind: 'failed', code: 'server_error' }, { always: true })
    await turn(bench)
    await bench.pass(400)
    expect(faults(bench)).toEqual(['response_failed false'])
  })

  test('an error in place of the response: the same', async () => {
    const bench = await greeted({ kind: 'error' }, { always: true })
    await turn(bench)
    await bench.pass(400)
    expect(faults(bench)).toEqual(['response_failed false'])
  })

  test('no quota: for good, without another try', async () => {
    const bench = await greeted({ kind: 'failed', code: 'insufficient_quota' }, { always: true })
    await turn(bench)
    await bench.pass(100)
    expect([faults(bench), bench.received().slice(2)]).toEqual([['no_quota true'], []])
  })

  test('audio that stops in mid-reply: within the deadline the rest is asked for', async () => {
    const bench = await greeted({ kind: 'stall', afterMs: 1000 })
    await turn(bench)
    await bench.pass(4600)
    expect([incidents(bench), bench.audioMs, bench.of('reply_done').length]).toEqual([['reply_stalled'], 1900, 2])
    expect(asks(bench).at(-1)).toContain('Say the rest')
    expect(bench.server.errors).toEqual([])
  })

  test('a failure late in the deadline: its retry has a deadline of its own', async () => {
    let asked = 0
    const replies = () => (asked++ < 2 ? { fault: { kind: 'silence' } as const } : { text: 'Yes.', ms: 900 })
    const bench = await greeted({ kind: 'silence' }, { standin: { replies } })
    await turn(bench)
    await bench.pass(3300)
    failNow(bench)
    await bench.pass(1000)
    expect([incidents(bench), faults(bench), bench.audioMs]).toEqual([['response_failed', 'reply_timeout'], [], 700])
    await bench.pass(3700)
    expect(faults(bench)).toEqual(['timeout true'])
  })

  test('a server that never ends what was cancelled is asked all the same', async () => {
    const bench = await greeted(
      { kind: 'silence' },
      {
        standin: {
          pace: 1,
          replies: [
            { text: 'A long one.', ms: 9000 },
            { text: 'Yes?', ms: 500 },
          ],
        },
      },
    )
    await turn(bench)
    await bench.pass(600)
    bench.server.loses = (text) => text.includes('response.cancel')
    bench.send({ type: 'interrupted', heardMs: 300 })
    await bench.pass(40)
    forgetNow(bench)
    bench.events.length = 0
    bench.send({ type: 'say', text: 'Are you there?' })
    await bench.pass(4100)
    expect([incidents(bench), bench.received().at(-1)]).toEqual([['reply_timeout'], 'response.create'])
    await bench.pass(500)
    expect([faults(bench), bench.audioMs]).toEqual([[], 1200])
  })

  test('what was said before is heard for longer than the deadline: nobody is told to wait meanwhile', async () => {
    const bench = await greeted({ kind: 'cut', afterMs: 8000 }, { standin: { pace: 20 }, always: true })
    await turn(bench)
    bench.server.refuse = 503
    await bench.pass(9000)
    expect(incidents(bench).filter((code) => code === 'reply_timeout')).toEqual([])
    expect(faults(bench)).toEqual([])
  })
})

describe('a connection that is lost', () => {
  test('in mid-reply: another one, with what was said, says the rest', async () => {
    const bench = await greeted({ kind: 'cut', afterMs: 1500 })
    await turn(bench)
    await bench.pass(600)
    expect(incidents(bench)).toEqual(['connection_lost'])
    expect(bench.of('reply_done').length).toBe(1)
    await bench.pass(1000)
    expect(bench.server.sessions.length).toBe(2)
    const received = bench.server.last.record.received.map(({ event }) => event)
    const items = received.flatMap((event) => (event.type === 'conversation.item.create' ? [event.item] : []))
    expect(items).toMatchObject([
      { role: 'system' },
      { role: 'assistant', content: [{ type: 'output_text', text: 'Hello.' }] },
      { role: 'user', content: [{ type: 'input_text', text: 'caller turn 1' }] },
      { role: 'assistant', content: [{ type: 'output_text' }] },
    ])
    const create = received.find((event) => event.type === 'response.create')
    expect(create?.response?.instructions).toContain('Say the rest')
    expect([bench.server.errors, faults(bench)]).toEqual([[], []])
    expect(bench.audioMs).toBeGreaterThan(2000)
  })

  test('while the caller waits for the reply: it is asked of the next one', async () => {
    const bench = await greeted({ kind: 'silence' })
    await turn(bench)
    await bench.pass(500)
    bench.server.last.cut()
    await bench.pass(1000)
    expect([bench.server.sessions.length, bench.audioMs, faults(bench)]).toEqual([2, 900, []])
  })

  test('while the caller speaks: the agent says that it missed it', async () => {
    const bench = await greeted({ kind: 'silence' }, { standin: { replies: [{ text: 'Pardon?', ms: 600 }] } })
    await bench.pass(600, 'hum')
    bench.server.last.cut()
    await bench.pass(1500, 'quiet')
    expect(bench.taken().slice(0, 3)).toEqual(['speech_started', 'incident', 'speech_stopped'])
    expect(asks(bench).at(-1)).toMatch(/not heard what the caller said last/)
  })

  test('the same in a later turn: words of the one before are not answered again', async () => {
    const bench = await greeted({ kind: 'silence' }, { standin: { replies: [{ text: 'One two.', ms: 600 }] } })
    await turn(bench)
    await bench.pass(600, 'quiet')
    bench.send({ type: 'reply_heard' })
    await bench.pass(600, 'hum')
    bench.server.last.cut()
    await bench.pass(1500, 'quiet')
    expect(asks(bench).at(-1)).toMatch(/not heard what the caller said last/)
  })

  test('what the caller says meanwhile is the first that the next one hears', async () => {
    const bench = await greeted({ kind: 'silence' })
    bench.server.refuse = 503
    bench.server.last.cut()
    await bench.pass(1000, 'hum')
    bench.server.refuse = null
    await bench.pass(5000, 'quiet')
    expect(bench.server.last.record.appendedMs).toBeGreaterThan(5500)
    expect(bench.server.last.record.speechStarted.length).toBe(1)
  })

  test('the hour is over: the same, without a fault', async () => {
    const bench = await greeted(
      { kind: 'silence' },
      { standin: { sessionMaxMs: 20_000, replies: [{ text: 'Yes.', ms: 500 }] } },
    )
    await bench.pass(21_000, 'quiet')
    expect([incidents(bench), bench.server.sessions.length]).toEqual([['session_expired'], 2])
    await turn(bench)
    await bench.pass(500)
    expect([bench.audioMs, faults(bench)]).toEqual([500, []])
  })

  test('before the hour is over a pause is used, and nothing is heard of it', async () => {
    const bench = await greeted(
      { kind: 'silence' },
      { options: { renew_after_ms: 10_000 }, standin: { replies: [{ text: 'Yes.', ms: 500 }] } },
    )
    await bench.pass(8600, 'quiet')
    await bench.pass(800, 'hum')
    await bench.pass(100, 'quiet')
    expect(bench.server.sessions.length).toBe(1)
    await bench.pass(1000, 'quiet')
    bench.send({ type: 'reply_heard' })
    await bench.pass(1000, 'quiet')
    expect([bench.server.sessions.length, incidents(bench), bench.audioMs]).toEqual([2, [], 500])
  })
})

describe('a session that cannot be opened', () => {
  async function calling(options: RealtimeBenchOptions, refuse: number | null) {
    const bench = new RealtimeBench({ recorded, ...options })
    bench.server.refuse = refuse
    bench.server.silent = refuse === null
    await bench.open()
    bench.send({ type: 'say', text: 'Hello.' })
    return bench
  }

  test.each([
    ['a bad key', 401, { status: 401, body: '{"error":{"code":"invalid_api_key"}}' }, 'bad_key'],
    ['no quota', 429, { status: 429, body: '{"error":{"code":"insufficient_quota"}}' }, 'no_quota'],
    ['a deployment that is not there', 404, { status: 200 }, 'session_refused_404'],
    ['an unknown model', 404, { status: 200, body: '{"data":[{"id":"gpt-else"}]}' }, 'unknown_model'],
  ])('%s: the call is given up at once', async (_what, status, models, code) => {
    const bench = await calling({ models }, status)
    await bench.pass(40)
    expect([incidents(bench), faults(bench)]).toEqual([[code], [`${code} true`]])
    bench.send({ type: 'say', text: 'Something is wrong.' })
    await bench.pass(40)
    expect(bench.audioMs).toBe(1200)
  })

  test.each([
    ['too many requests', 429],
    ['a server in trouble', 503],
    ['no answer', null],
  ])('%s: filler, more attempts, and then it is given up', async (_what, status) => {
    const bench = await calling({ models: { status: 200 } }, status)
    await bench.pass(4100)
    expect(bench.audioMs).toBe(700)
    await bench.pass(4100)
    expect(faults(bench)).toEqual(['no_session true'])
    expect(bench.server.urls.length).toBeGreaterThan(1)
    expect(bench.modelRequests).toBeLessThanOrEqual(bench.server.urls.length)
  })

  test('the server asks to be left alone for a while: it is', async () => {
    const bench = await calling({ models: { status: 429, headers: { 'retry-after': '6' } } }, 429)
    await bench.pass(5900)
    expect(bench.server.urls.length).toBe(1)
    bench.server.refuse = null
    await bench.pass(300)
    expect(bench.server.urls.length).toBe(2)
  })

  test('it comes up in time: the greeting is heard after all', async () => {
    const bench = await calling({}, 503)
    await bench.pass(1000)
    bench.server.refuse = null
    await bench.pass(4000)
    expect([faults(bench), bench.audioMs]).toEqual([[], 2000])
  })

  test('no key: it is not even tried', async () => {
    const bench = await calling({ secrets: {} }, 401)
    await bench.pass(40)
    expect([bench.server.urls, faults(bench)]).toEqual([[], ['no_key true']])
  })

  test('our own settings are refused: given up, and the incident names the parameter', async () => {
    const tool: Tool = { ...createTerminateCall(), name: 'hang up' }
    const bench = await open({ tools: [tool] })
    bench.send({ type: 'say', text: 'Hello.' })
    await bench.pass(40)
    expect([incidents(bench), faults(bench)]).toEqual([['session_refused'], ['session_refused true']])
    expect(bench.of('incident')[0]?.message).toContain('session.tools[0].name')
  })
})

test('the greeting in our own voice sounds at once, and the server learns how much was heard', async () => {
  const bench = new RealtimeBench({ recorded, options: { greeting_audio: 'cached' } })
  bench.server.refuse = 503
  await bench.open()
  bench.send({ type: 'say', text: 'Hello.' })
  await bench.pass(20)
  expect([bench.audioMs, bench.taken()]).toEqual([400, ['incident', 'reply_started', 'reply_done']])
  bench.server.refuse = null
  await bench.pass(400)
  bench.send({ type: 'reply_heard' })
  await bench.pass(1000)
  expect(bench.received()).toEqual(['session.update', 'conversation.item.create'])
  expect(bench.server.last.record.received[1]?.event).toMatchObject({
    item: { role: 'assistant', content: [{ type: 'output_text', text: 'Hello.' }] },
  })
  expect(bench.audioMs).toBe(0)
})
