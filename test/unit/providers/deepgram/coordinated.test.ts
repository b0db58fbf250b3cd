import { expect, test } from 'bun:test'
import { createTerminateCall } from '#tools/terminate-call.ts'
import { coordinatedCall } from '../../../fakes/coordinated-call.ts'
import { AgentBench } from '../../../fakes/deepgram-agent.ts'
import type { Reply, ReplyRequest, ReplyScript, StandinOptions } from '../../../standin/deepgram/options.ts'

async function call(replies: readonly Reply[] | ReplyScript, standin: Partial<StandinOptions> = {}) {
  const bench = await new AgentBench({
    tools: [createTerminateCall()],
    standin: { greeting: { ms: 400 }, injected: { ms: 2000 }, replies, pace: 20, ...standin },
  }).open()
  return await coordinatedCall(bench, 'deepgram')
}

const long: Reply = { text: 'A long answer to the question, which goes on for quite some time.', ms: 5000 }
const bye: Reply = { text: 'Goodbye.', ms: 800, calls: [{ name: 'terminate_call', arguments: {} }] }

test('over a reply that is there long before it is heard: a cough, a noise that only the server hears, an interruption; and the end', async () => {
  const replies = [long, { text: 'For the cough.', ms: 600 }, { text: 'For the noise.', ms: 600 }, bye]
  const { bench, coordinator, observer, ends, sound } = await call(replies)
  await sound(800)
  await bench.pass(700, 'quiet')
  expect(coordinator.turnState).toBe('agent_speaking')
  // Shorter than what interrupts.
  await sound(160)
  await bench.pass(700, 'quiet')
  expect(coordinator.turnState).toBe('agent_speaking')
  await sound(160, false)
  await bench.pass(700, 'quiet')
  expect(coordinator.turnState).toBe('agent_speaking')
  // Nothing is to be said again: all of it had come.
  expect(bench.received().includes('InjectAgentMessage')).toBeFalse()

  await sound(500)
  expect(observer.interruptions.length).toBe(1)
  await bench.pass(1100, 'quiet')
  expect(ends).toEqual([])
  await bench.pass(700, 'quiet')
  expect([ends, coordinator.turns.all[1]?.heardMs]).toEqual([['agent'], 800])
  expect(coordinator.turns.all.map(({ outcome }) => outcome)).toEqual(['interrupted', 'answered'])
  expect(coordinator.turns.all.map(({ callerText }) => callerText)).toEqual(['caller turn 1', 'caller turn 4'])
  expect(long.text).toStartWith(coordinator.turns.all[0]?.agentText ?? '?')
  expect(coordinator.turns.all[1]?.agentText).toBe('Goodbye.')
  expect(bench.server.errors).toEqual([])
  coordinator.end()
  expect([coordinator.gateClosed, coordinator.turnState]).toEqual([false, 'ended'])
})

test('over a reply that is still being made: a cough costs nothing of its words', async () => {
  const { bench, coordinator, leg, sound } = await call([long], { pace: 1.3, callerTranscripts: ['What is it?', ''] })
  await sound(800)
  await bench.pass(1500, 'quiet')
  expect(coordinator.turnState).toBe('agent_speaking')
  await sound(160)
  await bench.pass(700, 'quiet')
  expect(coordinator.turnState).toBe('agent_speaking')
  const rest = bench.last.record.received.find(({ message }) => message.type === 'InjectAgentMessage')?.message
  expect(long.text).toEndWith(String(rest?.message))
  await bench.pass(4000, 'quiet')
  expect(coordinator.turnState).toBe('listening')
  // The greeting, what had come of the reply, and the rest of it.
  const soundedMs = leg.heard.filter((sample) => sample !== 0).length / 8
  expect(soundedMs).toBeWithin(400 + 1200 + 1900, 400 + 3000 + 2000)
  expect(coordinator.turns.all.map(({ outcome }) => outcome)).toEqual(['answered'])
})

test('a caller’s “bye” over the farewell: all of it is heard all the same', async () => {
  const end: Reply = { calls: [{ name: 'terminate_call', arguments: {} }] }
  const farewell: Reply = { text: 'Goodbye then, and thank you very much for calling us.', ms: 3000 }
  const replies = ({ afterFunctionResponse }: ReplyRequest) => (afterFunctionResponse ? farewell : end)
  const { bench, coordinator, ends, leg, sound } = await call(replies, { pace: 1.2, callerTranscripts: ['Bye.', ''] })
  await sound(800)
  await bench.pass(1500, 'quiet')
  expect(coordinator.turnState).toBe('agent_speaking')
  await sound(400)
  expect(ends).toEqual([])
  await bench.pass(3000, 'quiet')
  expect(ends).toEqual(['agent'])
  // The greeting, and all of the farewell, but where a tone crosses zero.
  const soundedMs = leg.heard.filter((sample) => sample !== 0).length / 8
  expect(soundedMs).toBeGreaterThan(400 + 2800)
})

test('the server falls silent for good: fillers, notice, and the end', async () => {
  const { bench, coordinator, ends, leg, sound } = await call([{ fault: { kind: 'silence' } }])
  const before = leg.heard.filter((sample) => sample !== 0).length
  await sound(800)
  await bench.pass(700, 'quiet')
  await bench.pass(4300, 'quiet')
  // Two soft tones.
  expect(leg.heard.filter((sample) => sample !== 0).length - before).toBeGreaterThan(2000)
  await bench.pass(7500, 'quiet')
  expect(coordinator.turns.all.map(({ outcome }) => outcome)).toEqual(['answered'])
  expect(ends).toEqual(['provider_failed'])
})

test('a sound without words in silence: the engine listens again', async () => {
  const { bench, coordinator, sound } = await call([long], { callerTranscripts: [''] })
  await sound(300)
  expect(coordinator.turnState).toBe('caller_speaking')
  await bench.pass(4500, 'quiet')
  expect(coordinator.turnState).toBe('listening')
  expect(coordinator.turns.all.map(({ outcome }) => outcome)).toEqual(['no_words'])
})

test('a server that hears nothing any more: the caller is asked to say it again, and then answered', async () => {
  const { bench, coordinator, sound } = await call([{ text: 'Yes, of course.', ms: 600 }])
  bench.last.mute = true
  await sound(900)
  await bench.pass(5000, 'quiet')
  // The apology is the injected text.
  expect(coordinator.turns.all.map(({ outcome }) => outcome)).toEqual(['fault'])
  expect(bench.received()).toContain('InjectAgentMessage')
  await bench.pass(3000, 'quiet')
  expect(coordinator.turnState).toBe('listening')
  await sound(900)
  await bench.pass(3000, 'quiet')
  expect(coordinator.turns.all.map(({ outcome }) => outcome)).toEqual(['fault', 'answered'])
  coordinator.end()
})
