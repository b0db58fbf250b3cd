import { describe, expect, test } from 'bun:test'
import type { SpeechEvent } from '#call/speech-detector.ts'
import { createCallDetector } from '#speech/call-detector.ts'
import type { DetectionListener, SpeechDetector } from '#speech/detector.ts'

/** A detector whose verdicts come when the test says so. */
function setUp() {
  let judge: DetectionListener = () => {}
  let ready = true
  const detector: SpeechDetector = {
    start: () => {},
    get readiness() {
      return ready ? ({ ready: true } as const) : { ready: false, reason: 'speech detection is loading' }
    },
    open(_rate, listener) {
      judge = listener
      return { push: () => 'sent', close: () => {} }
    },
    close: () => Promise.resolve(),
    stats: { open: 0, windows: 0, droppedWindows: 0, restarts: 0 },
  }
  const events: SpeechEvent[] = []
  const calls = createCallDetector(detector, {
    threshold: 0.5,
    raisedThreshold: 0.7,
    minSpeechMs: 32,
    minSilenceMs: 400,
  })
  const session = calls.open(8000, (event) => events.push(event))
  if (session === null) throw new Error('not opened')
  return {
    calls,
    session,
    events,
    judge: (probability: number, end: number) => judge(probability, end),
    unready: () => {
      ready = false
    },
  }
}

describe('createCallDetector', () => {
  test('quiet is counted up to the newest audio, verdict or not', () => {
    const { session, judge, events } = setUp()
    session.push(new Int16Array(256))
    judge(0.9, 256)
    expect(events).toEqual([{ type: 'speech_started', agoMs: 32 }])
    session.push(new Int16Array(256))
    expect(session.quietMs()).toBe(0)
    judge(0.1, 512)
    expect(session.quietMs()).toBe(32)
    session.push(new Int16Array(160))
    expect(session.quietMs()).toBe(52)
    expect(session.unjudgedMs()).toBe(20)
  })

  test('its readiness is the detector’s', () => {
    const { calls, unready } = setUp()
    expect(calls.readiness().ready).toBe(true)
    unready()
    expect(calls.readiness()).toEqual({ ready: false, reason: 'speech detection is loading' })
  })
})
