import { describe, expect, test } from 'bun:test'
import type { TurnSettings } from '#call/turn-settings.ts'
import { createTerminateCall } from '#tools/terminate-call.ts'
import { coordinatedCall } from '../../../fakes/coordinated-call.ts'
import type { FakeLeg } from '../../../fakes/leg.ts'
import { RealtimeBench } from '../../../fakes/realtime-standin.ts'
import type { Reply, StandinOptions } from '../../../standin/openai-realtime/options.ts'

interface CallOptions {
  readonly standin?: Partial<StandinOptions>
  readonly turns?: Partial<TurnSettings>
}

async function call(replies: StandinOptions['replies'] & {}, pace = 20, options: CallOptions = {}) {
  const bench = await new RealtimeBench({
    tools: [createTerminateCall()],
    standin: { greeting: { text: 'Hello.', ms: 400 }, replies, pace, ...options.standin },
  }).open()
  return await coordinatedCall(bench, 'openai_realtime', options.turns)
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
    // What the server took for a turn, and what it answered.
    const deleted = bench.received().filter((type) => type === 'conversation.item.delete').length
    expect(deleted).toBe(pace === 20 ? 4 : 2)

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

const short: Reply = { text: 'A short one.', ms: 800 }
const sounded = (leg: FakeLeg) => leg.heard.filter((sample) => sample !== 0).length

describe('a server that does not hear the caller', () => {
  test('it hangs before they speak: filler, notice, and the end', async () => {
    const { bench, ends, leg, sound } = await call([short])
    bench.server.last.mute = true
    const before = sounded(leg)
    await sound(800)
    await bench.pass(6000, 'quiet')
    expect(sounded(leg) - before).toBeGreaterThan(2000)
    await bench.pass(5000, 'quiet')
    expect(ends).toEqual(['provider_failed'])
  })

  test('it hangs while they speak: the same', async () => {
    const { bench, coordinator, ends, sound } = await call([short])
    await sound(400)
    coordinator.speech({ type: 'speech_started', agoMs: 0 })
    bench.server.last.mute = true
    await bench.pass(400, 'hum')
    coordinator.speech({ type: 'speech_stopped', agoMs: 0 })
    await bench.pass(12_000, 'quiet')
    expect(ends).toEqual(['provider_failed'])
  })

  test('it never finds their end, nor does our detector: at the longest duration of a turn they are asked', async () => {
    const { bench, ends } = await call([{ text: 'Pardon?', ms: 600 }], 20, { turns: { turnMaxMs: 10_000 } })
    await bench.pass(15_500, 'hum')
    expect(bench.of('incident').map(({ code }) => code)).toEqual(['reply_timeout'])
    const create = bench.server.last.record.received.findLast(({ event }) => event.type === 'response.create')
    expect(JSON.stringify(create?.event)).toMatch(/not heard what the caller said/)
    expect(ends).toEqual([])
  })

  test('it finds their end late: it is their turn that is answered', async () => {
    const { bench, sound } = await call([short], 20, { standin: { firstDeltaAfterMs: 1500 } })
    await sound(800)
    // A radio goes on for as long as it takes our hint to be late.
    await bench.pass(4600, 'hum')
    await bench.pass(2500, 'quiet')
    expect([bench.of('incident'), bench.received().filter((type) => type === 'response.create').length]).toEqual([
      [],
      1,
    ])
  })

  test('a cough of which it says nothing is no reason', async () => {
    const { bench, sound } = await call([short])
    bench.server.loses = (text) => text.includes('append')
    await sound(300)
    await bench.pass(8000, 'quiet')
    expect(bench.of('incident')).toEqual([])
  })
})

test('the caller goes on just before the reply sounds: they interrupt it, and are answered', async () => {
  const replies: Reply[] = [{ text: 'A long reply to half a sentence.', ms: 6000 }, short]
  const { bench, coordinator, observer, sound } = await call(replies, 3, { standin: { firstDeltaAfterMs: 300 } })
  await sound(800)
  while (!bench.server.last.isResponding) await bench.pass(20, 'quiet')
  await bench.pass(240, 'quiet')
  coordinator.speech({ type: 'speech_started', agoMs: 40 })
  await bench.pass(2500, 'hum')
  expect([coordinator.turnState, observer.interruptions.length]).toEqual(['caller_speaking', 1])
  coordinator.speech({ type: 'speech_stopped', agoMs: 0 })
  await bench.pass(3000, 'quiet')
  expect(bench.received()).not.toContain('conversation.item.delete')
  expect(coordinator.turns.all.map(({ outcome }) => outcome)).toEqual(['interrupted', 'answered'])
})

test('a question into the silence that the server cannot say: the silence is counted on', async () => {
  const noInput = { afterMs: 3000, checkIns: ['Are you there?'], farewell: 'Bye.' }
  const replies: StandinOptions['replies'] = ({ index }) =>
    index === 0 ? short : { fault: { kind: 'failed', code: 'server_error' } }
  const { bench, ends, sound } = await call(replies, 20, { turns: { noInput } })
  await sound(800)
  await bench.pass(20_000, 'quiet')
  expect(ends).toEqual(['no_input'])
})

test('a farewell that was asked for is heard in full, whoever speaks', async () => {
  const replies: StandinOptions['replies'] = ({ instructions }) =>
    instructions === null
      ? { calls: [{ name: 'terminate_call', arguments: {} }] }
      : { text: 'Goodbye and thank you for calling.', ms: 2500 }
  const { bench, ends, observer, sound } = await call(replies, 1.2)
  await sound(800)
  await bench.pass(1400, 'quiet')
  await sound(500)
  await bench.pass(2500, 'quiet')
  expect([ends, observer.interruptions]).toEqual([['agent'], []])
})
