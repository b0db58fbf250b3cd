import { describe, expect, test } from 'bun:test'
import { coordinatedCall } from '../../fakes/coordinated-call.ts'
import { AgentBench } from '../../fakes/deepgram-agent.ts'
import type { FakeLeg } from '../../fakes/leg.ts'
import { RealtimeBench } from '../../fakes/realtime-standin.ts'
import type { ReplyScript } from '../../standin/openai-realtime/options.ts'

// A limit ends a call whose agent finds the turns itself, whoever has the floor: the farewell is heard, once, and then the
// call ends.

const farewell = 'The time is up. Goodbye.'
const reply = { text: 'An answer to the question.', ms: 3000 }

async function realtimeCall(firstDeltaAfterMs: number) {
  const goodbye = { text: farewell, ms: 1000 }
  const replies: ReplyScript = ({ asked }) => (asked === 'turn' ? reply : goodbye)
  // Before the first turn what a client asks for sounds as the greeting does.
  const standin = { greeting: goodbye, replies, firstDeltaAfterMs, pace: 20 }
  return await coordinatedCall(await new RealtimeBench({ standin }).open(), 'openai_realtime')
}

async function deepgramCall(firstChunkAfterMs: number) {
  const standin = { greeting: { ms: 400 }, injected: { ms: 1000 }, replies: [reply], firstChunkAfterMs, pace: 20 }
  return await coordinatedCall(await new AgentBench({ standin }).open(), 'deepgram')
}

const vendors = { openai_realtime: realtimeCall, deepgram: deepgramCall }
const soundedMs = (leg: FakeLeg) => leg.heard.filter((sample) => sample !== 0).length / 8

describe.each(['openai_realtime', 'deepgram'] as const)('a farewell of %s', (vendor) => {
  const open = vendors[vendor]

  test('in silence', async () => {
    const { bench, coordinator, leg, ends } = await open(0)
    await bench.pass(800, 'quiet')
    const before = soundedMs(leg)
    coordinator.limitReached('time_limit', farewell)
    await bench.pass(2000, 'quiet')
    expect(ends).toEqual(['time_limit'])
    expect(soundedMs(leg) - before).toBeWithin(800, 1100)
  })

  test('while the caller speaks', async () => {
    const { bench, coordinator, leg, ends } = await open(0)
    await bench.pass(800, 'quiet')
    await bench.pass(600, 'hum')
    const before = soundedMs(leg)
    coordinator.limitReached('time_limit', farewell)
    await bench.pass(600, 'hum')
    await bench.pass(2000, 'quiet')
    expect(ends).toEqual(['time_limit'])
    expect(soundedMs(leg) - before).toBeWithin(800, 1100)
  })

  test('while an answer is being made', async () => {
    const { bench, coordinator, leg, ends, sound } = await open(1500)
    await sound(800)
    await bench.pass(900, 'quiet')
    expect(coordinator.turnState).toBeOneOf(['thinking', 'endpointing'])
    const before = soundedMs(leg)
    coordinator.limitReached('time_limit', farewell)
    await bench.pass(4500, 'quiet')
    expect(ends).toEqual(['time_limit'])
    expect(soundedMs(leg) - before).toBeWithin(800, 1100)
  })

  test('behind the reply that sounds', async () => {
    const { bench, coordinator, leg, ends, sound } = await open(0)
    await sound(800)
    await bench.pass(1000, 'quiet')
    expect(coordinator.turnState).toBe('agent_speaking')
    coordinator.limitReached('time_limit', farewell)
    const before = soundedMs(leg)
    await bench.pass(5000, 'quiet')
    expect(ends).toEqual(['time_limit'])
    expect(soundedMs(leg) - before).toBeWithin(3000, 4100)
  })
})
