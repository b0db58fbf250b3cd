import { describe, expect, test } from 'bun:test'
import { turn } from '../../../fakes/agent-bench.ts'
import { RealtimeBench, type RealtimeBenchOptions } from '../../../fakes/realtime-standin.ts'
import { slowTool } from '../../../fakes/slow-tool.ts'

// What we ask for beside what the server makes by itself: which answer belongs to what, and none is lost.

/** @param options `forgets`: the server doesn't tell our metadata again */
async function greeted(options: RealtimeBenchOptions & { readonly forgets?: boolean } = {}) {
  const bench = new RealtimeBench({
    ...options,
    standin: { greeting: { text: 'Hello.', ms: 400 }, ...options.standin },
  })
  if (options.forgets === true) bench.server.replaces = (text) => text.replace(/,?"metadata":\{[^}]*\}/, '')
  await bench.open()
  bench.send({ type: 'say', text: 'Hello.' })
  await bench.pass(1100)
  bench.send({ type: 'reply_heard' })
  bench.taken()
  return bench
}

const calls = [{ name: 'look', arguments: {}, callId: 'call_1' }]

describe('an answer that is held and finished', () => {
  test('makes way for what a tool has brought', async () => {
    const { tool, end } = slowTool({ ok: true })
    const bench = await greeted({
      tools: [tool],
      standin: {
        pace: 20,
        replies: [
          { text: 'Let me look that up for you.', ms: 5000, calls },
          { text: 'Answer', ms: 500 },
          { text: 'Result', ms: 900 },
        ],
      },
    })
    await turn(bench)
    await bench.pass(300, 'quiet')
    await turn(bench, 400)
    await bench.pass(200, 'quiet')
    end()
    await bench.pass(1000, 'quiet')
    expect([bench.audioMs, bench.server.errors, bench.received().at(-1)]).toEqual([5900, [], 'response.create'])
    // That reply knew of what the caller had said: no other one is due.
    bench.send({ type: 'reply_heard' })
    await bench.pass(9000, 'quiet')
    expect([bench.of('incident'), bench.of('fault'), bench.received().at(-2)]).toEqual([
      [],
      [],
      'conversation.item.delete',
    ])
  })
})

describe.each([
  ['that tells our number again', false],
  ['that does not', true],
] as const)('a server %s', (_what, forgets) => {
  test('answers the caller just when we ask for something else: both are heard, one after the other', async () => {
    const bench = await greeted({
      forgets,
      standin: {
        greeting: { text: 'Hello.', ms: 700 },
        replies: [{ text: 'Answer', ms: 500 }],
      },
    })
    bench.send({ type: 'say', text: 'Are you there?' })
    bench.server.last.turnEnded()
    await bench.pass(2500)
    expect([bench.audioMs, bench.server.errors]).toEqual([1200, ['conversation_already_has_active_response']])
    expect(bench.received().slice(2)).toEqual(['response.create', 'response.create'])
  })
})

test.each([
  ['tells our number again', false],
  ['does not', true],
])('a server that %s and answers late what it was asked twice for: one reply', async (_what, forgets) => {
  const bench = await greeted({ forgets, standin: { replies: [{ text: 'Said.', ms: 2000 }] } })
  await turn(bench, 400)
  await bench.pass(1200, 'quiet')
  bench.send({ type: 'reply_heard' })
  const kept: string[] = []
  bench.server.loses = (text) => {
    if (text.includes('response.create')) kept.push(text)
    return text.includes('response.create')
  }
  bench.send({ type: 'say', text: 'Are you there?' })
  await bench.pass(4100, 'quiet')
  bench.send({ type: 'reply_heard' })
  bench.events.length = 0
  for (const text of kept) bench.server.last.receive(bench.server.replaces(text))
  bench.server.loses = () => false
  await bench.pass(3000, 'quiet')
  expect([kept.length, bench.audioMs, bench.server.errors]).toEqual([
    2,
    2000,
    ['conversation_already_has_active_response'],
  ])
})

describe('a reply without any sound', () => {
  test.each([['pcmu'], ['pcm24']] as const)('with %s: nothing of it is passed on', async (format) => {
    const { tool } = slowTool({ ok: true })
    const bench = await greeted({
      options: { format },
      tools: [tool],
      standin: { replies: [{ text: '', ms: 0, calls }] },
    })
    await turn(bench)
    await bench.pass(300)
    expect([bench.audioMs, bench.of('reply_started')]).toEqual([0, []])
  })
})
