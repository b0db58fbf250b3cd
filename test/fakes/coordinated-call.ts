import type { AgentEvent, AgentInput, SessionOf } from '#agent/provider.ts'
import { Coordinator } from '#call/coordinator.ts'
import type { HangupCause } from '#call/leg.ts'
import { Pacer } from '#call/pacer.ts'
import { Playout } from '#call/playout.ts'
import type { TurnSettings } from '#call/turn-settings.ts'
import { WarmUp } from '#call/warm-up.ts'
import { RecordingObserver, turnSettings } from './call-world.ts'
import { playoutSettings } from './calls.ts'
import { FakeLeg } from './leg.ts'
import type { ManualClock } from './manual-clock.ts'

/** A session against a stand-in, as the fakes of the vendors have it. */
export interface SessionBench {
  readonly clock: ManualClock
  readonly session: SessionOf<'agent'> | null
  readonly events: AgentEvent[]
  send(input: AgentInput): void
  pass(durationMs: number, line?: 'still' | 'quiet' | 'hum'): Promise<void>
}

/**
 * The session, the coordinator and the playout of one call, with the stand-in behind them and the test as the detector; the
 * agent finds the turns.
 */
export async function coordinatedCall<Bench extends SessionBench>(
  bench: Bench,
  providerName: string,
  turns: Partial<TurnSettings> = {},
) {
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
      detection: { push: () => 'sent', quietMs: () => 0, unjudgedMs: () => 0, agentSpeaks: () => {}, close: () => {} },
      providerName,
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
        ...turns,
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
