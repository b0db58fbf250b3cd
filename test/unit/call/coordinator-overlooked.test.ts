import { describe, expect, test } from 'bun:test'
import type { TurnDetection } from '#agent/provider.ts'
import type { TurnSettings } from '#call/turn-settings.ts'
import { turnSettings } from '../../fakes/call-world.ts'
import { Bench } from './coordinator-bench.ts'
import { settings, verdicts } from './overlapped.ts'

/** Frames of this level; what comes before an onset is a quiet line. */
const loud = (bench: Bench, amplitude: number, durationMs: number) => {
  for (let at = 0; at < durationMs; at += 20) {
    bench.clock.advance(20)
    // No voice keeps its level.
    const peak = at % 80 < 40 ? amplitude : amplitude * 0.7
    const samples = Int16Array.from({ length: 160 }, (_, index) => (index % 2 === 0 ? peak : -peak))
    bench.coordinator.callerAudio({ sampleRateHz: 8000, samples })
  }
}

describe('a voice over the agent that the detector does not hear', () => {
  /** A reply has sounded for a second and more, and for 200 ms there has been something over it. */
  const sounded = () => {
    const bench = new Bench(settings, 'engine', { judge: true }).answer()
    bench.pass(600)
    loud(bench, 30, 800)
    loud(bench, 3000, 200)
    return bench
  }

  test('interrupts where the judge is sure of it, and its turn ends with its level', () => {
    const bench = sounded()
    bench.judge?.say('interruption')
    loud(bench, 3000, 140)
    expect([bench.state, bench.playout.holding]).toEqual(['agent_speaking', 'none'])
    loud(bench, 3000, 60)
    // From now on it is a voice like any other, and judged as one.
    expect(bench.judge?.begun.map(({ agoMs }) => agoMs)).toEqual([100, 400])
    expect(bench.state).toBe('overlap')
    bench.judge?.say('interruption')
    loud(bench, 3000, 20)
    expect(bench.state).toBe('caller_speaking')
    expect(verdicts(bench)).toEqual(['interruption'])
    loud(bench, 30, 320)
    expect(bench.state).toBe('endpointing')
  })

  test('the detector’s word is one more of the same voice', () => {
    const bench = sounded()
    bench.judge?.say('interruption')
    loud(bench, 3000, 200)
    bench.judge?.say('interruption')
    loud(bench, 3000, 100)
    expect(bench.state).toBe('caller_speaking')
    bench.started(100)
    // Its end is the detector's from now on.
    loud(bench, 30, 1000)
    expect(bench.state).toBe('caller_speaking')
    bench.stopped(200)
    expect(bench.state).toBe('endpointing')
    expect(verdicts(bench)).toEqual(['interruption'])
  })

  test('is nobody where the judge takes it for a listener', () => {
    const bench = sounded()
    bench.judge?.say('backchannel')
    loud(bench, 3000, 600)
    expect(bench.judge?.begun).toHaveLength(1)
    expect([bench.state, bench.playout.holding, verdicts(bench).length]).toEqual(['agent_speaking', 'none', 0])
  })

  test('nobody is asked where nothing may interrupt, or any voice of a length does', () => {
    for (const bargeIn of [{ enabled: false }, { start: 'vad' }] as const) {
      const bench = new Bench({ bargeIn: { ...settings.bargeIn, ...bargeIn } as never }, 'engine', {
        judge: true,
      }).answer()
      bench.pass(600)
      loud(bench, 30, 800)
      loud(bench, 3000, 600)
      expect([bench.state, bench.judge?.begun.length]).toEqual(['agent_speaking', 0])
    }
  })
})

describe('a voice in the silence of the agent that the detector does not hear', () => {
  const settled = { ...settings, endpointing: { ...turnSettings.endpointing, silenceMs: 600 } }
  /** For 200 ms there has been something on a quiet line. */
  const sounded = (set: Partial<TurnSettings> = {}, detection: TurnDetection = 'engine') => {
    const bench = new Bench({ ...settled, ...set }, detection, { judge: true }).listen()
    loud(bench, 30, 800)
    loud(bench, 3000, 200)
    return bench
  }
  const framesGot = (bench: Bench) => bench.session.audio.reduce((sum, { length }) => sum + length / 160, 0)

  test('begins a turn with all that was said, and ends it with its level', () => {
    const bench = sounded()
    bench.judge?.say('backchannel')
    loud(bench, 3000, 180)
    expect([bench.state, framesGot(bench)]).toEqual(['listening', 0])
    loud(bench, 3000, 20)
    expect([bench.state, bench.session.taken()]).toEqual(['caller_speaking', ['speech_started']])
    // 400 ms of the voice, and the 300 ms before it.
    expect(framesGot(bench)).toBe(35)
    loud(bench, 3000, 400)
    loud(bench, 30, 300)
    expect([bench.state, framesGot(bench)]).toEqual(['endpointing', 70])
    loud(bench, 30, 280)
    expect(bench.state).toBe('endpointing')
    loud(bench, 30, 20)
    expect([bench.state, bench.session.taken()]).toEqual(['thinking', ['speech_stopped', 'turn_committed']])
  })

  test('goes on with the turn that was thought to be over', () => {
    const bench = sounded()
    bench.judge?.say('interruption')
    loud(bench, 3000, 400)
    loud(bench, 30, 700)
    expect(bench.state).toBe('thinking')
    loud(bench, 3000, 200)
    bench.judge?.say('interruption')
    loud(bench, 3000, 200)
    expect(bench.state).toBe('caller_speaking')
  })

  test('is nobody where it may be a noise', () => {
    const bench = sounded()
    bench.judge?.say('noise', 0.9)
    loud(bench, 3000, 1000)
    expect([bench.judge?.begun.length, bench.state]).toEqual([1, 'listening'])
  })

  test('nobody is looked for where that is switched off, or the agent finds the turns itself', () => {
    for (const bench of [sounded({ overlookedVoices: false }), sounded({}, 'provider')]) {
      bench.judge?.say('interruption')
      loud(bench, 3000, 1000)
      expect([bench.judge?.begun.length, bench.state]).toEqual([0, 'listening'])
    }
  })

  test('is looked for where nothing may interrupt the agent as well', () => {
    const bench = sounded({ bargeIn: { ...turnSettings.bargeIn, enabled: false } })
    bench.judge?.say('interruption')
    loud(bench, 3000, 200)
    expect(bench.state).toBe('caller_speaking')
  })
})
