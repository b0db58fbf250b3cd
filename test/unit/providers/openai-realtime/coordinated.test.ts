import { expect, test } from 'bun:test'
import { createTerminateCall } from '#tools/terminate-call.ts'
import { coordinatedCall } from '../../../fakes/coordinated-call.ts'
import { RealtimeBench } from '../../../fakes/realtime-standin.ts'
import type { Reply } from '../../../standin/openai-realtime/options.ts'

async function call(replies: readonly Reply[], pace = 20) {
  const bench = await new RealtimeBench({
    tools: [createTerminateCall()],
    standin: { greeting: { text: 'Hello.', ms: 400 }, replies, pace },
  }).open()
  return await coordinatedCall(bench, 'openai_realtime')
}

const long: Reply = { text: 'A long answer to the question.', ms: 5000 }
const bye: Reply = { text: 'Goodbye.', ms: 800, calls: [{ name: 'terminate_call', arguments: {} }] }
test.each([
  ['that is there long before it is heard', 20, [long, { text: 'For the cough.' }, { text: 'For the noise.' }, bye]],
  // The server makes no answer beside the one that it is making.
  ['that is still being made', 1.5, [long, bye]],
] as const)(
  'over a reply %s: a cough, a noise that only the server hears, an interruption; and the end',
  async (_what, pace, replies) => {
    const { bench, coordinator, observer, ends, sound } = await call(replies, pace)
    await sound(800)
    await bench.pass(700, 'quiet')
    expect(coordinator.turnState).toBe('agent_speaking')
    // Shorter than what interrupts.
    await sound(160)
    await bench.pass(600, 'quiet')
    expect(coordinator.turnState).toBe('agent_speaking')
    await sound(160, false)
    await bench.pass(600, 'quiet')
    expect(coordinator.turnState).toBe('agent_speaking')
    expect(bench.received().filter((type) => type === 'conversation.item.delete').length).toBe(2)

    await sound(500)
    expect(observer.interruptions.length).toBe(1)
    const heardMs = Number(/\d+/.exec(observer.interruptions[0] ?? '')?.[0])
    await bench.pass(40, 'quiet')
    expect(bench.server.last.record.truncates).toMatchObject([{ audioEndMs: heardMs }])
    await bench.pass(700, 'quiet')
    await bench.pass(400, 'quiet')
    expect(ends).toEqual([])
    await bench.pass(600, 'quiet')
    expect([ends, coordinator.turns.all[1]?.heardMs]).toEqual([['agent'], 800])
    expect(coordinator.turns.all.map(({ outcome }) => outcome)).toEqual(['interrupted', 'answered'])
    expect(coordinator.turns.all.map(({ callerText }) => callerText)).toEqual(['caller turn 1', 'caller turn 4'])
    expect(coordinator.turns.all[1]?.agentText).toBe('Goodbye.')
    expect(bench.server.errors.filter((code) => !/active_response/.test(code))).toEqual([])
    coordinator.end()
    expect([coordinator.gateClosed, coordinator.turnState]).toEqual([false, 'ended'])
  },
)

test('the server falls silent for good: filler, notice, and the end', async () => {
  const { bench, coordinator, ends, leg, sound } = await call([{ fault: { kind: 'silence' } }])
  const before = leg.heard.filter((sample) => sample !== 0).length
  await sound(800)
  await bench.pass(700, 'quiet')
  await bench.pass(4300, 'quiet')
  // Two soft tones.
  expect(leg.heard.filter((sample) => sample !== 0).length - before).toBeGreaterThan(2000)
  await bench.pass(5000, 'quiet')
  expect(coordinator.turns.all.map(({ outcome }) => outcome)).toEqual(['answered'])
  expect(ends).toEqual(['provider_failed'])
})
