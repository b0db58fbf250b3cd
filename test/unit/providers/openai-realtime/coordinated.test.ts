import { expect, test } from 'bun:test'
import { Coordinator } from '#call/coordinator.ts'
import type { HangupCause } from '#call/leg.ts'
import { Pacer } from '#call/pacer.ts'
import { Playout } from '#call/playout.ts'
import { WarmUp } from '#call/warm-up.ts'
import { createTerminateCall } from '#tools/terminate-call.ts'
import { RecordingObserver, turnSettings } from '../../../fakes/call-world.ts'
import { playoutSettings } from '../../../fakes/calls.ts'
import { FakeLeg } from '../../../fakes/leg.ts'
import { RealtimeBench } from '../../../fakes/realtime-standin.ts'
import type { Reply } from '../../../standin/openai-realtime/options.ts'

// The session, the coordinator and the playout of one call, with the stand-in behind them and the test as the detector.

async function call(replies: readonly Reply[], pace = 20) {
  const bench = await new RealtimeBench({
    tools: [createTerminateCall()],
    standin: { greeting: { text: 'Hello.', ms: 400 }, replies, pace },
  }).open()
  const { clock, session } = bench
  if (session === null) throw new Error('no session')
  const observer = new RecordingObserver()
  const leg = new FakeLeg(8000)
  const ends: HangupCause[] = []
  const playout: Playout = new Playout(
    8000,
    {
      replyStarted: () => coordinator.replyStarted(),
      replyDone: () => coordinator.replyDone(),
      stuck: () => {},
      fellBack: () => {},
    },
    playoutSettings,
    new WarmUp(200),
    null,
  )
  playout.setLeg(leg)
  new Pacer(clock).add(playout)
  const coordinator: Coordinator = new Coordinator(
    {
      callId: 'call-1',
      callStartedMs: clock.now(),
      detection: { push: () => 'sent', quietMs: () => 0, agentSpeaks: () => {}, close: () => {} },
      providerName: 'openai_realtime',
      language: 'en',
      turnEndModel: null,
      overlapModel: null,
      wordsIn: null,
      echo: null,
      clock,
      session,
      turnDetection: 'provider',
      playout,
      settings: {
        ...turnSettings,
        bargeIn: { ...turnSettings.bargeIn, initialProtectionMs: 0, greetingProtectionMs: 0 },
      },
      observer,
      guarded: (action) => action(),
      gateChanged: () => {},
      greetingStarted: () => {},
      greetingFinished: () => {},
      hangUp: (cause) => ends.push(cause),
    },
    8000,
  )
  session.onEvent((event) => {
    bench.events.push(event)
    coordinator.agent(event)
  })
  bench.send = (input) => {
    if (input.type === 'audio') coordinator.callerAudio(input.frame)
    else session.send(input)
  }
  coordinator.begin('Hello.')
  await bench.pass(1200, 'quiet')
  /** The caller makes a sound, which our detector hears as well where it can. */
  const sound = async (durationMs: number, heard = true) => {
    await bench.pass(100, 'hum')
    if (heard) coordinator.speech({ type: 'speech_started', agoMs: 100 })
    await bench.pass(durationMs - 100, 'hum')
    if (heard) coordinator.speech({ type: 'speech_stopped', agoMs: 0 })
  }
  return { bench, coordinator, playout, observer, leg, ends, sound }
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
