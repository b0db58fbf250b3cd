import { describe, expect, test } from 'bun:test'
import { turn } from '../../../fakes/agent-bench.ts'
import { RealtimeBench, type RealtimeBenchOptions } from '../../../fakes/realtime-standin.ts'
import { slowTool } from '../../../fakes/slow-tool.ts'

// What goes on in a call whose session is made anew: what sounds, what is held, what runs.

async function greeted(options: RealtimeBenchOptions = {}) {
  const bench = await new RealtimeBench({
    ...options,
    standin: { greeting: { text: 'Hello.', ms: 400 }, ...options.standin },
  }).open()
  bench.send({ type: 'say', text: 'Hello.' })
  await bench.pass(1100)
  bench.send({ type: 'reply_heard' })
  return bench
}

const calls = [{ name: 'look', arguments: {}, callId: 'call_1' }]
const asks = { calls }
const answer = { text: 'Seven.', ms: 600 }
const items = (bench: RealtimeBench) => bench.server.last.conversation.items.map(({ item }) => JSON.stringify(item))

test('what sounds is interrupted after it: the new session has of it what was heard, and no audio to cut', async () => {
  const text = 'One two three four five six seven eight nine ten.'
  const bench = await greeted({ standin: { pace: 10, replies: [{ text, ms: 6000 }] } })
  await turn(bench)
  await bench.pass(900, 'quiet')
  bench.server.last.cut()
  await bench.pass(1000, 'quiet')
  bench.send({ type: 'interrupted', heardMs: 1500 })
  await bench.pass(100)
  expect([bench.server.errors, bench.server.last.record.truncates]).toEqual([[], []])
  const last = items(bench).at(-1) ?? ''
  expect(last).toContain('One two')
  expect(items(bench).join()).not.toContain('five')
})

test('an answer that was held is gone with it, and asked for anew when the reply has been heard', async () => {
  const bench = await greeted({
    standin: {
      pace: 20,
      replies: [
        { text: 'A long one.', ms: 5000 },
        { text: 'Held.', ms: 500 },
      ],
    },
  })
  await turn(bench)
  await bench.pass(300, 'quiet')
  await turn(bench, 400)
  await bench.pass(200, 'quiet')
  bench.server.last.cut()
  await bench.pass(1000, 'quiet')
  expect(bench.received()).not.toContain('response.create')
  bench.send({ type: 'reply_heard' })
  await bench.pass(100, 'quiet')
  expect([bench.received().at(-1), bench.server.errors]).toEqual(['response.create', []])
})

describe('a function that runs', () => {
  test('keeps a session from being made anew', async () => {
    const { tool, end } = slowTool({ found: 7 })
    const options = { renew_after_ms: 10_000 }
    const bench = await greeted({ tools: [tool], options, standin: { replies: [asks, answer] } })
    await bench.pass(7000, 'quiet')
    await turn(bench)
    await bench.pass(3500, 'quiet')
    expect(bench.server.sessions.length).toBe(1)
    end()
    await bench.pass(1000, 'quiet')
    expect([bench.server.errors, bench.received().slice(-2)]).toEqual([
      [],
      ['conversation.item.create', 'response.create'],
    ])
  })

  test.each([
    ['after the next has begun', 1000, 20],
    ['before the next has begun', 40, 1000],
  ])('ends %s: that is told in words, and answered', async (_what, beforeMs, afterMs) => {
    const { tool, end } = slowTool({ found: 7 })
    const bench = await greeted({
      tools: [tool],
      standin: { replies: ({ index }) => (index === 0 && bench.server.sessions.length === 1 ? asks : answer) },
    })
    await turn(bench)
    await bench.pass(300, 'quiet')
    bench.server.refuse = beforeMs < 100 ? 503 : null
    bench.server.last.cut()
    await bench.pass(beforeMs, 'quiet')
    bench.events.length = 0
    end()
    await bench.pass(40, 'quiet')
    bench.server.refuse = null
    await bench.pass(3000 + afterMs, 'quiet')
    expect(bench.server.errors).toEqual([])
    expect(items(bench).join()).toContain('The function look gave: {\\"found\\":7}')
    expect([bench.server.sessions.length, bench.audioMs]).toEqual([2, 600])
  })
})
