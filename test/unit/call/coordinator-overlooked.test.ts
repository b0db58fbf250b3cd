import { describe, expect, test } from 'bun:test'
import { Bench } from './coordinator-bench.ts'
import { settings, verdicts } from './overlapped.ts'

describe('a voice over the agent that the detector does not hear', () => {
  /** Frames of this level; what comes before an onset is a quiet line. */
  const loud = (bench: Bench, amplitude: number, durationMs: number) => {
    for (let at = 0; at < durationMs; at += 20) {
      bench.clock.advance(20)
      const samples = Int16Array.from({ length: 160 }, (_, index) => (index % 2 === 0 ? amplitude : -amplitude))
      bench.coordinator.callerAudio({ sampleRateHz: 8000, samples })
    }
  }
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
